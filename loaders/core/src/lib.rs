//! What every Caraway loader shares.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`manifest`] | what a plugin says of itself, decoded strictly |
//! | [`discover`] | search paths to plugins and errors |
//! | [`resolve`] | requirements to a plan, or an explanation; pure |
//! | [`checksum`] | digests of files, and that a file is the one that was locked |
//! | [`config`] | what the operator sets, against what a manifest declares; pure |
//! | [`secret`] | what plugins were told and nobody is to see |
//! | [`capability`] | what is asked for, what is granted, and the one gate that checks |
//! | [`network`] | which hosts and addresses may be connected to, names to addresses, sockets that never wait |
//! | [`bind`] | the only place that puts functions into a module |
//! | [`buffer`], [`handle`] | values that keep their identity: numbers in place, and what plugins keep to themselves |
//! | [`limits`], [`budget`], [`rate`] | how much a script may use, and the clock and counters that stop it |
//! | [`observe`] | watching calls into plugins |
//! | [`store`] | what the program and each plugin keep in memory, by key |
//! | [`regular`] | regular files, opened and read whatever they really are |
//! | [`growth`] | text and bytes that grow within limits |
//! | [`text`] | messages, cut where they are too long |
//! | [`loader`] | the trait that a plugin kind implements |
//!
//! Nothing here opens a library, compiles a component or keeps global state.

pub mod bind;
pub mod budget;
pub mod buffer;
mod callable;
pub mod capability;
pub mod checksum;
mod code;
pub mod config;
pub mod discover;
mod error;
pub mod event;
pub mod growth;
pub mod handle;
pub mod limits;
pub mod loader;
pub mod manifest;
pub mod network;
pub mod observe;
pub mod output;
pub mod rate;
pub mod regular;
pub mod resolve;
pub mod secret;
mod standard;
pub mod store;
mod suggest;
pub mod text;

pub use caraway_plugin::{Param, Signature, StructType, Type, Value};
pub use code::Code;
pub use error::{Error, ErrorValue, Frame, Location, escape, is_harmful};
pub use standard::StandardPackage;

/// The target triple that this host was built for: `x86_64-unknown-linux-gnu`.
pub const TARGET: &str = env!("CARAWAY_TARGET");

//! What a host and a worker say to each other: frames of bytes, each a message.
//!
//! Both sides are the same program, but a host believes nothing that a worker says: a plugin can write to the worker's
//! memory and to its socket. What does not decode ends the worker.

mod arena;
mod channel;
mod description;
mod error;
mod message;
mod reader;
mod signature;
mod value;
mod writer;

pub(crate) use arena::{Incoming, LARGE, Outgoing};
pub(crate) use channel::{Closed, Halves, Receiver, Sender, host_channel, worker_channel};
pub(crate) use description::{read_description, read_functions, write_description, write_functions};
pub(crate) use error::{read_error, write_error};
pub(crate) use message::{Function, Hello, Load, Module, Purpose, Tag};
pub(crate) use reader::{Malformed, Reader};
pub(crate) use value::{Foreign, References, Word, read_value, write_value};
pub(crate) use writer::Writer;

/// The version of these messages. The other side is the same binary or one that the embedder named: another version is
/// refused.
pub(crate) const VERSION: u32 = 1;

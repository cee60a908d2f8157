//! Capabilities: what a manifest asks for, what the operator grants, and the one gate that checks both.
//!
//! Two keys open every door: the plugin's manifest asks ([`Asks`]), the operator grants ([`Grants`]). Whoever
//! acts for a plugin or for the program holds its [`Access`] and asks it first: [`Access::check`], or
//! [`Access::place`] for files. By default nothing is granted, but for what the program prints.
//!
//! | capability | in a manifest | on the command line |
//! | --- | --- | --- |
//! | `filesystem` | `{"filesystem": {"read": ["data"], "write": ["out"]}}` | `filesystem=read:data,write:out`, `filesystem=data` for both |
//! | `network` | `{"network": {"hosts": ["api.example.com:443"]}}` | `network=api.example.com:443` |
//! | `process` | `{"process": {"programs": ["make", "git log *"]}}` | `process=make`, `'process=git log *'` |
//! | `env` | `{"env": {"names": ["LANG"]}}` | `env=LANG` |
//! | `native` | `"native"` | `native`, `native=PLUGIN` |
//! | `io` | `"io"` | `io`, `io=stdout,stderr,stdin` |
//!
//! The bare name is all of its kind. One file holds one capability; nothing here touches the file system.

mod access;
mod asks;
mod detail;
mod env;
mod extent;
mod filesystem;
mod grants;
mod io;
mod lexical;
mod lookup;
mod native;
mod network;
mod opening;
mod process;
mod quote;
mod refusal;
mod request;
mod scopes;

pub use access::{Access, AccessRules, Place};
pub use asks::Asks;
pub use grants::Grants;
pub use lexical::normalize;
pub use opening::Opening;
pub use quote::quoted;
pub use request::{FileMode, Request};
pub use scopes::Capability;

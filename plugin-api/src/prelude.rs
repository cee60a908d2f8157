//! What the source of a native plugin begins with: `use caraway_plugin::prelude::*;`.

pub use crate::Value;
pub use crate::export::{Buffer, Callback, CallbackError, Context, Data, Error, Handle, Level};
pub use crate::plugin;

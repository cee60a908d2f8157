//! What the source of a native plugin begins with: `use caraway_plugin::prelude::*;`.

pub use crate::Value;
pub use crate::export::Data;
pub use crate::plugin;

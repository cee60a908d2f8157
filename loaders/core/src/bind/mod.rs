//! The only place that puts functions into a module.
//!
//! A backend gives a [`Signature`](caraway_plugin::Signature) and a body that takes `Dynamic`s and gives one back;
//! [`Binder`] registers it so that Rhai finds it by the types of the arguments, at the cost of one lookup. For each
//! function there are
//!
//! * one entry for each way of calling it that needs no thought: the declared types, and an int where a float
//!   is declared, converted on the way;
//! * one entry that takes anything, which Rhai tries last. It converts what can be converted, and says what
//!   is wrong with the rest. The hot path pays nothing for it.
//!
//! So a body can rely on this: each argument has the Rhai type of its declared type, handles are of the plugin's
//! own class, scalars need no further look, and what is inside arrays and maps is checked by [`conform`] or by the
//! backend's own marshalling. Argument 0 may be the caller's own variable: bodies never change it.
//!
//! Methods and properties of [handles](crate::handle) go by the class of the handle, whichever plugins a script
//! imports.

mod binder;
mod callback;
pub mod conform;
mod entry;
mod error;
mod kind;
mod members;
mod missing;
mod shown;
mod thrown;

pub use crate::callable::{MAX_PARAMS, callable};
pub use crate::suggest::suggest;
pub use binder::{Binder, Bound, Direct};
pub use callback::{Callable, Callbacks};
pub use error::{CallError, CallResult, wrong_type};
pub use missing::{Imported, explain, find_call, imports_of};
pub use thrown::leaving;
pub(crate) use thrown::may_leave;

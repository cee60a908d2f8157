//! What plugins tell the program that they are in.

use crate::code::Code;
use crate::error::Error;

/// The longest name of an event, in bytes.
pub const MAX_NAME: usize = 256;

/// The longest payload of an event, in bytes.
pub const MAX_PAYLOAD: usize = 64 << 10;

/// Something that happened in a plugin, or in a script.
///
/// It reaches the host's listener, see [`Output::on_event`](crate::output::Output::on_event), and no other plugin; so
/// telling it needs no grant. Neither name nor payload is escaped.
///
/// ```
/// use caraway_loaders_core::event::{Event, MAX_PAYLOAD};
///
/// let event = Event::new("stats", "done", r#"{"rows": 344}"#)?;
/// assert_eq!((event.plugin, event.name), ("stats", "done"));
/// assert!(Event::new("stats", "", "").is_err());
/// assert!(Event::new("stats", "done", &"x".repeat(MAX_PAYLOAD + 1)).is_err());
/// # Ok::<(), caraway_loaders_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The name of the plugin; `program` for the program itself.
    pub plugin: &'a str,
    /// What happened, by a name of the plugin's choice: 1 to [`MAX_NAME`] bytes.
    pub name: &'a str,
    /// More about it, at most [`MAX_PAYLOAD`] bytes. By custom JSON.
    pub payload: &'a str,
}

impl<'a> Event<'a> {
    /// An event.
    ///
    /// # Errors
    ///
    /// [`Code::ValueRefused`] for a name or a payload of another length.
    pub fn new(plugin: &'a str, name: &'a str, payload: &'a str) -> Result<Self, Error> {
        if !(1..=MAX_NAME).contains(&name.len()) {
            let message =
                format!("the name of an event has {} bytes; it may have 1 to {MAX_NAME}", name.len());
            return Err(Error::new(Code::ValueRefused, message).hint("put what is long into the payload"));
        }
        if payload.len() > MAX_PAYLOAD {
            let message =
                format!("the payload of an event has {} bytes; it may have {MAX_PAYLOAD}", payload.len());
            return Err(
                Error::new(Code::ValueRefused, message).hint("tell more with fewer words, or in parts")
            );
        }
        Ok(Self { plugin, name, payload })
    }
}

//! Panics of the plugin's code.
//!
//! A panic in a call becomes the script's error, and says where it was. The hook cannot tell one from a panic in
//! a thread of the plugin's own, whose end nobody awaits: so it keeps what it would have printed, and what
//! nobody has asked for when the thread ends, or when it panics again, goes to the log.

use super::host;
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

thread_local! {
    static LAST: Cell<Option<Report>> = const { Cell::new(None) };
}

/// A panic that nobody has been told of, unless `told`.
struct Report {
    text: String,
    told: bool,
}

impl Report {
    fn tell(&mut self) {
        if !std::mem::replace(&mut self.told, true) {
            let line = format!("a thread of the plugin panicked {}", self.text);
            match host::get().and_then(|host| Some((host, host.log?))) {
                // SAFETY: the context is the host's own; the text is UTF-8 of this length.
                Some((host, log)) => unsafe { log(host.context, 0, line.as_ptr(), line.len()) },
                None => eprintln!("{line}"),
            }
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        self.tell();
    }
}

/// What panics begin with that do not unwind: the process ends right after the hook. Nothing stable tells.
const LAST_WORDS: [&str; 5] = [
    "panic in a ",
    "unsafe precondition(s) violated",
    "misaligned pointer dereference",
    "null pointer dereference",
    "trying to construct an enum from an invalid value",
];

/// Keeps panics from printing to the host's standard error.
pub(super) fn install() {
    std::panic::set_hook(Box::new(remember));
}

fn remember(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("without a message");
    let text = match info.location() {
        Some(place) => format!("at {place}: {message}"),
        None => message.to_owned(),
    };
    let mut report = Report { text, told: false };
    if LAST_WORDS.iter().any(|words| message.starts_with(words)) {
        report.tell();
    }
    // A thread that is ending has no place for it any more; then it is told as it is dropped here.
    let _ = LAST.try_with(|last| {
        if let Some(mut earlier) = last.take() {
            // A panic while another one unwinds ends the process after this.
            earlier.tell();
            report.tell();
        }
        last.set(Some(report));
    });
}

/// What the hook has kept of the last panic on this thread.
fn take() -> Option<String> {
    let mut report = LAST.try_with(Cell::take).ok()??;
    report.told = true;
    Some(std::mem::take(&mut report.text))
}

/// What a panic that was caught says of itself: where it was, where that is known, and its message.
#[cold]
pub(super) fn message(payload: Box<dyn Any + Send>) -> String {
    let message = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => *text,
        (None, Some(text)) => text.as_str(),
        (None, None) => "without a message",
    };
    // A payload that was carried here from another thread had its hook there.
    let message = take().filter(|kept| kept.ends_with(message)).unwrap_or_else(|| message.to_owned());
    // A payload may panic in turn when it is dropped; that one's payload is left alone.
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
        take();
    }
    message
}

/// Logs a panic that was caught where there is no call that could fail.
#[cold]
pub(super) fn tell(payload: Box<dyn Any + Send>) {
    drop(Report { text: message(payload), told: false });
}

//! How far a download has come, on terminals.

use crate::cli::Context;
use crate::diagnostic::one_line;
use caraway_package::source::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// A bar on standard error, or nothing where that is no terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new(context: &Context, name: &str) -> Self {
        let shown = std::io::stderr().is_terminal() && !context.options.quiet && !context.options.json();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self(ProgressBar::with_draw_target(None, target).with_message(one_line(name)))
    }
}

impl Progress for Bar {
    fn total(&self, bytes: Option<u64>) {
        let template = match bytes {
            Some(_) => "{msg} [{bar:30}] {bytes}/{total_bytes} {eta}",
            None => "{msg} {spinner} {bytes}",
        };
        // First how it looks: a length is drawn at once.
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style.progress_chars("=> "));
        }
        if let Some(bytes) = bytes {
            self.0.set_length(bytes);
        }
    }

    fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

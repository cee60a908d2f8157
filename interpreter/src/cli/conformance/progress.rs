//! What the process that checks a plugin has done: a file with a line of JSON for each call, which outlives it.

use crate::conformance::Scorecard;
use caraway_loaders_core::Error;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Progress {
    /// Before a call: the check that it is for.
    Call { check: String, call: String },
    /// In the end.
    Done(Scorecard),
}

/// Writes lines, from any thread.
#[derive(Clone)]
pub(super) struct Writer(Arc<Mutex<File>>);

impl Writer {
    pub(super) fn create(path: &Path) -> Result<Self, Error> {
        let file = File::create(path).map_err(|error| Error::io(path, "write", &error))?;
        Ok(Self(Arc::new(Mutex::new(file))))
    }

    pub(super) fn write(&self, progress: &Progress) {
        let Ok(mut line) = serde_json::to_vec(progress) else { return };
        line.push(b'\n');
        // Without it the checks are as good; only what ended the process would not be known.
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line);
    }
}

/// The lines that are whole.
pub(super) fn read(path: &Path) -> Result<Vec<Progress>, Error> {
    let text = std::fs::read(path).map_err(|error| Error::io(path, "read", &error))?;
    Ok(text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

//! How far fetching has come.

/// Is told how far fetching has come. `()` listens to nothing.
pub trait Progress {
    /// How many bytes there will be, where that is known. Called once, before the first [`advance`](Progress::advance).
    fn total(&self, bytes: Option<u64>) {
        let _ = bytes;
    }

    /// So many bytes more are there.
    fn advance(&self, bytes: u64) {
        let _ = bytes;
    }
}

impl Progress for () {}

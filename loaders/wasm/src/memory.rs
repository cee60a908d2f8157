//! How much memory a guest may use.

use wasmtime::{ResourceLimiter, Result};

/// What a guest may use where neither its manifest nor the host sets a limit: 256 MiB.
pub(crate) const DEFAULT_LIMIT: u64 = 256 << 20;

/// What a table's element counts for.
const ELEMENT: usize = size_of::<usize>();

/// Counts all linear memories and tables of a store against one limit.
pub(crate) struct MemoryMeter {
    limit: u64,
    used: u64,
    refused: bool,
}

impl MemoryMeter {
    /// A meter that refuses more than `limit` bytes.
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, used: 0, refused: false }
    }

    /// Whether the guest was refused memory since this was last asked.
    pub(crate) fn take_refused(&mut self) -> bool {
        std::mem::take(&mut self.refused)
    }

    /// The limit, in bytes.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    fn grow(&mut self, current: usize, desired: usize) -> bool {
        let used = self.used.saturating_add(desired.saturating_sub(current) as u64);
        if used > self.limit {
            self.refused = true;
            return false;
        }
        self.used = used;
        true
    }
}

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        Ok(maximum.is_none_or(|maximum| desired <= maximum) && self.grow(current, desired))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        Ok(maximum.is_none_or(|maximum| desired <= maximum)
            && self.grow(current.saturating_mul(ELEMENT), desired.saturating_mul(ELEMENT)))
    }

    // A component made of several modules has an instance, and often a table, for each.
    fn instances(&self) -> usize {
        256
    }

    fn tables(&self) -> usize {
        256
    }

    fn memories(&self) -> usize {
        64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_share_one_limit() {
        let mut meter = MemoryMeter::new(1000);
        assert!(meter.memory_growing(0, 600, None).unwrap());
        assert!(!meter.memory_growing(0, 600, None).unwrap(), "a second memory");
        assert!(meter.take_refused() && !meter.take_refused());
        assert!(meter.table_growing(0, 50, None).unwrap(), "400 bytes");
        assert!(!meter.table_growing(50, 51, None).unwrap());
    }

    #[test]
    fn a_memory_that_is_full_by_its_own_maximum_is_not_refused_by_us() {
        let mut meter = MemoryMeter::new(1000);
        assert!(!meter.memory_growing(10, 20, Some(15)).unwrap());
        assert!(!meter.take_refused());
    }
}

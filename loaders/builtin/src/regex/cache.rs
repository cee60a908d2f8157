//! Patterns that were used a moment ago.

use super::pattern::Pattern;
use caraway_loaders_core::Error;
use std::sync::{Arc, Mutex, PoisonError};

/// How many patterns are kept.
const MAX_PATTERNS: usize = 32;

/// How much they may take, in bytes.
const MAX_BYTES: usize = 32 << 20;

/// The patterns of one importer, the last used at the end.
#[derive(Default)]
pub(crate) struct Cache(Mutex<Vec<(String, Arc<Pattern>)>>);

impl Cache {
    /// The pattern, compiled unless it is here.
    pub(super) fn get(&self, text: &str) -> Result<Arc<Pattern>, Error> {
        if let Some(known) = self.known(text) {
            return Ok(known);
        }
        // Others are not kept waiting.
        let pattern = Arc::new(Pattern::compile(text)?);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push((text.to_owned(), pattern.clone()));
        let bytes =
            |kept: &[(String, Arc<Pattern>)]| kept.iter().map(|(_, pattern)| pattern.bytes()).sum::<usize>();
        while kept.len() > 1 && (kept.len() > MAX_PATTERNS || bytes(&kept) > MAX_BYTES) {
            kept.remove(0);
        }
        Ok(pattern)
    }

    fn known(&self, text: &str) -> Option<Arc<Pattern>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = kept.iter().rposition(|(known, _)| known == text)?;
        kept[index..].rotate_left(1);
        kept.last().map(|(_, pattern)| pattern.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_used_are_kept() {
        let cache = Cache::default();
        let first = cache.get("a").unwrap();
        assert!(Arc::ptr_eq(&first, &cache.get("a").unwrap()));
        for index in 0..10 * MAX_PATTERNS {
            cache.get(&format!("x{index}")).unwrap();
            cache.get("a").unwrap();
        }
        assert!(Arc::ptr_eq(&first, &cache.get("a").unwrap()));
        let kept = cache.0.lock().unwrap();
        assert!(kept.len() <= MAX_PATTERNS && kept.len() > 4, "{}", kept.len());
        assert!(kept.iter().map(|(_, pattern)| pattern.bytes()).sum::<usize>() <= MAX_BYTES);
    }
}

//! Where the user's state is kept: logs, and what was typed.

use std::path::PathBuf;

/// `caraway` in the user's state directory; `None` where the user has none.
pub(super) fn folder() -> Option<PathBuf> {
    // Where a platform has none, data that is not to be moved to another machine is the nearest.
    dirs::state_dir().or_else(dirs::data_local_dir).map(|state| state.join("caraway"))
}

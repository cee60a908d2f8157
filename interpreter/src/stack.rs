//! Threads with room for deep scripts.

use caraway_loaders_core::{Code, Error};

/// Stack sizes to try, in bytes, largest first. They are reserved, not used: memory is committed as it is
/// touched.
///
/// Rhai recurses over a nested value to print, compare and drop it, at up to 7 KB a level. The deepest value
/// that a script can make quickly is a chain of closures that each hold the one before: about 200 bytes of
/// memory and 350 of stack for a level. So the first size is four times the memory of a program by default.
const SIZES: [usize; 4] = [4 << 30, 1 << 30, 256 << 20, 64 << 20];

/// Runs `work` on a thread of its own with a large stack, and waits for it.
///
/// # Errors
///
/// [`Code::Internal`] if no thread can be had, or if `work` panics.
pub(crate) fn with_large_stack<T: Send>(work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    let work = std::sync::Mutex::new(Some(work));
    let run = || match work.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
        Some(work) => work(),
        None => Err(Error::new(Code::Internal, "a thread ran twice")),
    };
    std::thread::scope(|scope| {
        for size in SIZES {
            let builder = std::thread::Builder::new().name("caraway".to_owned()).stack_size(size);
            if let Ok(thread) = builder.spawn_scoped(scope, run) {
                return thread.join().unwrap_or_else(|_| {
                    Err(Error::new(Code::Internal, "the interpreter panicked")
                        .hint("this is a bug; please report it"))
                });
            }
        }
        Err(Error::new(Code::Internal, "no thread could be started to run the program"))
    })
}

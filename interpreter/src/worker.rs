//! Plugins in processes of their own.
//!
//! A worker is the host's own program, executed again, which loads one plugin and calls its functions for the host. What
//! it may do is held to by the kernel; what goes wrong in it is an error of the call, and nothing else. A program that
//! wants workers lets [`maybe_run`] decide, first of all in its `main`, whether it is one.

pub use caraway_loaders_worker::Workers;
pub use caraway_loaders_worker::confine::{Ability, Lack, lacking};

/// Makes this process a worker if it was started to be one, and then does not return. Else it may start workers: give
/// what is returned to [`Builder::workers`](crate::Builder::workers).
///
/// To be called first of all in `main`, before threads are started and files are opened: a program that does not call
/// it cannot have workers that are itself, so that nobody's program is started twice by surprise.
///
/// ```no_run
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let workers = caraway::worker::maybe_run()?;
///     let runtime = caraway::Runtime::builder().workers(workers).plugin_path("plugins").build()?;
///     runtime.run_file(std::path::Path::new("app.rhai"), &[])?;
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// What the system says if the program's own file is not known.
pub fn maybe_run() -> std::io::Result<Workers> {
    caraway_loaders_worker::maybe_run(|| match crate::Runtime::builder().build() {
        Ok(runtime) => runtime.loaders().to_vec(),
        // Nothing was set that could be wrong; a worker that knows no kinds says so.
        Err(_) => Vec::new(),
    })
}

//! How a host gets workers, and how a program becomes one.

use crate::process::ARGUMENT;
use crate::serve::serve;
use caraway_loaders_core::loader::Loader;
use std::ffi::OsStr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The program that workers are: that a host has one means that its `main` lets it become one.
#[derive(Debug, Clone)]
pub struct Workers {
    program: Arc<Path>,
}

impl Workers {
    /// Workers that are another program than the host. It must call [`maybe_run`] first of all, with loaders for the
    /// same kinds; a program that does not is started with an argument that it does not know, and refused when it does
    /// not answer within ten seconds.
    pub fn program(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into().into() }
    }

    /// Workers that are this program, for one whose `main` calls [`maybe_run`] first of all.
    pub fn this_program() -> Self {
        // On Linux this is the very file that runs, even if there is another one in its place by now.
        match cfg!(target_os = "linux") {
            true => Self::program("/proc/self/exe"),
            false => Self::program(std::env::current_exe().unwrap_or_default()),
        }
    }

    /// The file that is executed.
    pub fn path(&self) -> &Path {
        &self.program
    }
}

/// Makes this process a worker if it was started to be one, and then does not return. Else the host may start
/// workers, which are this program again.
///
/// To be called first of all in `main`, before threads are started and files are opened. A worker takes the kinds of
/// plugins that it can load from `loaders`.
///
/// # Errors
///
/// What the system says if the program's own file is not known.
pub fn maybe_run(loaders: impl FnOnce() -> Vec<Arc<dyn Loader>>) -> std::io::Result<Workers> {
    let mut args = std::env::args_os().skip(1);
    if args.next().as_deref() == Some(OsStr::new(ARGUMENT)) {
        let parent = args.next().and_then(|id| id.to_str()?.parse().ok());
        if let (Some(parent), Some(socket)) = (parent, socket()) {
            serve(socket, parent, loaders());
        }
        // Nobody but a host has a use for this argument.
        std::process::exit(2);
    }
    std::env::current_exe().map(|_| Workers::this_program())
}

/// Standard input, if it is a socket: the end of a host's.
fn socket() -> Option<UnixStream> {
    let stdin = rustix::io::dup(std::io::stdin()).ok()?;
    let socket = UnixStream::from(stdin);
    socket.peer_addr().is_ok().then_some(socket)
}

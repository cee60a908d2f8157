//! From what a call says to a command that is ready to start.

use super::descriptors;
use super::options::Options;
use crate::fs::Folder;
use caraway_loaders_core::capability::{Access, Request};
use caraway_loaders_core::{Code, Error};
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One call.
pub(super) struct Launch<'a> {
    pub(super) access: &'a Access,
    pub(super) program: &'a str,
    pub(super) arguments: &'a [String],
    pub(super) options: &'a Options,
}

impl Launch<'_> {
    /// Asks the gate for all that is needed. The folder that comes with the command is to be kept until it has started.
    pub(super) fn command(&self) -> Result<(Command, Option<Folder>), Error> {
        self.sound()?;
        self.access.check(&self.request(self.program))?;
        let path = self.find()?;
        self.not_denied(&path)?;
        let mut command = Command::new(&path);
        command.arg0(self.program).args(self.arguments).env_clear().envs(self.inherited());
        for (name, value) in &self.options.env {
            command.env(self.variable(name, value)?, value);
        }
        let cwd = match &self.options.cwd {
            Some(cwd) => {
                let folder = Folder::open(self.access, cwd)?;
                command.current_dir(folder.path());
                Some(folder)
            }
            None => {
                command.current_dir(self.access.base());
                None
            }
        };
        let stdin = if self.options.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        descriptors::keep_to_itself(&mut command);
        Ok((command, cwd))
    }

    /// The error of a command that did not start.
    pub(super) fn failed(&self, error: &io::Error) -> Error {
        let base = self.access.base();
        let what = match error.kind() {
            io::ErrorKind::NotFound if !base.is_dir() => format!("there is no folder {}", base.display()),
            _ => error.to_string(),
        };
        Error::new(Code::Io, format!("cannot start `{}`: {what}", self.program))
    }

    fn request<'a>(&'a self, program: &'a str) -> Request<'a> {
        Request::Run { program, arguments: self.arguments }
    }

    fn sound(&self) -> Result<(), Error> {
        let wrong = |problem: String| Error::new(Code::ValueRefused, problem);
        if self.program.is_empty() {
            return Err(wrong("the program's name is empty".to_owned()));
        }
        if self.program.contains('/') && !self.program.starts_with('/') {
            return Err(wrong(format!("`{}` is a relative path", self.program))
                .hint("use an absolute path, or a name that the host's PATH has"));
        }
        let mut texts = std::iter::once(self.program).chain(self.arguments.iter().map(String::as_str));
        match texts.find(|text| text.contains('\0')) {
            Some(text) => Err(wrong(format!("`{text}` holds a NUL character, which no argument can"))),
            None => Ok(()),
        }
    }

    /// The file of the program. Of the folders in `PATH`, relative ones are left out.
    fn find(&self) -> Result<PathBuf, Error> {
        let absent = |message: String, hint: &str| Err(Error::new(Code::Io, message).hint(hint));
        if self.program.starts_with('/') {
            let path = PathBuf::from(self.program);
            return match path.try_exists() {
                Ok(true) if executable(&path) => Ok(path),
                Ok(true) => absent(
                    format!("`{}` is no file that may be executed", self.program),
                    "see its permissions",
                ),
                Ok(false) => {
                    absent(format!("there is no program `{}`", self.program), "see whether it is installed")
                }
                Err(error) => Err(self.failed(&error)),
            };
        }
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let mut found = None;
        for folder in std::env::split_paths(&folders).filter(|folder| folder.is_absolute()) {
            let path = folder.join(self.program);
            if executable(&path) {
                return Ok(path);
            }
            found = found.or_else(|| path.is_file().then_some(path));
        }
        match found {
            Some(path) => absent(format!("`{}` may not be executed", path.display()), "see its permissions"),
            None => absent(
                format!("there is no program `{}` in the folders of the host's PATH", self.program),
                "see whether it is installed",
            ),
        }
    }

    /// What is denied is denied by the file's other names, too.
    fn not_denied(&self, path: &Path) -> Result<(), Error> {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        for path in [path, &real] {
            for name in [Some(path.as_os_str()), path.file_name()].into_iter().flatten() {
                let Some(name) = name.to_str() else { continue };
                if self.access.denies(&self.request(name)) {
                    self.access.check(&self.request(name))?;
                }
            }
        }
        Ok(())
    }

    /// The variables of the host that the caller may see.
    fn inherited(&self) -> impl Iterator<Item = (OsString, OsString)> {
        std::env::vars_os().filter(|(name, _)| {
            name.to_str().is_some_and(|name| self.access.check(&Request::Environment(name)).is_ok())
        })
    }

    /// A variable that the call sets must be one that the caller may see: `LD_PRELOAD` and its like make another program
    /// of the one that is granted.
    fn variable<'a>(&self, name: &'a str, value: &str) -> Result<&'a str, Error> {
        let refused = |problem: &str| {
            Error::new(Code::ValueRefused, format!("has the variable `{name}`, {problem}")).about_argument(2)
        };
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(refused("which is no variable's name"));
        }
        if value.contains('\0') {
            return Err(refused("whose value holds a NUL character"));
        }
        self.access.check(&Request::Environment(name))?;
        Ok(name)
    }
}

/// Whether it is a file that this process may execute.
fn executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

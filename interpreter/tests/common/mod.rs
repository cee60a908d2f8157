//! Runs the binary in a folder of its own.
#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod page;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A folder with a program's files, and with a home that is empty.
pub(crate) struct Folder(TempDir);

/// How a run of the binary ended.
pub(crate) struct Ran {
    args: Vec<String>,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    /// A folder with these files; those above them are made.
    #[track_caller]
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    #[track_caller]
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The binary with these arguments, in this folder, with nothing of the tester's own settings.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_caraway"));
        command.args(args).current_dir(self.path()).env_clear().env("HOME", self.path().join("home"));
        command
    }

    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    /// Runs the binary with `input` as its standard input.
    #[track_caller]
    pub(crate) fn run_with(&self, args: &[&str], input: &str) -> Ran {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that does not read its input may be gone by now.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Ran::of(args, child.wait_with_output().unwrap())
    }
}

impl Ran {
    pub(crate) fn of(args: &[&str], output: Output) -> Self {
        Self {
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Checks the exit code, all of standard output, and parts of standard error; no parts: it is empty.
    #[track_caller]
    pub(crate) fn gives(&self, code: i32, stdout: &str, stderr: &[&str]) -> &Self {
        assert_eq!(self.code, Some(code), "{self}");
        assert_eq!(self.stdout, stdout, "{self}");
        assert!(!stderr.is_empty() || self.stderr.is_empty(), "{self}");
        for part in stderr {
            assert!(self.stderr.contains(part), "{part:?} is not in standard error: {self}");
        }
        self
    }

    /// Checks the exit code and parts of standard output; standard error is empty.
    #[track_caller]
    pub(crate) fn shows(&self, code: i32, parts: &[&str]) -> &Self {
        assert_eq!((self.code, self.stderr.as_str()), (Some(code), ""), "{self}");
        for part in parts {
            assert!(self.stdout.contains(part), "{part:?} is not in standard output: {self}");
        }
        self
    }

    /// Checks that a text is not in standard output.
    #[track_caller]
    pub(crate) fn gives_no(&self, part: &str) {
        assert!(!self.stdout.contains(part), "{part:?} is in standard output: {self}");
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "caraway {}\nexit code {:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.args.join(" "),
            self.code,
            self.stdout,
            self.stderr
        )
    }
}

/// Whether the kernel can hold plugins in workers. Where it cannot, what needs that is not tried.
#[cfg(feature = "worker")]
pub(crate) fn holds_workers() -> bool {
    let lacks = caraway::worker::lacking();
    lacks.iter().for_each(|lack| eprintln!("not tried: {lack}"));
    lacks.is_empty()
}

#[cfg(not(feature = "worker"))]
pub(crate) fn holds_workers() -> bool {
    false
}

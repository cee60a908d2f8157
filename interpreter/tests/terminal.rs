//! Questions and results on a terminal.

#![cfg(all(feature = "install", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;
mod packages;

use common::Folder;
use packages::reader;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Stdio};

/// A terminal, from the side of whoever sits at it.
struct Terminal {
    user: File,
    seen: String,
}

impl Terminal {
    /// Runs the binary with its input and errors on a new terminal.
    #[track_caller]
    fn run(folder: &Folder, args: &[&str]) -> (Self, Child) {
        Self::begin(folder, args, None)
    }

    /// Runs the binary on a new terminal of so many columns, and gives what is on the screen in the end.
    #[track_caller]
    fn screen(folder: &Folder, args: &[&str], columns: u16) -> String {
        let (terminal, mut child) = Self::begin(folder, args, Some(columns));
        let screen = terminal.rest().replace("\r\n", "\n");
        assert!(child.wait().unwrap().success(), "{screen}");
        screen
    }

    #[track_caller]
    fn begin(folder: &Folder, args: &[&str], columns: Option<u16>) -> (Self, Child) {
        let user = OpenOptions::new().read(true).write(true).open("/dev/ptmx").unwrap();
        // SAFETY: both requests have an argument of the kernel's type for them.
        let number = unsafe {
            use rustix::ioctl::{Getter, Setter, ioctl, opcode};
            const UNLOCK: rustix::ioctl::Opcode = opcode::write::<i32>(b'T', 0x31);
            const NUMBER: rustix::ioctl::Opcode = opcode::read::<u32>(b'T', 0x30);
            ioctl(&user, Setter::<UNLOCK, i32>::new(0)).unwrap();
            ioctl(&user, Getter::<NUMBER, u32>::new()).unwrap()
        };
        let open = || {
            let path = format!("/dev/pts/{number}");
            let mut options = OpenOptions::new();
            use std::os::unix::fs::OpenOptionsExt;
            let flags = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).unwrap();
            Stdio::from(options.read(true).write(true).custom_flags(flags).open(path).unwrap())
        };
        let mut command = folder.command(args);
        let (stdout, columns) = match columns {
            Some(columns) => (open(), columns),
            None => (Stdio::piped(), 80),
        };
        // SAFETY: the argument is of the kernel's type: `winsize`.
        unsafe {
            use rustix::ioctl::{Opcode, Setter, ioctl};
            const SET_SIZE: Opcode = 0x5414;
            ioctl(&user, Setter::<SET_SIZE, [u16; 4]>::new([24, columns, 0, 0])).unwrap();
        }
        let child = command.stdin(open()).stderr(open()).stdout(stdout).spawn().unwrap();
        (Self { user, seen: String::new() }, child)
    }

    /// Waits until this is on the screen.
    #[track_caller]
    fn wait_for(&mut self, text: &str) {
        let mut buffer = [0; 4096];
        while !self.seen.contains(text) {
            // The other side is closed when the process has ended.
            let read = self.user.read(&mut buffer).unwrap_or(0);
            assert!(read > 0, "{text:?} is not in {:?}", self.seen);
            self.seen += &String::from_utf8_lossy(&buffer[..read]);
        }
    }

    /// All that is on the screen in the end.
    fn rest(mut self) -> String {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = self.user.read(&mut buffer) {
            self.seen += &String::from_utf8_lossy(&buffer[..read]);
        }
        self.seen
    }
}

/// Types an answer to a question and gives the exit code, with what was on the screen.
#[track_caller]
fn answer(folder: &Folder, args: &[&str], question: &str, keys: &str) -> (i32, String) {
    let (mut terminal, child) = Terminal::run(folder, args);
    terminal.wait_for(question);
    terminal.user.write_all(keys.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), terminal.rest().replace("\r\n", "\n"))
}

const QUESTION: &str = "Install it, and grant this? [y/N] ";

#[test]
fn answers() {
    let folder = Folder::new(&[]);
    reader(&folder, "src/reader", "1.0.0", "");
    for (keys, yes) in [
        ("y\n", true),
        ("YES\n", true),
        (" y \n", true),
        ("n\n", false),
        ("\n", false),
        ("yess\n", false),
        ("ja\n", false),
        ("\x04", false),
        ("y\x04\x04", true),
    ] {
        let (code, screen) = answer(&folder, &["install", "src/reader"], QUESTION, keys);
        assert!(screen.starts_with("reader 1.0.0 asks for\n  filesystem: read data\n"), "{screen}");
        let ran = folder.run(&["run", "read.rhai"]);
        match yes {
            true => {
                assert_eq!(code, 0, "{keys:?}: {screen}");
                ran.gives(0, "1.0.0 secret\n", &[]);
                folder.run(&["uninstall", "-q", "reader"]).gives(0, "", &[]);
            }
            false => {
                assert_eq!(code, 5, "{keys:?}: {screen}");
                let said = "`reader 1.0.0` was not installed: it asks for filesystem (read data)";
                assert!(screen.replace(['\n', '│', ' '], "").contains(&said.replace(' ', "")), "{screen}");
                // What was asked is on a line of its own.
                let line = format!("{QUESTION}{}\n", keys.trim_end_matches(['\n', '\x04']));
                assert!(screen.contains(&line), "{screen}");
                ran.gives(4, "", &["E0401"]);
            }
        }
    }
}

#[test]
fn updates_and_projects() {
    let folder = Folder::new(&[("caraway.toml", "")]);
    reader(&folder, "src/reader", "1.0.0", "");
    assert_eq!(answer(&folder, &["install", "src/reader"], QUESTION, "y\n").0, 0);
    reader(&folder, "src/reader", "1.1.0", ", \"io\"");
    let (code, screen) = answer(&folder, &["update"], QUESTION, "n\n");
    assert_eq!(code, 5, "{screen}");
    assert!(screen.starts_with("reader 1.1.0 asks for\n  io: all\n(new since 1.0.0: io)\n"), "{screen}");
    folder.run(&["run", "read.rhai", "--locked"]).gives(0, "1.0.0 secret\n", &[]);
    assert_eq!(answer(&folder, &["update"], QUESTION, "y\n").0, 0);
    folder.run(&["run", "read.rhai", "--locked"]).gives(0, "1.1.0 secret\n", &[]);
    folder.write("caraway.toml", "# Changed.\n[grants.reader]\nallow = [\"io\"]\n");
    let (code, screen) = answer(&folder, &["trust"], "Grant all of this? [y/N] ", "\x04");
    assert_eq!(code, 0, "{screen}");
    folder.run(&["trust", "--list"]).shows(0, &["project ", ": no\n"]);
}

#[test]
fn nobody_is_asked_for_json_or_without_need() {
    let folder = Folder::new(&[]);
    reader(&folder, "src/reader", "1.0.0", "");
    let (terminal, child) = Terminal::run(&folder, &["install", "src/reader", "--format", "json"]);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(5));
    let screen = terminal.rest();
    assert!(screen.contains("nobody can be asked here") && !screen.contains("[y/N]"), "{screen}");
    let (terminal, child) = Terminal::run(&folder, &["install", "src/reader", "--deny", "filesystem"]);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    assert_eq!(terminal.rest().replace(['\r', '\n'], ""), "");
}

#[test]
fn results_fit_and_say_what_they_are_about() {
    let name = "quantiles-of-streams-of-numbers";
    let text = "Estimates quantiles of streams that are too long to be kept, within a bound";
    let manifest = format!(
        "name = \"{name}\"\nversion = \"1.0.0\"\ntype = \"module\"\ndescription = \"{text}\"\n\
         functions = [{{ name = \"estimate\", params = [{{ name = \"numbers\", type = \"array<float>\" }}, \
         {{ name = \"quantile\", type = \"float\" }}], returns = \"float\", description = \"{text}.\" }}]\n"
    );
    let folder = Folder::new(&[
        ("plugins/quantiles/plugin.toml", &manifest),
        ("plugins/quantiles/main.rhai", "fn estimate(numbers, quantile) { 0.0 }"),
    ]);
    for columns in [60, 80, 200] {
        for args in [&["list"][..], &["info", name], &["doc", name], &["load", name]] {
            let screen = Terminal::screen(&folder, args, columns);
            let long: Vec<&str> =
                screen.lines().filter(|line| line.chars().count() > usize::from(columns)).collect();
            assert!(long.is_empty(), "{args:?} at {columns}: {long:?}\n{screen}");
            assert!(screen.contains(name), "{args:?} at {columns}:\n{screen}");
        }
        // Nothing of a text is lost, but in a table.
        for args in [["info", name], ["doc", name]] {
            let screen = Terminal::screen(&folder, &args, columns);
            let joined = screen.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(joined.matches(text).count(), 2, "{args:?} at {columns}:\n{screen}");
        }
    }
}

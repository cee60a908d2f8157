//! Lua and LuaJIT, where they are: processes that time themselves.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// An interpreter of Lua.
pub(crate) struct Lua {
    pub(crate) name: &'static str,
    command: &'static str,
}

impl Lua {
    /// Those that can be run here. What is missing is said, and left out.
    pub(crate) fn found() -> Vec<Self> {
        let wanted = [("lua", &["lua5.4", "lua54", "lua"][..]), ("luajit", &["luajit"][..])];
        let mut found = Vec::new();
        for (name, commands) in wanted {
            match commands.iter().find(|command| version(command).is_some_and(|told| name_of(&told) == name))
            {
                Some(command) => found.push(Self { name, command }),
                None => eprintln!("left out: no {} on the PATH; the package is {}", commands[0], commands[0]),
            }
        }
        found
    }

    /// How long so many turns of a kernel take, and what the last one gave.
    pub(crate) fn run(&self, kernel: &str, turns: u64) -> (Duration, f64) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/kernels/kernels.lua");
        let output =
            Command::new(self.command).arg(script).arg(kernel).arg(turns.to_string()).output().unwrap();
        assert!(output.status.success(), "{}: {}", self.command, String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let (seconds, result) = text.trim().split_once(' ').unwrap();
        (Duration::from_secs_f64(seconds.parse().unwrap()), result.parse().unwrap())
    }
}

fn version(command: &str) -> Option<String> {
    let output = Command::new(command).arg("-v").output().ok()?;
    String::from_utf8([output.stdout, output.stderr].concat()).ok()
}

fn name_of(version: &str) -> &'static str {
    if version.starts_with("LuaJIT") {
        "luajit"
    } else if version.starts_with("Lua 5.4") {
        "lua"
    } else {
        "another"
    }
}

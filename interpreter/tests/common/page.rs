//! Pages of the documentation, typed in from top to bottom.
#![allow(clippy::panic, reason = "a page that is wrong fails its test")]

use super::Folder;
use std::path::Path;
use std::process::Command;

/// A fenced block, and the line above it that is not empty.
pub(crate) struct Block<'a> {
    above: &'a str,
    pub(crate) language: &'a str,
    line: usize,
    pub(crate) text: String,
}

/// Writes the files of a page and runs its commands, in its order; leaves blocks in some languages out.
#[track_caller]
pub(crate) fn follow(folder: &Folder, page: &str, shown_only: &[&str]) {
    let mut commands = 0;
    for block in blocks(page).into_iter().filter(|block| !shown_only.contains(&block.language)) {
        if block.language == "console" {
            for (command, printed) in typed(&block.text) {
                let found = run(folder, command);
                let fits = fits(&printed, &found);
                assert!(fits, "`{command}`, below line {}: {found}is not {printed}", block.line);
                commands += 1;
            }
        } else if let Some(file) = named(block.above) {
            folder.write(file, &block.text);
        } else {
            panic!("line {}: a block without a file's name", block.line);
        }
    }
    assert!(commands > 0, "the page has no commands");
}

/// Whether a text is the expected one, where `…` stands for what differs from one machine to the next.
fn fits(expected: &str, found: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(rest) = found.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut rest = rest;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        if rest[..at].contains('\n') {
            return false;
        }
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

/// The file that a line announces: the last thing in it, in backticks, before a colon.
fn named(line: &str) -> Option<&str> {
    line.strip_suffix("`:")?.rsplit('`').next()
}

pub(crate) fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    let mut above = "";
    for (index, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.text += &format!("{line}\n"),
            (None, Some(words)) => {
                let language = words.split(',').next().unwrap();
                open = Some(Block { above, language, line: index + 1, text: String::new() });
            }
            (None, None) if !line.is_empty() => above = line,
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "the last block does not end");
    blocks
}

/// The sections of a page, each on the lines that it has in the page.
pub(crate) fn sections(page: &str) -> Vec<(&str, String)> {
    let mut sections: Vec<(&str, String)> = Vec::new();
    let mut fenced = false;
    for (index, line) in page.lines().enumerate() {
        fenced ^= line.starts_with("```");
        if let Some(title) = line.strip_prefix("## ").filter(|_| !fenced) {
            sections.push((title, "\n".repeat(index)));
        }
        if let Some((_, text)) = sections.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    sections
}

/// The commands of a block, each with what it prints.
fn typed(text: &str) -> Vec<(&str, String)> {
    let mut commands: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push((command, String::new()));
        } else {
            commands.last_mut().unwrap().1 += &format!("{line}\n");
        }
    }
    commands
}

/// What a shell prints for a command, errors included.
#[track_caller]
fn run(folder: &Folder, command: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_caraway"));
    let ours = binary.parent().unwrap().to_owned();
    let theirs = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(ours).chain(std::env::split_paths(&theirs)));
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{command} 2>&1")]).current_dir(folder.path()).env_clear();
    // What cargo and its compiler are found by.
    shell.envs(std::env::var_os("RUSTUP_TOOLCHAIN").map(|value| ("RUSTUP_TOOLCHAIN", value)));
    if let Some(home) = std::env::home_dir() {
        shell.env("CARGO_HOME", std::env::var_os("CARGO_HOME").unwrap_or(home.join(".cargo").into()));
        shell.env("RUSTUP_HOME", std::env::var_os("RUSTUP_HOME").unwrap_or(home.join(".rustup").into()));
    }
    let output = shell.env("HOME", folder.path().join("home")).env("PATH", path.unwrap()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

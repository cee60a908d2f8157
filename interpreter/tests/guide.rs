//! The guide for script authors, typed in from top to bottom.

#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

#[allow(dead_code, reason = "other tests use the rest")]
mod common;

use common::Folder;
use std::path::Path;
use std::process::Command;

/// A fenced block, and the line above it that is not empty.
struct Block<'a> {
    above: &'a str,
    language: &'a str,
    line: usize,
    text: String,
}

#[test]
fn the_guide_for_script_authors_is_true() {
    let page = include_str!("../../docs/guide-scripts.md");
    let folder = Folder::new(&[]);
    let mut commands = 0;
    for block in blocks(page) {
        if block.language == "console" {
            for (command, printed) in typed(&block.text) {
                assert_eq!(run(&folder, command), printed, "`{command}`, below line {}", block.line);
                commands += 1;
            }
        } else if let Some(file) = block.above.strip_prefix('`').and_then(|name| name.strip_suffix("`:")) {
            folder.write(file, &block.text);
        } else {
            panic!("line {}: a block without a file's name", block.line);
        }
    }
    assert!(commands > 0, "the guide has no commands");
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    let mut above = "";
    for (index, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.text += &format!("{line}\n"),
            (None, Some(language)) => {
                open = Some(Block { above, language, line: index + 1, text: String::new() });
            }
            (None, None) if !line.is_empty() => above = line,
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "the last block does not end");
    blocks
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
    let path = std::env::join_paths([binary.parent().unwrap(), Path::new("/usr/bin"), Path::new("/bin")]);
    let output = Command::new("sh")
        .args(["-c", &format!("{command} 2>&1")])
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path().join("home"))
        .env("PATH", path.unwrap())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

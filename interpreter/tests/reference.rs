//! The reference of the command line, compared with what the binary says of itself.

// All commands and options that it has.
#![cfg(all(feature = "install", feature = "repl", feature = "std-http", feature = "wasm", unix))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Folder;
use common::page::{blocks, follow, sections};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const PAGE: &str = include_str!("../../docs/reference/cli.md");

/// What `--help` says of a command.
struct Help {
    usage: String,
    /// Its own options and those that every command has: `-q, --quiet`, `--log LEVEL`.
    own: BTreeSet<String>,
    common: BTreeSet<String>,
}

impl Help {
    #[track_caller]
    fn of(folder: &Folder, command: &str) -> Self {
        let text = match command {
            "help" => folder.run(&["help"]).stdout.replace("[OPTIONS] <COMMAND>", "help [COMMAND]"),
            command => folder.run(&[command, "--help"]).stdout,
        };
        let usage = text.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap().to_owned();
        let (own, common) = text.split_once("\nCommon options:\n").unwrap();
        Self { usage, own: options(own), common: options(common) }
    }
}

/// The options at the beginning of lines, but for those that all programs have.
fn options(help: &str) -> BTreeSet<String> {
    let indented = help.lines().filter(|line| line.starts_with(' '));
    let lines = indented.map(str::trim_start).filter(|line| line.starts_with('-'));
    let option = |line: &str| line.split("  ").next().unwrap().replace(['<', '>'], "");
    // In lists of possible values an item begins with `- `.
    let options = lines.map(option).filter(|option| !option.starts_with("- "));
    options.filter(|option| option != "-h, --help" && option != "-V, --version").collect()
}

/// The commands that the binary lists.
fn commands(folder: &Folder) -> Vec<String> {
    let help = folder.run(&["help"]).stdout;
    let list = &help[help.find("Commands:\n").unwrap()..help.find("\nOptions:").unwrap()];
    // What an entry says goes on further to the right.
    let entries =
        list.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    entries.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

/// What stands in backticks in the first cells of a section's table with this title.
fn cells(section: &str, title: &str) -> BTreeSet<String> {
    let start = format!("| {title} | |");
    let rows =
        section.lines().skip_while(|line| *line != start).skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.replace("\\|", "\u{0}").split('|').nth(1).unwrap().replace('\u{0}', "|"));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn page() -> BTreeMap<&'static str, String> {
    sections(PAGE).into_iter().collect()
}

#[test]
fn the_reference_can_be_typed_in() {
    follow(&Folder::new(&[]), PAGE, &["usage"]);
}

#[test]
fn every_command_and_option_is_in_the_reference() {
    let folder = Folder::new(&[]);
    let (page, commands) = (page(), commands(&folder));
    assert!(commands.len() > 20, "{commands:?}");
    for command in &commands {
        let section = page.get(&**command).unwrap_or_else(|| panic!("there is no section `{command}`"));
        let help = Help::of(&folder, command);
        let usage = blocks(section).into_iter().find(|block| block.language == "usage");
        assert_eq!(usage.map(|block| block.text.trim().to_owned()).as_ref(), Some(&help.usage), "{command}");
        if command != "help" {
            assert_eq!(cells(section, "option"), help.own, "the options of `{command}`");
        }
        assert_eq!(cells(&page["Common options"], "option"), help.common, "{command} --help");
    }
    let known = ["Common options", "Exit codes", "JSON", "Environment variables", "Files"];
    let titles = page.keys().filter(|title| !known.contains(title));
    assert_eq!(titles.copied().collect::<BTreeSet<_>>(), commands.iter().map(String::as_str).collect());
}

#[test]
fn json_has_the_fields_that_the_reference_lists() {
    let plugin = "name = \"greet\"\nversion = \"1.0.0\"\ntype = \"module\"\n";
    let folder = Folder::new(&[
        ("caraway.toml", ""),
        ("app.rhai", "import \"greet\" as g; print(g::hello());"),
        ("from/greet/plugin.toml", plugin),
        ("from/greet/main.rhai", "fn hello() { 1 }"),
        (
            "from/greet/tests/hello.rhai",
            "import \"greet\" as g; fn test_hello() { assert(g::hello() == 1); }",
        ),
    ]);
    let mut missing: BTreeSet<&str> = page()
        .iter()
        .filter(|(_, text)| !cells(text, "in JSON").is_empty())
        .map(|(&title, _)| title)
        .collect();
    for args in [
        "install from/greet",
        "new other",
        "build from/greet",
        "validate from/greet",
        "check app.rhai",
        "test from/greet",
        "conformance greet",
        "pack from/greet",
        "list",
        "info greet",
        "doc greet",
        "tree app.rhai",
        "load greet",
        "update",
        "lock",
        "disable greet",
        "enable greet",
        "trust",
        "audit app.rhai",
        "doctor",
        "explain E0101",
        "definitions",
        "uninstall greet",
    ] {
        let command = args.split(' ').next().unwrap();
        let mut words: Vec<&str> = args.split(' ').collect();
        words.extend(["--format", "json"]);
        let ran = folder.run(&words);
        let value: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"));
        let mut fields: BTreeSet<String> = value.as_object().unwrap().keys().cloned().collect();
        assert!(fields.remove("schema_version"), "{ran}");
        assert_eq!(fields, cells(&page()[command], "in JSON"), "{ran}");
        missing.remove(command);
    }
    assert!(missing.is_empty(), "not tried: {missing:?}");
}

#[test]
fn every_variable_of_our_own_is_in_the_reference() {
    let listed = cells(&page()["Environment variables"], "variable");
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(entry).unwrap();
                let variables = text.split("\"CARAWAY_").skip(1).filter_map(|rest| rest.split('"').next());
                found.extend(variables.map(|rest| format!("CARAWAY_{rest}")));
            }
        }
    }
    assert!(found.len() >= 4, "{found:?}");
    assert_eq!(found.difference(&listed).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// What pages tell to type in is at least a command with its own options.
#[test]
fn commands_that_pages_show_exist() {
    let folder = Folder::new(&[]);
    let helps: BTreeMap<String, Help> =
        commands(&folder).into_iter().map(|command| (command.clone(), Help::of(&folder, &command))).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pages = vec![root.join("README.md"), root.join("examples/README.md"), root.join("CHANGELOG.md")];
    for folder in ["docs", "docs/reference"] {
        pages.extend(std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()));
    }
    let (mut seen, mut wrong) = (0, Vec::new());
    for page in pages.iter().filter(|page| page.extension().is_some_and(|extension| extension == "md")) {
        let text = std::fs::read_to_string(page).unwrap();
        for line in shown(&text) {
            seen += 1;
            if let Err(error) = known(&line, &helps) {
                wrong.push(format!("{}: `{line}`: {error}", page.display()));
            }
        }
    }
    assert!(seen > 100, "only {seen} commands were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The commands of a page: lines of blocks for a shell, and what stands in backticks in its text.
fn shown(page: &str) -> Vec<String> {
    let mut shown = Vec::new();
    for block in blocks(page).into_iter().filter(|block| matches!(block.language, "sh" | "console")) {
        let text = block.text.replace("\\\n", " ");
        shown.extend(text.lines().map(|line| line.trim_start_matches("$ ").to_owned()));
    }
    // What is fenced is not in the way: a fence has three backticks on either side.
    let text = page.split("```").step_by(2).collect::<String>();
    shown.extend(text.split('`').skip(1).step_by(2).map(|code| code.replace('\n', " ")));
    shown.retain(|line| line.starts_with("caraway ") && !line.starts_with("caraway -"));
    shown
}

fn known(line: &str, helps: &BTreeMap<String, Help>) -> Result<(), String> {
    let mut words =
        line.split_whitespace().skip(1).take_while(|word| !matches!(*word, "--" | "#" | "|" | ">"));
    let command = words.next().unwrap_or_default().trim_matches(|c: char| !c.is_alphanumeric());
    if command.is_empty() || command == "COMMAND" {
        return Ok(());
    }
    let help = helps.get(command).ok_or("there is no such command")?;
    for word in words.filter_map(|word| word.trim_start_matches('[').strip_prefix("--")) {
        let name = word.split(|c: char| !c.is_alphanumeric() && c != '-').next().unwrap_or_default();
        let has =
            |option: &String| option.split([' ', ',']).any(|part| part.strip_prefix("--") == Some(name));
        if name != "help" && !help.own.iter().chain(&help.common).any(has) {
            return Err(format!("it has no option `--{name}`"));
        }
    }
    Ok(())
}

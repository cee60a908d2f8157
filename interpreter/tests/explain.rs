//! `caraway explain` and `caraway completions`.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Folder;
use serde_json::Value;
use std::process::Command;

#[test]
fn codes_are_explained() {
    let folder = Folder::new(&[]);
    folder.run(&["explain", "E0501"]).shows(0, &["E0501 ", "\n\n"]);
    let lower = folder.run(&["explain", "e0501"]);
    assert_eq!(lower.stdout, folder.run(&["explain", "E0501"]).stdout);
    folder
        .run(&["explain"])
        .shows(0, &["CODE   EXIT  WHAT HAPPENED\n", "E0101  1     The script failed\n", "E9001  130"]);
    folder.run(&["explain", "E0510"]).gives(2, "", &["E0201", "no error code `E0510`", "did you mean `E0"]);
    folder.run(&["explain", "hello"]).gives(2, "", &["no error code `hello`", "`caraway explain` lists"]);
    let value: Value =
        serde_json::from_str(&folder.run(&["explain", "E0701", "--format", "json"]).stdout).unwrap();
    assert_eq!((&value["code"], &value["exit_code"]), (&"E0701".into(), &7.into()));
    let value: Value = serde_json::from_str(&folder.run(&["explain", "--format", "json"]).stdout).unwrap();
    assert_eq!(value["codes"].as_array().unwrap().len(), caraway::Code::ALL.len());
}

#[test]
fn shells_complete() {
    let folder = Folder::new(&[]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        folder.run(&["completions", shell]).shows(0, &["caraway", "doctor", "plugin-path"]);
    }
    folder.run(&["completions"]).gives(2, "", &["required"]);
    folder.run(&["completions", "csh"]).gives(2, "", &["invalid value 'csh'"]);
    // bash takes what it is given, and completes a command.
    folder.write("complete.sh", &folder.run(&["completions", "bash"]).stdout);
    let script = "source ./complete.sh; COMP_WORDS=(caraway doct); COMP_CWORD=1; _caraway caraway doct caraway; echo ${COMPREPLY[@]}";
    if let Ok(output) = Command::new("bash").args(["-c", script]).current_dir(folder.path()).output() {
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "doctor", "{output:?}");
    }
}

#[test]
fn manual_pages_are_written() {
    let folder = Folder::new(&[]);
    let pages = folder.run(&["completions", "--man", "share/man1"]);
    let count = std::fs::read_dir(folder.path().join("share/man1")).unwrap().count();
    pages.gives(0, &format!("wrote {count} pages to share/man1\n"), &[]);
    folder.run(&["completions", "--man", "share/man1", "-q"]).gives(0, "", &[]);
    let json = folder.run(&["completions", "--man", "share/man1", "--format", "json"]);
    json.shows(0, &["\"share/man1/caraway.1\"", "\"share/man1/caraway-doctor.1\""]);
    let page = |name: &str| std::fs::read_to_string(folder.path().join("share/man1").join(name)).unwrap();
    assert!(page("caraway.1").contains(".TH"));
    assert!(page("caraway-run.1").contains("plugin\\-path"));
    folder.write("file", "");
    folder.run(&["completions", "--man", "file"]).gives(
        8,
        "",
        &["E0801", "cannot write manual pages into file"],
    );
}

//! Snippets of pages that are no sessions: each is run where it means something.

#![cfg(all(feature = "install", unix))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::page::blocks;
use common::{Folder, Ran};
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

/// The snippets of a page in a language.
fn snippets(page: &str, language: &str) -> Vec<String> {
    blocks(page).into_iter().filter(|block| block.language == language).map(|block| block.text).collect()
}

/// The commands of shell snippets, without what is said of them.
fn commands(page: &str) -> Vec<String> {
    let lines: Vec<String> = snippets(page, "sh")
        .iter()
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    lines.iter().map(|line| line.split(" #").next().unwrap().trim().to_owned()).collect()
}

/// Runs a command with a shell that finds the binary, and the programs of the folder's `bin`.
fn shell(folder: &Folder, command: &str) -> Ran {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_caraway")).parent().unwrap().to_owned();
    let path = format!("{}:{}:/usr/bin:/bin", binary.display(), folder.path().join("bin").display());
    let output: Output = std::process::Command::new("sh")
        .args(["-c", command])
        .current_dir(folder.path().join("project"))
        .env_clear()
        .env("HOME", folder.path().join("home"))
        .env("PATH", path)
        .output()
        .unwrap();
    Ran::of(&[command], output)
}

const STATS: &str = "name = \"stats\"\nversion = \"1.2.0\"\ntype = \"module\"\n";

#[test]
fn the_guide_to_packages_is_true() {
    let page = include_str!("../../docs/guide-packages.md");
    let folder = Folder::new(&[
        ("stats/plugin.toml", STATS),
        ("stats/main.rhai", "fn mean() { 1 }"),
        ("project/caraway.toml", "[grants.stats]\nallow = [\"env=HOME\"]\n"),
        ("other/plugin.toml", "name = \"other\"\nversion = \"1.0.0\"\ntype = \"module\"\n"),
        ("other/main.rhai", "fn f() { 1 }"),
        ("project/app.rhai", &snippets(page, "rhai")[0]),
    ]);
    // What is packed further down is installed first.
    shell(&folder, "caraway pack ../stats -q").gives(0, "", &[]);
    for command in commands(page) {
        if command.contains("https://") {
            // Downloads have tests of their own, in `install.rs`: here is no server.
            continue;
        }
        if command.starts_with("caraway pack") {
            shell(&folder, "rm -f *.tar.gz; cp -r ../stats .");
        }
        let ran = shell(&folder, &command);
        match &*command {
            // Nobody is there to be asked.
            "caraway trust" => ran.gives(5, &ran.stdout.clone(), &["--yes"]),
            _ => ran.gives(0, &ran.stdout.clone(), &[]),
        };
    }
    shell(&folder, "caraway run -q --locked app.rhai").gives(0, "", &[]);
    let [project, manifest] = &snippets(page, "toml")[..] else {
        panic!("what a project and a manifest say")
    };
    folder.write("project/caraway.toml", project);
    shell(&folder, "caraway lock -q && caraway tree").shows(0, &["stats"]);
    folder.write(
        "project/plugins/user/plugin.toml",
        &format!("{}\n{manifest}", STATS.replace("stats", "user")),
    );
    folder.write("project/plugins/user/main.rhai", "import \"stats\" as stats; fn f() { stats::mean() }");
    folder.write("project/user.rhai", "import \"user\" as u; print(u::f());");
    shell(&folder, "caraway run -q user.rhai").gives(0, "1\n", &[]);
}

#[cfg(feature = "std-http")]
#[test]
fn the_requests_need_a_grant() {
    let page = include_str!("../../docs/reference/std-http.md");
    let folder = Folder::new(&[("project/app.rhai", &snippets(page, "rhai")[0])]);
    shell(&folder, "caraway run app.rhai").gives(5, "", &["E0501", "--allow network=api.example.com:443"]);
}

#[test]
fn the_programs_run() {
    let page = include_str!("../../docs/reference/std-process.md");
    let folder = Folder::new(&[
        ("project/app.rhai", &snippets(page, "rhai")[0]),
        ("bin/git", "#!/bin/sh\necho \"git $*\"\n"),
    ]);
    let git = folder.path().join("bin/git");
    std::fs::set_permissions(git, std::fs::Permissions::from_mode(0o755)).unwrap();
    shell(&folder, "caraway run --allow process=git,sort app.rhai").gives(
        0,
        "git log --oneline -n 5\n\na\nb\n\n",
        &[],
    );
    folder.write(
        "project/app.rhai",
        "import \"std/process\" as p; print(p::run(\"git\", [\"log\", \"x\"]).stdout);",
    );
    for command in commands(page) {
        shell(&folder, &command).gives(0, "git log x\n\n", &[]);
    }
}

#[test]
fn the_values_are_what_is_said() {
    let page = include_str!("../../docs/reference/types.md");
    let folder = Folder::new(&[]);
    // What is shown of handles is tried in `loaders/core/tests/handles.rs`.
    let buffers = &snippets(page, "rhai")[0];
    folder.write("project/app.rhai", &format!("{buffers}\nprint(x[0]); print(zeros.len());"));
    shell(&folder, "caraway run app.rhai").gives(0, "7.0\n1000\n", &[]);
}

//! Installations that are killed, that wait for each other, or have nowhere to write.

#![cfg(all(feature = "install", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;
mod packages;

use common::{Folder, Ran};
use packages::{APP, USERS, names, plugin, reader, send, serve, text, toml};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Starts the binary, kills it after a while, and says whether it was still there.
#[track_caller]
fn kill_after(folder: &Folder, args: &[&str], wait: Duration) -> bool {
    let null = Stdio::null;
    let mut child = folder.command(args).stdin(null()).stdout(null()).stderr(null()).spawn().unwrap();
    let started = Instant::now();
    while started.elapsed() < wait {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

/// What goes on as in a list of random numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// `stats` in three versions with the sources of each; 2.0.0 and 1.1.0 ask for something, and `reader`.
#[track_caller]
fn sources(project: bool) -> Folder {
    let folder = Folder::new(&[APP, ("plain.rhai", "print(1);")]);
    if project {
        folder.write("caraway.toml", "# Ours.\n");
    }
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        let asks = if version == "1.0.0" { "" } else { "capabilities = [\"io\"]\n" };
        plugin(&folder, &format!("src/{version}"), "stats", version, asks);
    }
    plugin(
        &folder,
        "src/new",
        "stats",
        "1.2.0",
        "capabilities = [\"io\", { env = { names = [\"LANG\"] } }]\n",
    );
    reader(&folder, "src/reader", "1.0.0", "");
    folder.run(&["install", "-q", "src/1.0.0"]).gives(0, "", &[]);
    folder
}

/// Checks that everything works, whatever is installed by now.
#[track_caller]
fn is_sound(folder: &Folder, project: bool, what: &str) {
    let listed = folder.run(&["list"]);
    assert_eq!((listed.code, listed.stderr.as_str()), (Some(0), ""), "after {what}: {listed}");
    folder.run(&["doctor", "-q"]).gives(0, "", &[]);
    for program in ["app.rhai", "plain.rhai"] {
        let ran = folder.run(&["run", program]);
        assert_eq!(ran.code, Some(0), "after {what}: {ran}");
        assert!(program != "app.rhai" || ran.stdout.starts_with("stats "), "after {what}: {ran}");
        if project {
            let locked = folder.run(&["run", program, "--locked"]);
            let config = text(folder, "caraway.toml");
            let lock = text(folder, "caraway.lock");
            assert_eq!(locked.code, Some(0), "after {what}: {locked}\n{config}\n{lock}");
            assert_eq!(locked.stdout, ran.stdout, "after {what}: {locked}\n{config}\n{lock}");
        }
    }
    if project {
        assert!(text(folder, "caraway.toml").starts_with("# Ours.\n"));
        toml(folder, "caraway.toml");
        toml(folder, "caraway.lock");
    }
}

#[track_caller]
fn killed_at_any_moment(project: bool, seed: u64) {
    let folder = sources(project);
    let mut random = Random(seed);
    let until = Instant::now() + Duration::from_secs(4);
    let store = folder.path().join(if project { "plugins" } else { USERS });
    let (mut rounds, mut killed) = (0, 0);
    while Instant::now() < until {
        let updates = "src/1.0.0/plugin.toml";
        let versions = [text(&folder, "src/new/plugin.toml"), text(&folder, "src/1.1.0/plugin.toml")];
        let args: &[&str] = match random.below(7) {
            0 => &["install", "src/1.1.0", "--allow", "stats:io"],
            1 => &["install", "src/2.0.0", "--allow", "stats:io"],
            2 => &["install", "src/reader", "--allow", "reader:filesystem=read:data"],
            3 => &["uninstall", "reader"],
            4 => &["uninstall", "stats@>=1.1"],
            5 => &["install", "--replace", "src/2.0.0", "--deny", "stats:io"],
            _ => {
                folder.write(updates, &versions[usize::try_from(random.below(2)).unwrap()]);
                &["update", "--allow", "stats:io", "--allow", "stats:env=LANG"]
            }
        };
        // Most of the time it is over in a few milliseconds.
        let wait = Duration::from_micros(random.below(30_000));
        rounds += 1;
        killed += u32::from(kill_after(&folder, args, wait));
        is_sound(&folder, project, &format!("{} for {wait:?}", args.join(" ")));
    }
    eprintln!("{rounds} {killed}");
    assert!(rounds > 5 && killed > 0, "{rounds} rounds, {killed} killed");
    // The next one cleans up.
    folder.run(&["install", "-q", "src/2.0.0", "--deny", "stats:io", "--replace"]).gives(0, "", &[]);
    for name in names(&store) {
        assert!(name == ".caraway.lock" || !name.starts_with('.'), "{name} is left");
    }
    for name in names(folder.path()).iter().chain(&names(&folder.path().join("home/.config/caraway"))) {
        assert!(!name.starts_with(".caraway"), "{name} is left");
    }
    is_sound(&folder, project, "the last one");
    if project {
        assert!(!text(&folder, "caraway.lock").contains("[before]"));
    }
}

#[test]
fn killed_in_a_project() {
    killed_at_any_moment(true, 1);
}

#[test]
fn killed_elsewhere() {
    killed_at_any_moment(false, 2);
}

#[test]
fn the_second_waits_for_the_first() {
    let folder = Folder::new(&[APP]);
    plugin(&folder, "src/stats", "stats", "1.0.0", "");
    plugin(&folder, "src/other", "other", "1.0.0", "");
    folder.run(&["pack", "-q", "src/stats", "-o", "a.zip"]).gives(0, "", &[]);
    let archive: &'static [u8] = std::fs::read(folder.path().join("a.zip")).unwrap().leak();
    // A server that answers when it is told to.
    let (asked, is_asked) = mpsc::channel();
    let (go, may_go) = mpsc::channel::<()>();
    let gates: &'static _ = Box::leak(Box::new((asked, std::sync::Mutex::new(may_go))));
    let url = serve(move |_, stream| {
        gates.0.send(()).unwrap();
        gates.1.lock().unwrap().recv().unwrap();
        send(stream, "200 OK", archive);
    });
    let start = |args: &[&str]| {
        folder
            .command(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let first = start(&["install", &format!("{url}/a.zip")]);
    is_asked.recv().unwrap();
    let mut second = start(&["install", "src/other"]);
    let mut lines = BufReader::new(second.stderr.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    let holder = format!("caraway install (process {})", first.id());
    assert!(line.starts_with(&format!("caraway: waiting for {holder}, which is changing ")), "{line}");
    // Whoever only looks does not wait, and sees the old state.
    folder.run(&["run", "app.rhai"]).gives(4, "", &["E0401"]);
    folder.run(&["list"]);
    assert!(second.try_wait().unwrap().is_none());
    go.send(()).unwrap();
    let first = Ran::of(&["the first"], first.wait_with_output().unwrap());
    first.shows(0, &["installed stats 1.0.0"]);
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    let second = Ran::of(&["the second"], second.wait_with_output().unwrap());
    second.shows(0, &["installed other 1.0.0"]);
    folder.run(&["run", "app.rhai"]).gives(0, "stats 1.0.0\n", &[]);
}

/// Fails to install, and shows that runs go on.
#[track_caller]
fn cannot_install(folder: &Folder, environment: &[(&str, &std::path::Path)], parts: &[&str]) {
    let run = |args: &[&str]| {
        let mut command = folder.command(args);
        command.envs(environment.iter().copied());
        Ran::of(args, command.output().unwrap())
    };
    let ran = run(&["install", "src/stats"]);
    ran.gives(8, "", parts);
    assert!(ran.stderr.contains("help: "), "{ran}");
    run(&["run", "plain.rhai"]).gives(0, "1\n", &[]);
    run(&["install", "-q", "src/stats", "--into", "own"]).gives(0, "", &[]);
    run(&["run", "app.rhai", "--plugin-path", "own"]).gives(0, "stats 1.0.0\n", &[]);
    run(&["uninstall", "-q", "stats", "--into", "own"]).gives(0, "", &[]);
}

#[track_caller]
fn stats() -> Folder {
    let folder = Folder::new(&[APP, ("plain.rhai", "print(1);"), ("file", "")]);
    plugin(&folder, "src/stats", "stats", "1.0.0", "");
    folder
}

#[test]
fn homes_that_cannot_be_written_to() {
    let folder = stats();
    let path = folder.path();
    let blocked = [
        "error[E0801]: cannot write ",
        "caraway/plugins",
        "choose another folder for plugins with `--into DIR`",
    ];
    cannot_install(&folder, &[("HOME", &path.join("file"))], &blocked);
    cannot_install(&folder, &[("XDG_DATA_HOME", &path.join("file"))], &blocked);
    // One that is not there is made.
    let mut command = folder.command(&["install", "-q", "src/stats"]);
    let output = command.env("HOME", path.join("not/there")).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(path.join("not/there/.local/share/caraway/plugins/stats@1.0.0").is_dir());
    // The answer cannot be kept: nothing is installed.
    reader(&folder, "src/reader", "1.0.0", "");
    let args = ["install", "src/reader", "--allow", "reader:filesystem=read:data"];
    let ran =
        Ran::of(&args, folder.command(&args).env("XDG_CONFIG_HOME", path.join("file")).output().unwrap());
    ran.gives(8, "", &["error[E0801]", "trust.toml", "install it without: --deny reader:filesystem"]);
    assert_eq!(names(&path.join(USERS)), [".caraway.lock"]);
}

#[test]
fn without_a_home() {
    let folder = stats();
    if !rustix::process::getuid().is_root() {
        eprintln!("skipped: only root can be somebody who has no home");
        return;
    }
    use std::os::unix::process::CommandExt;
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let run = |args: &[&str]| {
        let mut command = folder.command(args);
        // A user whom the system does not know.
        command.env_remove("HOME").uid(54_321).gid(54_321);
        match command.output() {
            Ok(output) => Some(Ran::of(args, output)),
            Err(error) => {
                eprintln!("skipped: the binary is not for other users: {error}");
                None
            }
        }
    };
    let Some(ran) = run(&["run", "plain.rhai"]) else { return };
    ran.gives(0, "1\n", &[]);
    let ran = run(&["install", "src/stats"]).unwrap();
    ran.gives(8, "", &["error[E0801]: there is no home folder to install into", "`--into DIR`"]);
    run(&["install", "-q", "src/stats", "--into", "own"]).unwrap().gives(0, "", &[]);
    run(&["run", "app.rhai", "--plugin-path", "own"]).unwrap().gives(0, "stats 1.0.0\n", &[]);
    run(&["uninstall", "-q", "stats", "--into", "own"]).unwrap().gives(0, "", &[]);
    reader(&folder, "src/reader", "1.0.0", "");
    let flag = ["--allow", "reader:filesystem=read:data"];
    let ran = run(&[&["install", "src/reader", "--into", "own"], &flag[..]].concat()).unwrap();
    ran.gives(8, "", &["there is no home folder to remember the answer in", "--deny"]);
    run(&["install", "-q", "src/reader", "--into", "own", "--deny", "filesystem"]).unwrap().gives(0, "", &[]);
    run(&[&["run", "read.rhai", "--plugin-path", "own"], &flag[..]].concat()).unwrap().gives(
        0,
        "1.0.0 secret\n",
        &[],
    );
    // A project is its own place.
    folder.write("caraway.toml", "");
    std::fs::set_permissions(folder.path().join("caraway.toml"), PermissionsExt::from_mode(0o666)).unwrap();
    run(&["install", "-q", "src/stats"]).unwrap().gives(0, "", &[]);
    run(&["run", "app.rhai", "--locked"]).unwrap().gives(0, "stats 1.0.0\n", &[]);
}

#[test]
fn a_full_disk() {
    for project in [false, true] {
        let folder = stats();
        if project {
            folder.write("caraway.toml", "");
        }
        folder.run(&["install", "-q", "src/stats"]).gives(0, "", &[]);
        let before = project.then(|| (text(&folder, "caraway.toml"), text(&folder, "caraway.lock")));
        plugin(&folder, "src/stats", "stats", "1.1.0", "");
        folder.write("src/stats/large.txt", &"x".repeat(200_000));
        // No file may be larger than 64 KiB, which a process is told as of a full disk.
        let line = format!("trap '' XFSZ; ulimit -f 128; exec {} \"$@\"", env!("CARGO_BIN_EXE_caraway"));
        for args in [&["install", "src/stats"][..], &["update"]] {
            let mut shell = std::process::Command::new("/bin/sh");
            shell.args(["-c", &line, "sh"]).args(args).current_dir(folder.path()).env_clear();
            let ran = Ran::of(args, shell.env("HOME", folder.path().join("home")).output().unwrap());
            assert_eq!(ran.code, Some(8), "{ran}");
            for part in ["error[E0801]", "cannot write", "large.txt", "is there room on the disk?"] {
                assert!(ran.stderr.contains(part), "{ran}");
            }
            folder.run(&["run", "app.rhai"]).gives(0, "stats 1.0.0\n", &[]);
            let store = folder.path().join(if project { "plugins" } else { USERS });
            assert_eq!(names(&store), [".caraway.lock", "stats@1.0.0"]);
            assert_eq!(
                project.then(|| (text(&folder, "caraway.toml"), text(&folder, "caraway.lock"))),
                before
            );
        }
    }
}

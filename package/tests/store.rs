//! Stores: placing, replacing, removing, waiting, and being killed in the middle of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are tests")]

use caraway_loaders_core::Code;
use caraway_loaders_core::checksum::Digest;
use caraway_package::source::Fetched;
use caraway_package::store::{Locked, Outcome, Placed, RECORD, Record, Staging, Store};
use semver::Version;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What the child of the test that kills it finds its store in.
const CHILD: &str = "CARAWAY_PACKAGE_TEST_STORE";

/// How many files a plugin has that is placed again and again.
const FILES: usize = 8;

fn record(version: &str) -> Record {
    Record {
        name: "demo".to_owned(),
        version: Version::parse(version).unwrap(),
        source: "/src/demo.tar.gz".to_owned(),
        archive: Some(Digest::of(b"demo")),
    }
}

fn lock(store: &Store) -> Locked {
    store.lock("a test", &mut |_| panic!("it is locked")).unwrap()
}

/// A staging folder with a plugin whose files all hold `content`.
fn staged(locked: &Locked, content: &str) -> (Staging, Fetched) {
    let staging = locked.stage().unwrap();
    let folder = staging.path().join("plugin");
    fs::create_dir_all(folder.join("lib")).unwrap();
    for file in 0..FILES {
        fs::write(folder.join(format!("lib/{file}")), content).unwrap();
    }
    (staging, Fetched { folder, archive: None })
}

fn place(
    locked: &Locked,
    content: &str,
    version: &str,
    replace: bool,
) -> Result<Placed, caraway_loaders_core::Error> {
    let (staging, fetched) = staged(locked, content);
    locked.place(staging, &fetched, &record(version), replace)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The one text that all files of a plugin hold.
fn content(folder: &Path) -> String {
    let texts: Vec<String> =
        (0..FILES).map(|file| fs::read_to_string(folder.join(format!("lib/{file}"))).unwrap()).collect();
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "{texts:?}");
    texts[0].clone()
}

#[test]
fn versions_stay_side_by_side() {
    let temporary = tempfile::tempdir().unwrap();
    let store = Store::new(temporary.path().join("a/b/plugins"));
    assert!(store.installed().plugins.is_empty());
    let locked = lock(&store);
    let placed = place(&locked, "one", "1.0.0", false).unwrap();
    assert_eq!((placed.outcome, &placed.folder), (Outcome::Added, &store.folder().join("demo@1.0.0")));
    assert_eq!(place(&locked, "two", "1.10.0", false).unwrap().outcome, Outcome::Added);
    assert_eq!(place(&locked, "three", "1.9.0-beta.1+x", false).unwrap().outcome, Outcome::Added);
    let inventory = store.installed();
    assert!(inventory.errors.is_empty(), "{:?}", inventory.errors);
    let versions: Vec<String> = inventory.plugins.iter().map(|p| p.record.version.to_string()).collect();
    assert_eq!(versions, ["1.0.0", "1.9.0-beta.1+x", "1.10.0"]);
    assert_eq!(inventory.plugins[0].record, record("1.0.0"));
    assert_eq!(names(store.folder()), [".caraway.lock", "demo@1.0.0", "demo@1.10.0", "demo@1.9.0-beta.1+x"]);
    assert!(locked.remove("demo", &Version::new(1, 0, 0)).unwrap());
    assert!(!locked.remove("demo", &Version::new(1, 0, 0)).unwrap());
    assert!(!locked.remove("../a", &Version::new(1, 0, 0)).unwrap());
    assert_eq!(names(store.folder()), [".caraway.lock", "demo@1.10.0", "demo@1.9.0-beta.1+x"]);
}

#[test]
fn other_contents_replace_only_when_told() {
    let temporary = tempfile::tempdir().unwrap();
    let store = Store::new(temporary.path());
    let locked = lock(&store);
    let folder = place(&locked, "one", "1.0.0", false).unwrap().folder;
    assert_eq!(place(&locked, "one", "1.0.0", true).unwrap().outcome, Outcome::Unchanged);
    let error = place(&locked, "two", "1.0.0", false).unwrap_err();
    assert_eq!(error.code(), Code::Integrity, "{error}");
    assert_eq!(content(&folder), "one");
    assert_eq!(place(&locked, "two", "1.0.0", true).unwrap().outcome, Outcome::Replaced);
    assert_eq!(content(&folder), "two");
    assert_eq!(names(store.folder()), [".caraway.lock", "demo@1.0.0"]);
    // The executable bit is content.
    let (staging, fetched) = staged(&locked, "two");
    rustix::fs::chmod(fetched.folder.join("lib/0"), 0o755.into()).unwrap();
    let outcome = locked.place(staging, &fetched, &record("1.0.0"), true).unwrap().outcome;
    assert_eq!(outcome, Outcome::Replaced);
}

#[test]
fn what_was_put_there_by_hand_is_left() {
    let temporary = tempfile::tempdir().unwrap();
    let store = Store::new(temporary.path());
    let locked = lock(&store);
    fs::create_dir(temporary.path().join("demo@1.0.0")).unwrap();
    fs::create_dir(temporary.path().join("other")).unwrap();
    fs::write(temporary.path().join("x.wasm"), "").unwrap();
    let error = locked.remove("demo", &Version::new(1, 0, 0)).unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{error}");
    assert_eq!(place(&locked, "one", "1.0.0", true).unwrap_err().code(), Code::Unavailable);
    let inventory = store.installed();
    assert!(inventory.plugins.is_empty() && inventory.errors.is_empty());
    // What is fetched must be in the staging folder.
    let fetched = Fetched { folder: temporary.path().join("other"), archive: None };
    let error = locked.place(locked.stage().unwrap(), &fetched, &record("2.0.0"), true).unwrap_err();
    assert_eq!(error.code(), Code::Internal, "{error}");
    assert_eq!(names(store.folder()), [".caraway.lock", "demo@1.0.0", "other", "x.wasm"]);
}

#[test]
fn broken_records_are_errors_and_spoil_no_others() {
    let temporary = tempfile::tempdir().unwrap();
    let store = Store::new(temporary.path());
    let locked = lock(&store);
    place(&locked, "one", "1.0.0", false).unwrap();
    let good = fs::read_to_string(temporary.path().join("demo@1.0.0").join(RECORD)).unwrap();
    for (text, why) in [
        ("", "format"),
        ("format = 2\nnew = 1", "is of the format 2"),
        ("format = 1", "name"),
        (&good.replace("name", "nom"), "nom"),
        (&good.replace("sha256:", "md5:"), "no digest"),
        (&good.replace("1.0.0", "1"), "damaged"),
        (&good, "it is that of `demo@1.0.0`"),
        (&"#".repeat(70_000), "larger than any"),
    ] {
        let folder = temporary.path().join("demo@2.0.0");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(RECORD), text).unwrap();
        let inventory = store.installed();
        assert_eq!(inventory.plugins.len(), 1);
        let [error] = inventory.errors.as_slice() else { panic!("{:?}", inventory.errors) };
        assert_eq!(error.code(), Code::Integrity);
        assert!(error.message().contains(why), "{error}, not {why}");
    }
    // It can be installed anew, and removed.
    assert_eq!(place(&locked, "two", "2.0.0", true).unwrap().outcome, Outcome::Replaced);
    assert!(locked.remove("demo", &Version::new(2, 0, 0)).unwrap());
}

#[test]
fn one_waits_and_is_told_for_whom() {
    let temporary = tempfile::tempdir().unwrap();
    let store = Store::new(temporary.path());
    let first = store.lock("caraway install (process 1)", &mut |_| panic!("it is locked")).unwrap();
    let (tell, told) = mpsc::channel();
    let other = store.clone();
    let second = std::thread::spawn(move || {
        let locked =
            other.lock("caraway install (process 2)", &mut |holder| tell.send(holder.to_owned()).unwrap());
        fs::read_to_string(locked.unwrap().stage().unwrap().path().join("../.caraway.lock")).unwrap()
    });
    assert_eq!(told.recv_timeout(Duration::from_secs(10)).unwrap(), "caraway install (process 1)");
    place(&first, "one", "1.0.0", false).unwrap();
    drop(first);
    assert_eq!(second.join().unwrap(), "caraway install (process 2)");
    assert!(told.recv().is_err(), "it is told once");
    assert_eq!(fs::read_to_string(temporary.path().join(".caraway.lock")).unwrap(), "");
}

#[test]
fn leftovers_are_removed_and_what_was_aside_comes_back() {
    let temporary = tempfile::tempdir().unwrap();
    let root = temporary.path();
    for (file, text) in [
        (".staging-abc/plugin/x", ""),
        (".removed-demo@1.0.0/x", ""),
        (".replaced-demo@2.0.0/x", "old"),
        (".replaced-demo@3.0.0/x", "old"),
        ("demo@3.0.0/x", "new"),
        (".unrelated/x", ""),
    ] {
        fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
        fs::write(root.join(file), text).unwrap();
    }
    lock(&Store::new(root));
    assert_eq!(names(root), [".caraway.lock", ".unrelated", "demo@2.0.0", "demo@3.0.0"]);
    assert_eq!(fs::read_to_string(root.join("demo@2.0.0/x")).unwrap(), "old");
    assert_eq!(fs::read_to_string(root.join("demo@3.0.0/x")).unwrap(), "new");
}

#[test]
fn a_store_that_cannot_be_written_to() {
    let temporary = tempfile::tempdir().unwrap();
    fs::write(temporary.path().join("file"), "").unwrap();
    for folder in
        [temporary.path().join("file"), temporary.path().join("file/plugins"), "/proc/plugins".into()]
    {
        let error = Store::new(&folder).lock("a test", &mut |_| {}).unwrap_err();
        assert_eq!(error.code(), Code::Io, "{error}");
        assert!(error.hint_text().is_some(), "{error}");
    }
    // The lock is no way to another file.
    let store = Store::new(temporary.path().join("plugins"));
    fs::create_dir(store.folder()).unwrap();
    std::os::unix::fs::symlink(temporary.path().join("file"), store.folder().join(".caraway.lock")).unwrap();
    assert_eq!(store.lock("a test", &mut |_| {}).unwrap_err().code(), Code::Io);
}

/// Places two contents in turns, for ever; the test below kills it.
#[test]
fn child_that_places_for_ever() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let store = Store::new(folder);
    for turn in 0_u64.. {
        let locked = store.lock("a child", &mut |_| {}).unwrap();
        place(&locked, &format!("turn {turn}"), "1.0.0", true).unwrap();
        if turn % 5 == 4 {
            locked.remove("demo", &Version::new(1, 0, 0)).unwrap();
        }
    }
}

#[test]
fn killed_at_any_moment_the_old_or_the_new_state_is_there() {
    let temporary = tempfile::tempdir().unwrap();
    let store = Store::new(temporary.path());
    let folder = temporary.path().join("demo@1.0.0");
    let started = Instant::now();
    place(&lock(&store), "turn before", "1.0.0", false).unwrap();
    let usual = started.elapsed();
    let (mut round, mut worked) = (0_u32, false);
    // At least for a second, and until a child got somewhere; where that takes too long, something is wrong.
    while started.elapsed() < Duration::from_secs(1) || !worked {
        assert!(started.elapsed() < Duration::from_secs(60), "the child never placed anything");
        round += 1;
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_places_for_ever", "--nocapture"])
            .env(CHILD, temporary.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Until it is at work; then for a time that is another one in each round.
        let deadline = Instant::now() + Duration::from_secs(30);
        while fs::read_to_string(temporary.path().join(".caraway.lock")).unwrap_or_default().is_empty() {
            assert!(Instant::now() < deadline, "the child does nothing");
            std::thread::yield_now();
        }
        std::thread::sleep(usual * (round * 7 % 20) / 5);
        child.kill().unwrap();
        child.wait().unwrap();
        // What is shown is whole, before anything is cleaned up.
        let inventory = store.installed();
        assert!(inventory.errors.is_empty(), "{:?}", inventory.errors);
        if folder.exists() {
            assert_eq!(inventory.plugins.len(), 1);
            worked |= content(&folder) != "turn before";
        } else {
            // It was removed.
            worked = true;
        }
        drop(lock(&store));
        assert!(names(temporary.path()).iter().all(|name| name == ".caraway.lock" || name == "demo@1.0.0"));
    }
}

/// Needs to mount a file system; where that is not allowed, there is nothing to see.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_leaves_what_was_there() {
    struct Mounted<'a>(&'a Path);
    impl Drop for Mounted<'_> {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(self.0).status();
        }
    }
    let temporary = tempfile::tempdir().unwrap();
    let mount = |size: &str| {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", size, "none"]).arg(temporary.path()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !mount("size=128k") {
        return;
    }
    let _mounted = Mounted(temporary.path());
    let store = Store::new(temporary.path());
    let locked = lock(&store);
    let folder = place(&locked, "one", "1.0.0", false).unwrap().folder;
    let (staging, fetched) = staged(&locked, "two");
    while fs::write(fetched.folder.join(format!("lib/x{}", rand(&fetched.folder))), [0; 4096]).is_ok() {}
    let error = locked.place(staging, &fetched, &record("1.0.0"), true).unwrap_err();
    assert_eq!(error.code(), Code::Io, "{error}");
    assert!(error.hint_text().unwrap().contains("make room"), "{error}");
    assert_eq!(content(&folder), "one");
    assert_eq!(names(temporary.path()), [".caraway.lock", "demo@1.0.0"]);
    drop(locked);
}

/// A name that is not taken.
#[cfg(target_os = "linux")]
fn rand(folder: &Path) -> usize {
    fs::read_dir(folder.join("lib")).unwrap().count()
}

//! Archives that are refused whole.

#![cfg(feature = "install")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

#[path = "../../package/tests/support/mod.rs"]
mod archives;
mod common;
mod packages;

use archives::{MANIFEST, Tar, Zipped, good_tar, gz, zip, zipped, zst};
use common::Folder;
use packages::{USERS, names, plugin, serve_folder};

fn demo() -> Tar {
    Tar::default().file("plugin.json", MANIFEST).file("main.rhai", "fn f() { 1 }")
}

/// A zip of the same, and one more entry.
fn demo_and(entry: Zipped) -> Vec<u8> {
    zip(&[zipped("plugin.json", MANIFEST), zipped("main.rhai", "fn f() { 1 }"), entry])
}

/// Zeros, of which a megabyte packs into a kilobyte.
fn bomb() -> Vec<u8> {
    demo().entry(b'0', b"bomb", &vec![0; 40 << 20]).end()
}

#[test]
fn hostile_archives() {
    let folder = Folder::new(&[]);
    plugin(&folder, "src/stats", "stats", "1.0.0", "");
    folder.run(&["install", "-q", "src/stats"]).gives(0, "", &[]);
    let url = serve_folder(folder.path());
    let link = |kind: u8, to: &'static [u8]| {
        demo().with(kind, b"link", b"", move |header| header[157..157 + to.len()].copy_from_slice(to)).end()
    };
    let mode = |mode: u32| demo_and(Zipped { mode, ..zipped("odd", "x") });
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("up.tar", demo().file("../evil", "x").end(), "leaves its folder with `..`"),
        ("absolute.tar", demo().file("/tmp/evil", "x").end(), "absolute path"),
        ("symlink.tar", link(b'2', b"/etc/passwd"), "link"),
        ("hardlink.tar", link(b'1', b"main.rhai"), "link"),
        ("device.tar", demo().entry(b'3', b"null", b"").end(), "device"),
        ("pipe.tar", demo().entry(b'6', b"pipe", b"").end(), "pipe"),
        ("twice.tar", demo().file("main.rhai", "fn f() { 2 }").end(), "twice"),
        ("case.tar", demo().file("Main.rhai", "x").end(), "same as `main.rhai` on some systems"),
        (
            "setuid.tar",
            demo().with(b'0', b"su", b"x", |header| header[100..108].copy_from_slice(b"0004755\0")).end(),
            "set",
        ),
        ("bomb.tar.gz", gz(&bomb()), "times as large"),
        ("bomb.tar.zst", zst(&bomb()), "times as large"),
        ("cut.tar.gz", gz(&good_tar())[..100].to_vec(), ""),
        (
            "many.tar.gz",
            gz(&(0..10_001).fold(demo(), |tar, i| tar.file(&format!("f{i}"), "")).end()),
            "10000",
        ),
        ("up.zip", demo_and(zipped("a/../../evil", "x")), "leaves its folder with `..`"),
        ("absolute.zip", demo_and(zipped("/tmp/evil", "x")), "absolute path"),
        ("drive.zip", demo_and(zipped("C:/evil", "x")), "`:`"),
        ("symlink.zip", mode(0o120_777), "link"),
        ("device.zip", mode(0o020_644), ""),
        ("setuid.zip", mode(0o104_755), "set"),
        ("twice.zip", demo_and(zipped("main.rhai", "x")), "twice"),
        ("case.zip", demo_and(zipped("PLUGIN.json", "x")), "on some systems"),
        ("bomb.zip", demo_and(Zipped { content: vec![0; 40 << 20], ..zipped("bomb", "") }), "times as large"),
        ("liar.zip", demo_and(Zipped { crc: Some(1), ..zipped("liar", "x") }), ""),
    ];
    let store = folder.path().join(USERS);
    let before = archives::tree(&store);
    for (name, bytes, why) in cases {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        let remote = format!("{url}/{name}");
        for source in [name, &remote] {
            let ran = folder.run(&["install", source]);
            ran.gives(3, "", &["error[E0311]", "archive is refused", why, name]);
            assert!(!ran.stderr.contains("staging"), "{ran}");
            assert_eq!(archives::tree(&store), before, "{name}");
            assert_eq!(names(&store), [".caraway.lock", "stats@1.0.0"], "{name}");
        }
    }
    assert!(!folder.path().join("evil").exists() && !folder.path().join(USERS).join("evil").exists());
    folder.write("app.rhai", "import \"stats\" as s;\nprint(s::version());");
    folder.run(&["run", "app.rhai"]).gives(0, "stats 1.0.0\n", &[]);
}

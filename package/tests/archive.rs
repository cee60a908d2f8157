//! Archives: good ones are unpacked, and one bad entry refuses the whole.
#![cfg(feature = "archive")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are tests")]

mod support;

use caraway_loaders_core::{Code, Error};
use caraway_package::archive::{Limits, check, unpack};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use support::{MANIFEST, Tar, Zipped, good_tar, gz, tree, zip, zip_with, zipped, zst};

fn unpacked(bytes: &[u8], limits: &Limits) -> Result<(Vec<String>, PathBuf), Error> {
    let staging = tempfile::tempdir().unwrap();
    let folder = unpack(&mut Cursor::new(bytes), Path::new("x.archive"), staging.path(), limits)?;
    let folder = folder.strip_prefix(staging.path()).unwrap().to_owned();
    Ok((tree(staging.path()), folder))
}

#[track_caller]
fn refused(bytes: &[u8], why: &str) {
    refused_within(bytes, &Limits::default(), why);
}

#[track_caller]
fn refused_within(bytes: &[u8], limits: &Limits, why: &str) {
    let error = unpacked(bytes, limits).expect_err("it is accepted");
    assert_eq!(error.code(), Code::ArchiveRefused, "{error}");
    assert!(error.message().contains(why), "{error}, not {why}");
    assert_eq!(error.location().unwrap().file, Path::new("x.archive"));
    let checked =
        check(&mut Cursor::new(bytes), Path::new("x.archive"), limits).expect_err("a check accepts it");
    assert_eq!(checked.message(), error.message());
}

/// Refuses an entry of this name as a tar and as a zip.
#[track_caller]
fn name_refused(name: &str, why: &str) {
    refused(&Tar::default().file("plugin.json", MANIFEST).file(name, "x").end(), why);
    refused(&zip(&[zipped("plugin.json", MANIFEST), zipped(name, "x")]), why);
}

/// Refuses entries of these names together as a tar and as a zip. One that ends with `/` is a folder.
#[track_caller]
fn names_refused(names: &[&str], why: &str) {
    let mut tar = Tar::default();
    for name in names {
        tar = if name.ends_with('/') { tar.folder(name) } else { tar.file(name, "x") };
    }
    refused(&tar.end(), why);
    let entries: Vec<Zipped> =
        names.iter().map(|name| zipped(name, if name.ends_with('/') { "" } else { "x" })).collect();
    refused(&zip(&entries), why);
}

#[test]
fn good_archives_are_unpacked_in_every_format() {
    let files = [
        "demo-1.2.0/main.rhai 644 fn f() { 1 }\n".to_owned(),
        format!("demo-1.2.0/plugin.json 644 {MANIFEST}"),
    ];
    let zipped_tree = [
        zipped("demo-1.2.0/", ""),
        zipped("demo-1.2.0/plugin.json", MANIFEST),
        Zipped { deflate: false, ..zipped("demo-1.2.0/main.rhai", "fn f() { 1 }\n") },
    ];
    for bytes in [good_tar(), gz(&good_tar()), zst(&good_tar()), zip(&zipped_tree)] {
        let (found, folder) = unpacked(&bytes, &Limits::default()).unwrap();
        assert_eq!(found, files);
        assert_eq!(folder, Path::new("demo-1.2.0"));
    }
}

#[test]
fn the_plugin_is_the_root_or_its_only_folder() {
    let root = |tar: Tar| unpacked(&tar.end(), &Limits::default()).map(|(_, folder)| folder);
    let tar = Tar::default;
    assert_eq!(root(tar().file("plugin.toml", "").file("src/x", "")).unwrap(), Path::new(""));
    assert_eq!(root(tar().folder("./").file("./plugin.json", "").file("./a/b", "")).unwrap(), Path::new(""));
    assert_eq!(root(tar().file("x.wasm", "")).unwrap(), Path::new(""));
    assert_eq!(root(tar().file("a/plugin.json", "").file(".note", "")).unwrap(), Path::new("a"));
    refused(&tar().file("a/plugin.json", "").file("b/plugin.json", "").end(), "it has no plugin");
    refused(&tar().file("a", "").file("b", "").end(), "it has no plugin");
    refused(&tar().end(), "it is neither a zip nor a tar");
    refused(&zip(&[]), "it has no plugin");
    refused(b"", "it is neither a zip nor a tar");
    refused(b"<html>", "it is neither a zip nor a tar");
}

#[test]
fn long_names_and_modes_are_kept() {
    let long = format!("{}/plugin.json", "x".repeat(120));
    let gnu = Tar::default().entry(b'L', b"././@LongLink", format!("{long}\0").as_bytes()).file(&long, "1");
    let pax = Tar::default()
        .pax(b'g', &[("comment", "0123")])
        .pax(b'x', &[("path", &long), ("size", "1"), ("mtime", "1.5"), ("SCHILY.xattr.user.a", "b")])
        .file("short", "1");
    for tar in [gnu, pax] {
        let (found, _) = unpacked(&tar.end(), &Limits::default()).unwrap();
        assert_eq!(found, [format!("{long} 644 1")]);
    }
    for (mode, kept) in
        [(*b"0000777\0", "755"), (*b"0000666\0", "644"), (*b"0000500\0", "755"), (*b"0000011\0", "644")]
    {
        let tar = Tar::default().with(b'0', b"plugin.json", b"", |h| h[100..108].copy_from_slice(&mode));
        assert_eq!(unpacked(&tar.end(), &Limits::default()).unwrap().0, [format!("plugin.json {kept} ")]);
    }
    let (found, _) =
        unpacked(&zip(&[Zipped { mode: 0o100_700, ..zipped("plugin.json", "") }]), &Limits::default())
            .unwrap();
    assert_eq!(found, ["plugin.json 755 "]);
}

#[test]
fn names_that_leave_the_folder_or_mean_another() {
    for (name, why) in [
        ("../x", "`../x` leaves its folder with `..`"),
        ("a/../../x", "`..`"),
        ("..", "`..`"),
        ("a/./b", "`.`"),
        ("/etc/passwd", "absolute"),
        ("C:/x", "`:`"),
        ("a\\..\\x", "backslash"),
        ("a\u{1b}[2J", "`a\\u{1b}[2J` has a control"),
        ("a\nb", "`a\\nb` has a control"),
        ("a\u{202e}txt", "`a\\u{202e}txt` has an invisible"),
        ("a//b", "empty name"),
        ("nul.txt", "device"),
        ("a./b", "dot or a space"),
        ("b ", "dot or a space"),
    ] {
        name_refused(name, why);
    }
    for (name, why) in [
        ("x".repeat(256), "longer than 255"),
        ("xyz/".repeat(256) + "x", "longer than 1024"),
        ("a/".repeat(40) + "x", "deeper than 32"),
    ] {
        let gnu = Tar::default().entry(b'L', b"L", name.as_bytes()).file("x", "");
        refused(&gnu.end(), why);
        refused(&Tar::default().pax(b'x', &[("path", &name)]).file("x", "").end(), why);
        refused(&zip(&[zipped(&name, "")]), why);
    }
    refused(&Tar::default().entry(b'0', b"a\xff", b"").end(), "not UTF-8");
    refused(&zip(&[Zipped { name: b"a\xff".to_vec(), flags: 1 << 11, ..zipped("", "") }]), "not UTF-8");
    let unmarked = Zipped { flags: 0, ..zipped("\u{fc}", "") };
    assert!(unpacked(&zip(std::slice::from_ref(&unmarked)), &Limits::default()).is_ok());
    refused(&zip(&[Zipped { change_central: |c| c[5] = 0, ..unmarked }]), "not marked as UTF-8");
    refused(&zip(&[zipped("a\0b", "")]), "NUL");
    refused(&Tar::default().entry(b'L', b"L", b"a\0b\0").file("x", "").end(), "NUL");
    refused(&zip(&[zipped("", "")]), "empty name");
    refused(&Tar::default().file("", "").end(), "empty name");
}

#[test]
fn names_that_collide() {
    for (names, why) in [
        (&["a", "a"][..], "`a` is there twice"),
        (&["a/", "a/"], "`a/` is there twice"),
        (&["a", "A"], "the same as `a` on some systems"),
        (&["A/x", "a/y"], "the same as `A` on some systems"),
        (&["\u{e9}", "e\u{301}"], "on some systems"),
        (&["\u{df}", "\u{1e9e}"], "on some systems"),
        (&["a", "a/b"], "lies in a file"),
        (&["a/b", "a"], "a file and a folder"),
        (&["a", "a/"], "a file and a folder"),
    ] {
        names_refused(names, why);
    }
}

#[test]
fn what_is_no_file_or_folder() {
    for (kind, why) in [
        (b'1', "`x` is a hard link"),
        (b'2', "`x` is a symbolic link"),
        (b'3', "is a device"),
        (b'4', "is a device"),
        (b'6', "is a pipe"),
        (b'7', "unknown type '7'"),
        (b'S', "is a sparse file"),
        (b'K', "is a link"),
        (b'D', "unknown type 'D'"),
        (b'V', "unknown type"),
        (b'M', "unknown type"),
        (b'Z', "unknown type"),
        (0xff, "unknown type"),
    ] {
        refused(&Tar::default().entry(kind, b"x", b"").end(), why);
    }
    for (mode, why) in [
        (0o120_777, "`x` is a symbolic link"),
        (0o020_644, "is a device"),
        (0o060_644, "is a device"),
        (0o010_644, "is a pipe"),
        (0o140_644, "is a socket"),
        (0o040_755, "is a folder with the name of a file"),
        (0o110_000, "is of an unknown type"),
    ] {
        refused(&zip(&[Zipped { mode, ..zipped("x", "") }]), why);
    }
    refused(&zip(&[Zipped { mode: 0o100_644, ..zipped("x/", "") }]), "is a file with the name of a folder");
    refused(
        &zip(&[Zipped { change_central: |c| c[38] = 0x10, ..zipped("x", "") }]),
        "is a folder with the name of a file",
    );
    refused(&zip(&[zipped("x/", "content")]), "is a folder with content");
    refused(&Tar::default().entry(b'0', b"x/", b"").end(), "is a file with the name of a folder");
    refused(&Tar::default().entry(b'5', b"x/", b"content").end(), "is a folder with content");
    for records in [[("GNU.sparse.major", "1")], [("linkpath", "/etc")], [("hdrcharset", "BINARY")]] {
        refused(&Tar::default().pax(b'x', &records).file("x", "").end(), "`pax` ");
    }
}

#[test]
fn special_bits() {
    for bits in [0o4000, 0o2000, 0o1000] {
        let change = |h: &mut [u8]| h[100..108].copy_from_slice(format!("{:07o}\0", bits | 0o755).as_bytes());
        refused(&Tar::default().with(b'0', b"x", b"", change).end(), "`x` has a setuid");
        refused(&Tar::default().with(b'5', b"x/", b"", change).end(), "`x/` has a setuid");
        refused(&zip(&[Zipped { mode: 0o100_755 | bits, ..zipped("x", "") }]), "`x` has a setuid");
    }
}

#[test]
fn tars_that_contradict_themselves() {
    let tar = Tar::default;
    for (bytes, why) in [
        (
            tar().entry(b'L', b"L", b"a\0").pax(b'x', &[("path", "b")]).file("c", "").end(),
            "two names that differ",
        ),
        (tar().entry(b'L', b"L", b"a\0").entry(b'L', b"L", b"b\0").file("c", "").end(), "two long names"),
        (
            tar().pax(b'x', &[("path", "a")]).pax(b'x', &[("path", "a")]).file("c", "").end(),
            "two pax headers",
        ),
        (tar().pax(b'x', &[("path", "a"), ("path", "b")]).file("c", "").end(), "`path` twice"),
        (tar().pax(b'x', &[("size", "512")]).file("c", "").end(), "two sizes that differ"),
        (tar().pax(b'x', &[("size", "+1")]).file("c", "x").end(), "malformed"),
        (tar().pax(b'g', &[("path", "a")]).file("c", "").end(), "one name or size"),
        (tar().entry(b'x', b"x", b"9 path").file("c", "").end(), "malformed"),
        (tar().entry(b'x', b"x", b"99 path=a\n").file("c", "").end(), "malformed"),
        (tar().entry(b'x', b"x", b"10 path=a\n\n").file("c", "").end(), "malformed"),
        (tar().entry(b'L', b"L", b"a\0").end(), "belongs to no entry"),
        (tar().entry(b'L', b"L", &[b'a'; 70_000]).file("c", "").end(), "more than 65536 bytes"),
        (tar().with(b'0', b"c", b"", |h| h[124..136].copy_from_slice(b"zzzzzzzzzzz\0")).end(), "damaged"),
        (tar().file("c", "").0, "truncated"),
        (tar().file("c", "").raw(&[0; 512]).0, "truncated"),
        (tar().file("c", "").raw(&[0; 512]).file("d", "").end(), "goes on after its end"),
        ([tar().file("c", "").end(), tar().file("d", "").end()].concat(), "goes on after its end"),
        ([tar().file("c", "").end(), b"x".to_vec()].concat(), "goes on after its end"),
    ] {
        refused(&bytes, why);
        refused(&gz(&bytes), why);
        refused(&zst(&bytes), why);
    }
    let mut wrong = good_tar();
    wrong[0] ^= 1;
    refused(&wrong, "checksum is wrong");
    refused(&[gz(&good_tar()), b"what is this".to_vec()].concat(), "damaged");
    refused(&[zst(&good_tar()), b"what is this".to_vec()].concat(), "damaged");
    // Zeros after the end belong to it: tars are padded.
    assert!(unpacked(&[good_tar(), vec![0; 10_240]].concat(), &Limits::default()).is_ok());
}

#[test]
fn zips_that_contradict_themselves() {
    let good = || zipped("plugin.json", MANIFEST);
    for (entry, why) in [
        (Zipped { change_local: |l| l[30] = b'q', ..good() }, "two names that differ"),
        (Zipped { change_local: |l| l[6] ^= 2, ..good() }, "flags that differ"),
        (Zipped { change_local: |l| l[8] ^= 8, ..good() }, "a method that differ"),
        (Zipped { change_local: |l| l[14] ^= 1, ..good() }, "sizes or a checksum that differ"),
        (Zipped { change_local: |l| l[18] ^= 1, ..good() }, "sizes or a checksum that differ"),
        (Zipped { change_local: |l| l[22] ^= 1, ..good() }, "sizes or a checksum that differ"),
        (Zipped { change_central: |c| c[0] ^= 1, ..good() }, "directory is damaged"),
        (Zipped { change_central: |c| c[28] ^= 0x40, ..good() }, "directory is damaged"),
        (Zipped { change_central: |c| c[34] = 1, ..good() }, "another part"),
        (Zipped { change_central: |c| c[42] = 1, ..good() }, "belong to no entry"),
        (Zipped { flags: 1, ..good() }, "is encrypted"),
        (Zipped { flags: 1 << 13, ..good() }, "is encrypted"),
        (Zipped { flags: 1 << 5, ..good() }, "flags that are unknown"),
        (Zipped { change_central: |c| c[10] = 12, ..good() }, "method 12"),
        (Zipped { crc: Some(7), ..good() }, "checksum is wrong"),
        (Zipped { crc: Some(7), deflate: false, ..good() }, "checksum is wrong"),
        (Zipped { after: b"hidden".to_vec(), ..good() }, "belong to no entry"),
        (Zipped { flags: 8, after: vec![1; 12], ..good() }, "sizes after it that differ"),
        (Zipped { flags: 8, ..good() }, "sizes after it that differ"),
        (Zipped { local_extra: vec![1, 0, 0, 0], ..good() }, "64 bits"),
        (Zipped { central_extra: vec![1, 0, 0, 0], ..good() }, "64 bits"),
        (Zipped { local_extra: vec![9, 9, 9], ..good() }, "malformed"),
        (
            Zipped { central_extra: vec![0x75, 0x70, 6, 0, 1, 0, 0, 0, 0, b'q'], ..good() },
            "two names that differ",
        ),
    ] {
        refused(&zip(&[entry]), why);
    }
    let elsewhere = Zipped { change_local: |l| l[0] ^= 1, ..good() };
    refused(&zip(&[zipped("a", "x"), elsewhere]), "not where the directory says");
    // A size that both headers agree on, and the content does not.
    let shorter = Zipped { change_local: |l| l[22] -= 1, change_central: |c| c[24] -= 1, ..good() };
    refused(&zip(&[shorter]), "does not have the size");
    let longer = Zipped { change_local: |l| l[22] += 1, change_central: |c| c[24] += 1, ..good() };
    refused(&zip(&[longer]), "truncated");
    let two =
        Zipped { deflate: false, change_local: |l| l[22] += 1, change_central: |c| c[24] += 1, ..good() };
    refused(&zip(&[two]), "two sizes");
    // Two names for one content.
    let same = [zipped("a", "x"), Zipped { change_central: |c| c[42..46].fill(0), ..zipped("b", "x") }];
    refused(&zip(&same), "overlaps another entry");
    let into_next =
        Zipped { change_local: |l| l[18] += 9, change_central: |c| c[20] += 9, ..zipped("a", "x") };
    refused(&zip(&[into_next, zipped("b", "x")]), "overlaps another entry");
    type Change = fn(&mut Vec<u8>);
    let ends: [(Change, &str); 7] = [
        (|end| end[4] = 1, "part of an archive"),
        (|end| end[8] = 2, "part of an archive"),
        (|end| end[8..12].fill(2), "directory is damaged"),
        (|end| end[8..12].fill(0xff), "zip64"),
        (|end| end[12] += 1, "not where it should be"),
        (|end| end.push(0), "something after its end"),
        (
            |end| {
                end[20] = 22;
                end.extend([&b"PK\x05\x06"[..], &[0; 18]].concat())
            },
            "two ends",
        ),
    ];
    for (change, why) in ends {
        refused(&zip_with(&[good()], change), why);
    }
    let descriptor = |signature: &[u8]| {
        let plain = zip(&[good()]);
        let values = plain[14..26].to_vec();
        let after = [signature, &values].concat();
        zip(&[Zipped { flags: 8, change_local: |l| l[14..26].fill(0), after, ..good() }])
    };
    for signature in [&b""[..], b"PK\x07\x08"] {
        assert!(unpacked(&descriptor(signature), &Limits::default()).is_ok());
    }
}

#[test]
fn bombs() {
    let limits = Limits {
        entries: 3,
        file_bytes: 1000,
        unpacked_bytes: 5000,
        archive_bytes: 9000,
        ..Limits::default()
    };
    let files = |count: usize, size: usize| {
        let content = "x".repeat(size);
        let names: Vec<String> = (0..count).map(|i| format!("f/{i}")).collect();
        let tar = names.iter().fold(Tar::default(), |tar, name| tar.file(name, &content)).end();
        let zip = zip(&names.iter().map(|name| zipped(name, &content)).collect::<Vec<_>>());
        [tar.clone(), gz(&tar), zst(&tar), zip]
    };
    for bytes in files(4, 1) {
        refused_within(&bytes, &limits, "more than 3 ");
    }
    // Folders that have no entries count, too.
    for bytes in [Tar::default().file("a/b/c/d", "").end(), zip(&[zipped("a/b/c/d", "")])] {
        refused_within(&bytes, &limits, "more than 3 files and folders");
    }
    let limits = Limits { entries: 4, ..limits };
    for bytes in files(1, 1001) {
        refused_within(&bytes, &limits, "`f/0` has more than 1000 bytes");
    }
    let small = Limits { unpacked_bytes: 2000, ..limits.clone() };
    for bytes in files(3, 900) {
        refused_within(&bytes, &small, "more than 2000 bytes");
    }
    let narrow = Limits { ratio: 2, ratio_from: 1000, ..limits.clone() };
    for bytes in &files(3, 900)[1..] {
        refused_within(bytes, &narrow, "more than 2 times as large");
    }
    // Zeros after the end are counted, too.
    let endless = gz(&[good_tar(), vec![0; 100_000]].concat());
    refused_within(&endless, &limits, "more than 5000 bytes");
    refused_within(&vec![b'x'; 9001], &limits, "more than 9000 bytes");
    // A real one, at the limits that are in force.
    let bomb = gz(&Tar::default().entry(b'0', b"plugin.json", &vec![0; 20 << 20]).end());
    refused(&bomb, "more than 200 times as large");
    // A size that there are no bytes for is not believed.
    let huge = Tar::default().with(b'0', b"x", b"", |h| h[124..136].copy_from_slice(b"77777777777\0"));
    refused(&huge.end(), "`x` has more than");
    let huge = Tar::default().with(b'0', b"x", b"", |h| {
        h[124..136].copy_from_slice(b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff")
    });
    refused(&huge.end(), "`x` has ");
}

/// A window that is larger than allowed, in a frame of its own making.
#[test]
fn a_zstd_window_is_bounded() {
    // Magic, a header without a content size, a window of 2^(10 + 20) bytes, a last raw block of no bytes.
    refused(b"\x28\xb5\x2f\xfd\x00\xa0\x01\x00\x00", "damaged");
}

fn tiny() -> Vec<Vec<u8>> {
    let tar = Tar::default().file("plugin.json", "{}").end();
    vec![gz(&tar), zst(&tar), zip(&[zipped("plugin.json", "{}"), zipped("a/", "")]), tar]
}

#[test]
fn every_prefix_is_refused() {
    for bytes in tiny() {
        assert!(unpacked(&bytes, &Limits::default()).is_ok());
        for end in 0..bytes.len() {
            let result = check(&mut Cursor::new(&bytes[..end]), Path::new("x"), &Limits::default());
            assert_eq!(result.expect_err("a part is accepted").code(), Code::ArchiveRefused, "{end}");
        }
    }
}

#[test]
fn every_flipped_byte_is_survived() {
    for bytes in tiny() {
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flip;
                if let Err(error) = check(&mut Cursor::new(&bytes), Path::new("x"), &Limits::default()) {
                    assert_eq!(error.code(), Code::ArchiveRefused, "{at}: {error}");
                }
            }
        }
    }
}

#[test]
fn the_folder_must_be_empty_and_there() {
    let staging = tempfile::tempdir().unwrap();
    std::fs::write(staging.path().join("x"), "").unwrap();
    for folder in [staging.path().to_owned(), staging.path().join("missing")] {
        let error =
            unpack(&mut Cursor::new(good_tar()), Path::new("x"), &folder, &Limits::default()).unwrap_err();
        assert_eq!(error.code(), Code::Io, "{error}");
    }
}

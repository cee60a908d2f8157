//! `std/fs` against real folders.

mod support;

use caraway_loaders_core::Code::{Denied, Io, Memory};
use caraway_loaders_core::capability::Asks;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use support::Bench;

#[test]
fn what_is_granted_works() {
    let bench = Bench::new(&["filesystem=work"]);
    bench.file("work/a.txt", "héllo");
    for (script, expected) in [
        ("fs::read_text(\"work/a.txt\")", "\"héllo\""),
        ("fs::read_bytes(\"work/a.txt\").len", "6"),
        ("fs::exists(\"work/a.txt\")", "true"),
        ("fs::exists(\"work\")", "true"),
        ("fs::exists(\"work/none\")", "false"),
        ("fs::exists(\"work/none/deeper\")", "false"),
        ("fs::exists(\"work/a.txt/deeper\")", "false"),
        ("fs::create_dir(\"work/new/deep\")", "()"),
        ("fs::create_dir(\"work/new/deep\")", "()"),
        ("fs::write_text(\"work/new/b.txt\", \"one\")", "()"),
        ("fs::write_text(\"work/./x/../new/b.txt\", \"two\\n\")", "()"),
        ("fs::append_text(\"work/new/b.txt\", \"three\")", "()"),
        ("fs::read_text(\"work/new/b.txt\")", "\"two\\nthree\""),
        ("fs::append_text(\"work/new/c.txt\", \"made\")", "()"),
        ("fs::write_bytes(\"work/new/d\", blob(3, 255))", "()"),
        ("fs::read_bytes(\"work/new/d\")", "[ffffff]"),
        ("fs::list(\"work/new\")", "[\"b.txt\", \"c.txt\", \"d\", \"deep\"]"),
        ("fs::list(\"work\")", "[\"a.txt\", \"new\"]"),
        ("fs::metadata(\"work/a.txt\").size", "6"),
        ("fs::metadata(\"work/a.txt\").is_file", "true"),
        ("fs::metadata(\"work\").is_dir", "true"),
        ("fs::metadata(\"work/a.txt\").modified > 1e9", "true"),
        ("fs::remove(\"work/new/d\")", "()"),
        ("fs::remove(\"work/new/deep\")", "()"),
        ("fs::exists(\"work/new/deep\")", "false"),
    ] {
        bench.gives(script, expected);
    }
    assert_eq!(fs::read_dir(bench.path("work/new")).unwrap().count(), 2, "no temporary file is left");
}

#[test]
fn what_is_not_granted_names_the_flag() {
    let bench = Bench::new(&["filesystem=read:data"]);
    bench.file("data/x", "").file("other/x", "secret").file("datax/x", "secret");
    for (script, flag) in [
        ("fs::read_text(\"other/x\")", "read:other/x"),
        ("fs::read_text(\"data/../other/x\")", "read:other/x"),
        ("fs::read_text(\"datax/x\")", "read:datax/x"),
        ("fs::read_text(\"/etc/hostname\")", "read:/etc/hostname"),
        ("fs::exists(\"other/x\")", "read:other/x"),
        ("fs::exists(\"other/none\")", "read:other/none"),
        ("fs::metadata(\"other\")", "read:other"),
        ("fs::list(\".\")", "read:."),
        ("fs::write_text(\"data/x\", \"\")", "write:data/x"),
        ("fs::append_text(\"data/x\", \"\")", "write:data/x"),
        ("fs::write_bytes(\"data/x\", blob())", "write:data/x"),
        ("fs::create_dir(\"data/new\")", "write:data/new"),
        ("fs::remove(\"data/x\")", "write:data/x"),
    ] {
        let error = bench.fails(script, Denied, "the program may not");
        assert_eq!(error.hint_text(), Some(&*format!("run with `--allow filesystem={flag}`")), "{script}");
        assert_eq!(error.location().unwrap().line, 1);
    }
    assert_eq!(fs::read_dir(bench.path("data")).unwrap().count(), 1);
}

#[test]
fn a_plugin_needs_both_keys() {
    let mut asks = Asks::default();
    asks.add("filesystem", Some(&serde_json::json!({"read": ["data/mine", "data/link"]}))).unwrap();
    let bench = Bench::new(&["stats:filesystem=read:data"]).plugin("stats", asks);
    bench.file("data/mine/x", "mine").file("data/other/x", "").file("outside/x", "secret");
    bench.link("../outside", "data/link").link("../other/x", "data/mine/over");
    bench.gives("fs::read_text(\"data/mine/x\")", "\"mine\"");
    bench.gives("fs::list(\"data/mine\")", "[\"over\", \"x\"]");
    bench.fails("fs::read_text(\"data/other/x\")", Denied, "its manifest does not ask for it");
    // What a manifest asks for does not widen what was granted, nor the other way round.
    bench.fails("fs::read_text(\"data/link/x\")", Denied, "leads out of the granted folder");
    bench.fails("fs::read_text(\"data/mine/over\")", Denied, "leads out of the granted folder");
}

#[test]
fn links_do_not_lead_out() {
    let bench = Bench::new(&["filesystem=box"]);
    bench.file("box/in/x", "inside").file("out/x", "outside");
    bench
        .link("../out", "box/dir")
        .link("../out/x", "box/file")
        .link(bench.path("out/x"), "box/absolute")
        .link("../../out/new", "box/in/dangling")
        .link("loop", "box/loop")
        .link("in/x", "box/within");
    bench.gives("fs::read_text(\"box/within\")", "\"inside\"");
    for script in [
        "fs::read_text(\"box/dir/x\")",
        "fs::read_text(\"box/file\")",
        "fs::read_text(\"box/absolute\")",
        "fs::list(\"box/dir\")",
        "fs::exists(\"box/file\")",
        "fs::metadata(\"box/dir\")",
        "fs::write_text(\"box/dir/x\", \"!\")",
        "fs::append_text(\"box/file\", \"!\")",
        "fs::append_text(\"box/in/dangling\", \"!\")",
        "fs::create_dir(\"box/dir/new\")",
        "fs::remove(\"box/dir/x\")",
    ] {
        bench.fails(script, Denied, "leads out of the granted folder");
    }
    bench.fails("fs::read_text(\"box/loop\")", Io, "cannot read `box/loop`");
    // Writing whole files and removing act on the link itself.
    bench.gives("fs::write_text(\"box/file\", \"new\")", "()");
    bench.gives("fs::read_text(\"box/file\")", "\"new\"");
    bench.gives("fs::remove(\"box/dir\")", "()");
    assert_eq!(fs::read_to_string(bench.path("out/x")).unwrap(), "outside");
    assert_eq!(fs::read_dir(bench.path("out")).unwrap().count(), 1);
}

#[test]
fn a_folder_that_becomes_a_link_leads_nowhere() {
    let bench = Bench::new(&["filesystem=box"]);
    bench.file("box/real/x", "inside").file("out/x", "outside");
    bench.link("../out", "box/link");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (real, link, swap) = (bench.path("box/real"), bench.path("box/link"), bench.path("box/swap"));
            while !done.load(Ordering::Relaxed) {
                fs::rename(&real, &swap).unwrap();
                fs::rename(&link, &real).unwrap();
                fs::rename(&real, &link).unwrap();
                fs::rename(&swap, &real).unwrap();
            }
        });
        let engine = bench.engine();
        let ast = engine
            .compile(
                "let seen = [0, 0, 0];
                for i in 0..3000 {
                    try {
                        if fs::read_text(\"box/real/x\") == \"inside\" { seen[0] += 1; } else { seen[2] += 1; }
                    } catch { seen[1] += 1; }
                    try { fs::write_text(\"box/real/y\", \"\"); } catch { }
                }
                seen",
            )
            .unwrap();
        let seen = engine.eval_ast::<rhai::Array>(&ast);
        done.store(true, Ordering::Relaxed);
        let seen: Vec<i64> = seen.unwrap().into_iter().map(|count| count.as_int().unwrap()).collect();
        assert_eq!(seen.iter().sum::<i64>(), 3000);
        assert_eq!(seen[2], 0, "{seen:?}");
    });
    assert_eq!(fs::read_dir(bench.path("out")).unwrap().count(), 1);
}

#[test]
fn denials_hold_by_every_name() {
    let bench = Bench::new(&["filesystem"]).deny("filesystem=secret").deny("filesystem=read:box/one");
    bench.file("secret/x", "hidden").file("box/one", "hidden").file("box/two", "seen");
    bench.link("../secret", "box/link").link("one", "box/alias").link("box", "other");
    fs::hard_link(bench.path("box/one"), bench.path("box/hard")).unwrap();
    bench.gives("fs::read_text(\"box/two\")", "\"seen\"");
    bench.gives("fs::write_text(\"box/three\", \"\")", "()");
    bench.gives("fs::append_text(\"box/three\", \"3\")", "()");
    bench.gives("fs::list(\"box\").len", "6");
    bench.gives("fs::exists(\"box/none/deeper\")", "false");
    bench.gives("fs::create_dir(\"box/new/deep\")", "()");
    for script in [
        "fs::read_text(\"secret/x\")",
        "fs::read_text(\"box/link/x\")",
        "fs::read_text(\"box/one\")",
        "fs::read_text(\"box/alias\")",
        "fs::read_text(\"box/hard\")",
        "fs::read_text(\"other/one\")",
        "fs::list(\"box/link\")",
        "fs::write_text(\"box/link/y\", \"\")",
        "fs::append_text(\"box/link/x\", \"\")",
        "fs::create_dir(\"box/link/new\")",
        "fs::remove(\"box/link/x\")",
    ] {
        bench.fails(script, Denied, "");
    }
    // A denied folder above the granted one, by another name.
    let bench = Bench::new(&["filesystem=alias/in"]).deny("filesystem=real");
    bench.file("real/in/x", "hidden").link("real", "alias");
    bench.fails("fs::read_text(\"alias/in/x\")", Denied, "`--deny filesystem=real` forbids it");
    let bench = Bench::new(&["filesystem"]).deny("filesystem");
    bench.file("x", "");
    bench.fails("fs::read_text(\"x\")", Denied, "`--deny filesystem` forbids it");
}

#[test]
fn a_single_file_can_be_granted() {
    let bench = Bench::new(&["filesystem=read:data/x", "filesystem=write:out.html", "filesystem=read:link"]);
    bench.file("data/x", "x").file("data/y", "y").file("elsewhere/z", "z").link("elsewhere/z", "link");
    bench.gives("fs::read_text(\"data/x\")", "\"x\"");
    bench.gives("fs::write_text(\"out.html\", \"page\")", "()");
    bench.gives("fs::read_text(\"link\")", "\"z\"");
    bench.fails("fs::read_text(\"data/y\")", Denied, "not granted");
    bench.fails("fs::read_text(\"out.html\")", Denied, "not granted");
    bench.fails("fs::read_text(\"data/x/y\")", Io, "cannot read `data/x/y`");
    assert_eq!(fs::read_to_string(bench.path("out.html")).unwrap(), "page");
}

#[test]
fn a_granted_folder_can_be_made() {
    let bench = Bench::new(&["filesystem=a/b"]);
    bench.fails("fs::write_text(\"a/b/x\", \"\")", Io, "cannot write `a/b/x`");
    bench.gives("fs::exists(\"a/b/x\")", "false");
    bench.gives("fs::create_dir(\"a/b/c\")", "()");
    bench.gives("fs::write_text(\"a/b/x\", \"\")", "()");
    let bench = Bench::new(&["filesystem=a"]);
    bench.gives("fs::create_dir(\"a\")", "()");
    bench.gives("fs::list(\"a\")", "[]");
}

#[test]
fn with_everything_granted_links_may_lead_anywhere() {
    let bench = Bench::new(&["filesystem"]);
    bench.file("real/x", "x").link(bench.path("real"), "absolute");
    bench.gives("fs::read_text(\"absolute/x\")", "\"x\"");
    bench.gives("fs::create_dir(\"absolute/new/deep\")", "()");
    bench.gives("fs::write_text(\"absolute/new/y\", \"y\")", "()");
    bench.gives("fs::list(\"/\").len > 0", "true");
    bench.gives("fs::metadata(\"/\").is_dir", "true");
    bench.fails("fs::write_text(\"/\", \"\")", Io, "cannot write `/`");
    bench.fails("fs::remove(\"real\")", Io, "cannot remove `real`");
    assert_eq!(fs::read_to_string(bench.path("real/new/y")).unwrap(), "y");
}

#[test]
fn files_that_are_not_what_they_say() {
    let bench = Bench::new(&["filesystem=.", "filesystem=/dev", "filesystem=/proc"]);
    bench.file("folder/x", "").file("invalid", b"ok\xff").file("empty", "");
    let fifo = rustix::fs::mknodat(
        rustix::fs::CWD,
        bench.path("fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    );
    fifo.unwrap();
    bench.gives("fs::read_text(\"empty\")", "\"\"");
    bench.gives("fs::read_bytes(\"invalid\").len", "3");
    for (script, code, message) in [
        ("fs::read_text(\"invalid\")", Io, "byte 2 is not UTF-8"),
        ("fs::read_text(\"folder\")", Io, "`folder` is a folder"),
        ("fs::write_text(\"folder\", \"\")", Io, "`folder` is a folder"),
        ("fs::append_text(\"folder\", \"\")", Io, "`folder` is a folder"),
        ("fs::list(\"empty\")", Io, "cannot list `empty`"),
        ("fs::create_dir(\"empty\")", Io, "cannot create `empty`"),
        ("fs::create_dir(\"empty/x\")", Io, "cannot create `empty/x`"),
        ("fs::remove(\"folder\")", Io, "cannot remove `folder`"),
        ("fs::remove(\"none\")", Io, "cannot remove `none`"),
        ("fs::read_text(\"fifo\")", Io, "neither a file nor a folder"),
        ("fs::write_text(\"fifo\", \"\")", Io, "neither a file nor a folder"),
        ("fs::append_text(\"fifo\", \"\")", Io, "neither a file nor a folder"),
        ("fs::read_text(\"/dev/zero\")", Io, "neither a file nor a folder"),
        ("fs::write_text(\"/dev/null\", \"\")", Io, "neither a file nor a folder"),
        ("fs::read_text(\"\")", Io, "the path is empty"),
        ("fs::read_text(\"a\\x00b\")", Io, "NUL"),
        ("fs::read_text(\"none\\u001b\")", Io, "none\\u{1b}"),
    ] {
        bench.fails(script, code, message);
    }
    if cfg!(target_os = "linux") {
        for path in ["/proc/self/environ", "/proc/self/maps", "/proc/thread-self/environ"] {
            bench.fails(&format!("fs::read_text(\"{path}\")"), Denied, "shows a process from within");
        }
        bench.fails("fs::append_text(\"/proc/self/mem\", \"x\")", Denied, "shows a process from within");
    }
    bench.gives("fs::remove(\"fifo\")", "()");
}

#[test]
fn a_name_that_is_not_text_is_told() {
    use std::os::unix::ffi::OsStrExt;
    let bench = Bench::new(&["filesystem=."]);
    if fs::write(bench.folder.join(std::ffi::OsStr::from_bytes(b"bad\xff")), "").is_ok() {
        bench.fails("fs::list(\".\")", Io, "is not UTF-8");
    }
}

#[test]
fn sizes_are_bounded() {
    let mut bench = Bench::new(&["filesystem=."]);
    bench.file("huge", "");
    fs::File::options().write(true).open(bench.path("huge")).unwrap().set_len(1_000_000_000_000).unwrap();
    bench.file("ten", "0123456789");
    bench.fails("fs::read_text(\"huge\")", Memory, "larger than 268435456 bytes");
    bench.fails("fs::read_bytes(\"huge\")", Memory, "larger than 16777216 bytes");
    bench.gives("fs::metadata(\"huge\").size", "1000000000000");
    bench.limits.string_size = Some(9);
    bench.limits.array_size = Some(9);
    bench.fails("fs::read_text(\"ten\")", Memory, "`ten` is larger than 9 bytes");
    bench.fails("fs::read_bytes(\"ten\")", Memory, "`ten` is larger than 9 bytes");
    bench.limits.string_size = Some(10);
    bench.gives("fs::read_text(\"ten\").len", "10");
    bench.limits.array_size = Some(1);
    bench.fails("fs::list(\".\")", Memory, "more than 1 names");
}

#[test]
fn writing_keeps_permissions_and_other_names() {
    let bench = Bench::new(&["filesystem=box"]);
    bench.file("box/x", "old").file("out/secret", "old");
    fs::set_permissions(bench.path("box/x"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::hard_link(bench.path("out/secret"), bench.path("box/hard")).unwrap();
    bench.gives("fs::write_text(\"box/x\", \"new\")", "()");
    assert_eq!(fs::metadata(bench.path("box/x")).unwrap().permissions().mode() & 0o777, 0o640);
    bench.fails("fs::append_text(\"box/hard\", \"!\")", Denied, "has other names");
    bench.gives("fs::write_text(\"box/hard\", \"new\")", "()");
    assert_eq!(fs::read_to_string(bench.path("out/secret")).unwrap(), "old");
}

#[test]
fn a_script_can_catch_a_refusal() {
    let bench = Bench::new(&[]);
    bench.gives("{ let c = (); try { fs::read_text(\"x\") } catch (e) { c = e.code; } c }", "\"E0501\"");
}

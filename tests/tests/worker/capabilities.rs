//! What a sandboxed native plugin may do is what it asks for and is granted; the kernel holds it to that.

use crate::host::Host;
use crate::plugins::{Code, Session};
use caraway::Code::{NotEnforced, PluginFailed};
use std::net::TcpListener;

/// By Landlock.
const DENIED: &str = "Permission denied";

/// By the filter of system calls.
const FORBIDDEN: &str = "Operation not permitted";

/// A script's text.
fn quoted(path: &std::path::Path) -> String {
    format!("{:?}", path.to_str().unwrap())
}

#[track_caller]
fn fails(plugin: &Session, call: &str, why: &str) {
    plugin.fails(&format!("m::{call}"), PluginFailed, &[why]);
}

#[test]
fn files_are_what_is_granted() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for path in ["in/a", "out/secret", "deep/in/a"] {
        std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        std::fs::write(root.join(path), "text").unwrap();
    }
    std::os::unix::fs::symlink(root.join("out/secret"), root.join("in/link")).unwrap();
    std::os::unix::fs::symlink(root.join("out"), root.join("in/folder")).unwrap();
    let at = |path: &str| quoted(&root.join(path));
    let grant = |how: &str, path: &str| format!("filesystem={how}:{}", root.join(path).display());

    let nothing = Code::C.asking("", &[], &[]);
    let ungranted = Code::C.asking("\"filesystem\"", &[], &[]);
    for plugin in [&nothing, &ungranted] {
        fails(plugin, &format!("read_file({})", at("in/a")), DENIED);
        fails(plugin, &format!("write_file({})", at("in/new")), DENIED);
        fails(plugin, "read_file(\"/etc/shadow\")", DENIED);
        fails(plugin, &format!("read_file(\"/proc/{}/environ\")", std::process::id()), DENIED);
    }

    let reader = Code::C.asking("\"filesystem\"", &[grant("read", "in")], &[]);
    reader.same(&format!("m::read_file({})", at("in/a")), "\"text\"");
    for path in ["in/../out/secret", "in/link", "in/folder/secret", "out/secret"] {
        fails(&reader, &format!("read_file({})", at(path)), DENIED);
    }
    fails(&reader, &format!("write_file({})", at("in/a")), DENIED);
    fails(&reader, &format!("write_file({})", at("in/new")), DENIED);

    let writer = Code::C.asking("\"filesystem\"", &[grant("write", "in")], &[]);
    drop(writer.eval(&format!("m::write_file({})", at("in/new"))).unwrap());
    assert_eq!(std::fs::read_to_string(root.join("in/new")).unwrap(), "written");
    drop(writer.eval(&format!("m::link_file({}, {})", at("out/secret"), at("in/made"))).unwrap());
    for path in ["in/../out/new", "in/made", "in/link", "in/folder/new", "out/new"] {
        fails(&writer, &format!("write_file({})", at(path)), DENIED);
    }
    assert_eq!(std::fs::read_to_string(root.join("out/secret")).unwrap(), "text");
    assert!(!root.join("out/new").exists());

    // A folder of its own is always there, and gone afterwards.
    drop(nothing.eval("m::write_file(m::variable(\"TMPDIR\") + \"/mine\")").unwrap());
    nothing.same("m::read_file(m::variable(\"TMPDIR\") + \"/mine\")", "\"written\"");
    let own = nothing.eval("m::variable(\"TMPDIR\")").unwrap().into_string().unwrap();
    drop((nothing, ungranted, reader, writer));
    assert!(!std::path::Path::new(&own).exists(), "{own}");
    host.is_clean();
}

#[test]
fn variables_are_what_is_granted() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    // Cargo sets both.
    let (asked, other) = ("CARGO_PKG_NAME", "CARGO_PKG_VERSION");
    assert!([asked, other].iter().all(|name| std::env::var_os(name).is_some()), "run this with cargo");
    let asks = format!("{{ env = {{ names = [\"{asked}\"] }} }}");
    for (asks, allow, visible) in
        [("", &[][..], false), (&asks, &[], false), (&asks, &[format!("env={asked}")], true)]
    {
        let plugin = Code::C.asking(asks, allow, &[]);
        let value = if visible { "caraway-tests" } else { "none" };
        plugin.same(&format!("m::variable(\"{asked}\")"), &format!("\"{value}\""));
        for name in [other, "PATH", "HOME"] {
            plugin.same(&format!("m::variable(\"{name}\")"), "\"none\"");
        }
        let all = plugin.eval("m::read_file(\"/proc/self/environ\")").unwrap().into_string().unwrap();
        let names: Vec<&str> =
            all.split_terminator('\0').map(|line| line.split('=').next().unwrap()).collect();
        let expected = if visible { vec![asked, "TMPDIR"] } else { vec!["TMPDIR"] };
        assert_eq!(names, expected, "{all:?}");
    }
    host.is_clean();
}

#[test]
fn sockets_and_programs_are_what_is_granted() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (reach, start) = (format!("reach({port})"), "start()");
    for (asks, allow, deny) in [
        ("", None, None),
        ("\"network\", \"process\"", None, None),
        ("", Some(["network", "process"]), None),
        ("\"network\", \"process\"", Some(["network", "process"]), Some(["network", "process"])),
    ] {
        let list =
            |grants: Option<[&str; 2]>| grants.into_iter().flatten().map(str::to_owned).collect::<Vec<_>>();
        let plugin = Code::C.asking(asks, &list(allow), &list(deny));
        fails(&plugin, &reach, FORBIDDEN);
        fails(&plugin, start, FORBIDDEN);
    }
    let both = ["network".to_owned(), "process".to_owned()];
    let plugin = Code::C.asking("\"network\", \"process\"", &both, &[]);
    drop(plugin.eval(&format!("m::{reach}")).unwrap());
    plugin.same(&format!("m::{start}"), "0");
    drop((plugin, listener));
    host.is_clean();
}

/// Nothing is let through because the kernel cannot tell it from what is granted.
#[test]
fn what_the_kernel_cannot_hold_is_refused_at_load() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("in/denied")).unwrap();
    let path = |path: &str| folder.path().join(path).display().to_string();
    for (asks, texts) in [
        ("{ network = { hosts = [\"example.com:443\"] } }", ["`network`", "ask for all of it"]),
        ("{ process = { programs = [\"git\"] } }", ["`process`", "ask for all of it"]),
        ("\"io\"", ["prints", "remove `io`"]),
    ] {
        let errors = Code::C.asking(asks, &[], &[]).errors();
        let told = format!("{errors:?}");
        assert!(errors.iter().any(|error| error.code() == NotEnforced), "{asks}: {told}");
        assert!(texts.iter().all(|text| told.contains(text)), "{asks}: {told}");
    }
    for (asks, allow, deny, texts) in [
        ("\"network\"", "network=example.com:443".to_owned(), None, ["some hosts", "ask for all of it"]),
        ("\"process\"", "process=git".to_owned(), None, ["some programs", "ask for all of it"]),
        (
            "\"filesystem\"",
            format!("filesystem=read:{}", path("in")),
            Some(format!("filesystem=read:{}", path("in/denied"))),
            ["cannot deny", "grant folders that hold nothing that is denied"],
        ),
    ] {
        let deny: Vec<String> = deny.into_iter().collect();
        Code::C.asking(asks, &[allow], &deny).refused(NotEnforced, &texts);
    }
    host.is_clean();
}

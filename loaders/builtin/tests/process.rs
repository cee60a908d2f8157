//! `std/process`, with programs that every Unix has.

mod support;

use caraway_loaders_core::Code::{
    self, ArgumentType, Deadline, Denied, Io, Memory, PluginFailed, ValueRefused,
};
use caraway_loaders_core::budget::{Cancel, Meter};
use caraway_loaders_core::capability::Asks;
use caraway_loaders_core::limits::Limits;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};
use support::Bench;
use support::processes::gone;

/// Far more than any of this takes, and far less than what the programs here would sleep.
const SOON: Duration = Duration::from_secs(20);

/// A call that runs a shell's script.
fn sh(script: &str) -> String {
    format!("process::run(\"/bin/sh\", [\"-c\", {script:?}])")
}

/// The same with options.
fn sh_with(script: &str, options: &str) -> String {
    format!("process::run_with(\"/bin/sh\", [\"-c\", {script:?}], {options})")
}

fn shell() -> Bench {
    Bench::new(&["process=/bin/sh"])
}

#[test]
fn what_a_program_gives() {
    let bench = shell();
    for (call, expected) in [
        (sh("exit 0"), r##"#{"signal": (), "status": 0, "stderr": "", "stdout": ""}"##),
        (
            sh("echo out; echo err >&2; exit 3"),
            r##"#{"signal": (), "status": 3, "stderr": "err\n", "stdout": "out\n"}"##,
        ),
        (sh("kill -9 $$"), r##"#{"signal": 9, "status": (), "stderr": "", "stdout": ""}"##),
        (sh("cat") + ".stdout", r#""""#),
        (sh("echo $0") + ".stdout", r#""/bin/sh\n""#),
        (sh_with("cat", "#{stdin: \"héllo\"}") + ".stdout", r#""héllo""#),
        (sh_with("cat", "#{stdin: blob(2, 0xff), bytes: true}") + ".stdout", "[ffff]"),
        (sh_with("exit 0", "#{stdin: \"nobody reads this\", check: true}") + ".status", "0"),
        (sh_with("echo a", "#{timeout: 60, max_output: 2}") + ".stdout", r#""a\n""#),
    ] {
        bench.gives(&call, expected);
    }
    let error = bench.fails(
        &sh_with("echo oh no >&2; exit 4", "#{check: true}"),
        PluginFailed,
        "ended with the status 4: oh no",
    );
    assert_eq!(error.message(), "`/bin/sh` ended with the status 4: oh no");
    bench.fails(&sh_with("kill -15 $$", "#{check: true}"), PluginFailed, "was ended by the signal 15");
    bench.fails(
        &sh("printf 'a\\377'"),
        PluginFailed,
        "the stdout of `/bin/sh` is not UTF-8 text, from byte 1",
    );
}

#[test]
fn options_that_make_no_sense() {
    let bench = shell();
    for (options, code, problem) in [
        ("#{stdn: \"\"}", ArgumentType, "`options` has `stdn`, which is no option"),
        ("#{shell: true}", ArgumentType, "`options` has `shell`, which is no option"),
        ("#{stdin: 1}", ArgumentType, "must have string or bytes as `stdin`, found int"),
        ("#{env: [\"A\"]}", ArgumentType, "must have map<string> as `env`, found array"),
        ("#{env: #{A: 1}}", ArgumentType, "must have string as `env.A`, found int"),
        ("#{check: 1}", ArgumentType, "must have bool as `check`"),
        ("#{timeout: \"1s\"}", ArgumentType, "must have float as `timeout`"),
        ("#{timeout: -1}", ValueRefused, "has -1 seconds as `timeout`"),
        ("#{timeout: 0}", ValueRefused, "has 0 seconds as `timeout`"),
        ("#{timeout: 0.0 / 0.0}", ValueRefused, "has NaN seconds as `timeout`"),
        ("#{max_output: -1}", ValueRefused, "has -1 as `max_output`, which must be 0 to 268435456"),
        (
            "#{max_output: 268435457}",
            ValueRefused,
            "has 268435457 as `max_output`, which must be 0 to 268435456",
        ),
    ] {
        bench.fails(&sh_with("exit 0", options), code, problem);
    }
    bench.fails("process::run(\"/bin/sh\", [1])", ArgumentType, "found int at `[0]`");
}

#[test]
fn programs_that_cannot_be_started() {
    let bench = Bench::new(&["process"]);
    bench.file("plain", "text").file("script", "#!/bin/sh\necho ran");
    fs::set_permissions(bench.path("script"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = |name: &str| bench.path(name).display().to_string();
    bench.gives(&format!("process::run({:?}, []).stdout", path("script")), r#""ran\n""#);
    for (program, code, problem) in [
        (path("none"), Io, "there is no program"),
        (path("plain"), Io, "is no file that may be executed"),
        (path(""), Io, "is no file that may be executed"),
        ("no-such-program-anywhere".to_owned(), Io, "in the folders of the host's PATH"),
        // What lies in the current directory is not found by its name.
        ("Cargo.toml".to_owned(), Io, "in the folders of the host's PATH"),
        ("./script".to_owned(), ValueRefused, "is a relative path"),
        ("a/../sh".to_owned(), ValueRefused, "is a relative path"),
        (String::new(), ValueRefused, "name is empty"),
    ] {
        bench.fails(&format!("process::run({program:?}, [])"), code, problem);
    }
    for nul in ["process::run(\"/bin/sh\\x00\", [])", "process::run(\"/bin/sh\", [\"a\", \"b\\x00\"])"] {
        bench.fails(nul, ValueRefused, "holds a NUL character");
    }
}

#[test]
fn programs_and_arguments_are_granted() {
    let bench = Bench::new(&["process=/bin/echo a *,/bin/echo b"]);
    for (args, open) in [
        ("\"a\", \"x\"", true),
        ("\"b\"", true),
        ("\"a\"", false),
        ("\"a\", \"x\", \"y\"", false),
        ("\"b\", \"c\"", false),
        ("", false),
    ] {
        let call = format!("process::run(\"/bin/echo\", [{args}]).status");
        if open {
            bench.gives(&call, "0");
        } else {
            bench.fails(&call, Denied, "the program may not start `/bin/echo");
        }
    }
    let error =
        bench.fails("process::run(\"sh\", [\"-c\", \"echo 'hi, you'\"])", Denied, "it is not granted");
    let hint =
        error.hint_text().unwrap().strip_prefix("run with `").unwrap().trim_end_matches('`').to_owned();
    // The flag works as it is printed, as a shell takes it.
    let flag = shlex::split(&hint).unwrap();
    let [allow, rule] = &*flag else { panic!("{hint}") };
    assert_eq!(allow, "--allow");
    Bench::new(&[rule]).gives("process::run(\"sh\", [\"-c\", \"echo 'hi, you'\"]).stdout", r#""hi, you\n""#);
    Bench::new(&[rule]).fails("process::run(\"sh\", [\"-c\", \"echo\"])", Denied, "it is not granted");
}

#[test]
fn a_plugin_needs_both_keys() {
    let plugin = |asked: serde_json::Value, allow: &str| {
        let mut asks = Asks::default();
        asks.add("process", Some(&asked)).unwrap();
        Bench::new(&[allow]).plugin("stats", asks)
    };
    let asked = json!({"programs": ["/bin/sh -c 'exit *'"]});
    let call = "process::run(\"/bin/sh\", [\"-c\", \"exit 0\"]).status";
    plugin(asked.clone(), "process=/bin/sh").gives(call, "0");
    plugin(asked.clone(), "stats:process").gives(call, "0");
    plugin(asked.clone(), "other:process").fails(call, Denied, "it is not granted");
    plugin(asked, "process").fails(&sh("echo"), Denied, "its manifest does not ask for it");
    let error = Bench::new(&["process"]).plugin("stats", Asks::default()).fails(
        call,
        Denied,
        "plugin `stats` may not start",
    );
    assert_eq!(
        error.hint_text(),
        Some(
            "add `{\"process\":{\"programs\":[\"/bin/sh -c 'exit 0'\"]}}` to `capabilities` in the manifest of `stats`"
        )
    );
}

#[test]
fn what_is_denied_is_denied_by_other_names() {
    let link = Bench::new(&["process"]);
    let target = fs::canonicalize("/bin/echo").unwrap();
    link.link(&target, "other-name");
    let path = link.path("other-name").display().to_string();
    link.gives(&format!("process::run({path:?}, []).status"), "0");
    for denied in [target.to_str().unwrap(), &path, "other-name"] {
        let bench = Bench::new(&["process"]).deny(&format!("process={denied}"));
        bench.fails(
            &format!("process::run({path:?}, [])"),
            Denied,
            &format!("`--deny process={denied}` forbids it"),
        );
    }
    Bench::new(&["process"]).deny("process=sh").fails(&sh("exit 0"), Denied, "forbids it");
}

#[test]
fn the_environment_is_what_was_granted() {
    // Cargo sets these for tests.
    let own = "tr '\\0' '\\n' < /proc/$$/environ";
    let bench = shell();
    bench.gives(&(sh(own) + ".stdout"), r#""""#);
    bench.fails(
        &sh_with("exit 0", "#{env: #{LD_PRELOAD: \"x.so\"}}"),
        Denied,
        "may not read the environment variable `LD_PRELOAD`",
    );
    let bench = Bench::new(&["process=/bin/sh", "env=CARGO_PKG_NAME,MINE"]);
    bench.gives(&(sh(own) + ".stdout"), r#""CARGO_PKG_NAME=caraway-loaders-builtin\n""#);
    bench.gives(&(sh_with("echo $MINE", "#{env: #{MINE: \"a b\"}}") + ".stdout"), r#""a b\n""#);
    bench.gives(&(sh_with("echo $CARGO_PKG_NAME", "#{env: #{CARGO_PKG_NAME: \"\"}}") + ".stdout"), r#""\n""#);
    let all = Bench::new(&["process=/bin/sh", "env"]);
    all.gives(&(sh(own) + ".stdout.contains(\"CARGO_MANIFEST_DIR\")"), "true");
    for (env, problem) in [
        ("#{\"\": \"\"}", "which is no variable's name"),
        ("#{\"A=B\": \"\"}", "which is no variable's name"),
        ("#{A: \"\\x00\"}", "whose value holds a NUL character"),
    ] {
        all.fails(&sh_with("exit 0", &format!("#{{env: {env}}}")), ValueRefused, problem);
    }
}

#[test]
fn the_folder_is_the_programs_or_one_that_may_be_read() {
    let bench = Bench::new(&["process=/bin/sh", "filesystem=read:data"]);
    bench.file("data/sub/x", "").file("other/x", "").link("../other", "data/out");
    let pwd = |folder: &Path| format!("{:?}", format!("{}\n", folder.display()));
    bench.gives(&(sh("/bin/pwd -P") + ".stdout"), &pwd(&bench.folder));
    bench.gives(&(sh_with("/bin/pwd -P", "#{cwd: \"data/sub\"}") + ".stdout"), &pwd(&bench.path("data/sub")));
    bench.fails(&sh_with("exit 0", "#{cwd: \"other\"}"), Denied, "may not read `other`");
    bench.fails(&sh_with("exit 0", "#{cwd: \"data/out\"}"), Denied, "leads out of the granted folder");
    bench.fails(&sh_with("exit 0", "#{cwd: \"data/none\"}"), Io, "cannot enter `data/none`");
    bench.fails(&sh_with("exit 0", "#{cwd: \"data/sub/x\"}"), Io, "cannot enter `data/sub/x`");
}

#[test]
fn streams_do_not_block_each_other() {
    let bench = shell();
    // More than any pipe holds, in all directions at once.
    let call = sh_with("cat; head -c 3000000 /dev/zero >&2; cat", "#{stdin: blob(3000000, 65), bytes: true}");
    bench
        .gives(&format!("{{ let done = {call}; [done.stdout.len, done.stderr.len] }}"), "[3000000, 3000000]");
    // A program that reads nothing.
    let call = sh_with("exec 0<&-; echo done", "#{stdin: blob(3000000, 65)}");
    bench.gives(&format!("{call}.stdout"), r#""done\n""#);
}

#[test]
fn output_is_bounded() {
    let bench = shell();
    let started = Instant::now();
    bench.fails(&sh("yes"), Memory, "`/bin/sh` wrote more than 16777216 bytes");
    bench.fails(&sh_with("yes >&2", "#{max_output: 100000}"), Memory, "wrote more than 100000 bytes");
    bench.fails(&sh_with("echo", "#{max_output: 0}"), Memory, "wrote more than 0 bytes");
    bench.gives(&(sh_with("exit 0", "#{max_output: 0}") + ".status"), "0");
    assert!(started.elapsed() < SOON);
    let mut small = shell();
    small.limits.array_size = Some(1000);
    small.limits.string_size = Some(2000);
    for (bytes, size, open) in
        [(true, 900, true), (true, 1001, false), (false, 2000, true), (false, 2001, false)]
    {
        let call = sh_with(&format!("head -c {size} /dev/zero >&2"), &format!("#{{bytes: {bytes}}}"));
        if open {
            small.gives(&format!("{call}.stderr.len"), &size.to_string());
        } else {
            small.fails(&call, Memory, "the stderr of `/bin/sh` would be larger than");
        }
    }
}

#[test]
fn deadlines_kill_the_whole_group() {
    let started = Instant::now();
    // Its own: an error that can be caught. Each number of seconds is found in no other command line.
    let error = shell().fails(
        &sh_with("sleep 7101 & sleep 7101", "#{timeout: 0.05}"),
        Deadline,
        "than its `timeout` of 50ms",
    );
    assert_eq!(error.message(), "`/bin/sh` ran longer than its `timeout` of 50ms");
    gone("7101");
    // The caller's.
    let bench = shell();
    let engine = bench.engine();
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(50));
    let frame = Meter::plugin("slow", &limits).enter().unwrap();
    let script = format!("try {{ {} }} catch {{ }}", sh("sleep 7102 & sleep 7102"));
    let error = engine.run(&script).unwrap_err();
    assert_eq!(frame.settle(error).unwrap().code(), Code::Deadline);
    drop(frame);
    gone("7102");
    // Somebody's interruption.
    let cancel = Cancel::default();
    let frame = Meter::program(&Limits::PROGRAM, cancel.clone()).enter().unwrap();
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        cancel.cancel();
    });
    let error = engine.run(&sh("trap '' INT TERM; sleep 7103 & sleep 7103")).unwrap_err();
    assert_eq!(frame.settle(error).unwrap().code(), Code::Interrupted);
    canceller.join().unwrap();
    gone("7103");
    assert!(started.elapsed() < SOON);
}

#[test]
fn nobody_outlives_the_call() {
    let bench = shell();
    let started = Instant::now();
    // It keeps the pipes open, and nobody waits for it.
    bench.gives(&(sh("echo first; sleep 7104 & exit 5") + ".status"), "5");
    gone("7104");
    // One that has left the group is not waited for either, though it is not killed.
    bench.gives(&(sh("echo first; setsid sleep 2 & sleep 0.2; echo last") + ".stdout"), r#""first\nlast\n""#);
    assert!(started.elapsed() < SOON);
}

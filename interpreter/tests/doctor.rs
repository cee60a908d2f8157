//! `caraway doctor`.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Folder;
use serde_json::Value;

const STATS: &str = "name = \"stats\"\nversion = \"1.0.0\"\ntype = \"module\"\ncapabilities = [\"io\"]\n";

fn project() -> Folder {
    Folder::new(&[
        ("plugins/stats/plugin.toml", STATS),
        ("plugins/stats/main.rhai", "fn mean() { 1 } fn median() { 2 }"),
        ("caraway.toml", "[dependencies]\nstats = \"^1\"\n"),
    ])
}

#[test]
fn what_is_fine() {
    let folder = project();
    let ran = folder.run(&["doctor"]);
    ran.shows(
        0,
        &[
            "caraway      0.1.0 for ",
            "kind         module: ",
            "memory       is counted",
            "user         no caraway.toml",
            "project      caraway.toml",
            "answers      for 0 plugins and 0 projects",
            "search path  plugins (beside the program): 1 plugin",
            "/usr/local/lib/caraway/plugins (the system): not there",
            "plugin       stats@1.0.0 in plugins/stats: 2 functions; asks for io, not granted",
            "lock file    none",
        ],
    );
    folder.run(&["lock", "-q"]).gives(0, "", &[]);
    folder
        .run(&["doctor", "--allow", "io"])
        .shows(0, &["lock file    caraway.lock: 1 plugin\n", "2 functions\n"]);
    folder.run(&["doctor", "-q"]).gives(0, "", &[]);
    let value: Value = serde_json::from_str(&folder.run(&["doctor", "--format", "json"]).stdout).unwrap();
    assert_eq!((&value["ok"], &value["problems"]), (&true.into(), &serde_json::json!([])));
}

#[cfg(feature = "worker")]
#[test]
fn what_this_kernel_lacks_for_workers_is_said_with_what_helps() {
    use caraway_loaders_worker::confine::lacking;
    let ran = project().run(&["doctor", "--format", "json"]);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    let findings = value["findings"].as_array().unwrap().iter();
    let said: Vec<&str> = findings
        .filter(|finding| finding["about"] == "workers")
        .map(|finding| finding["found"].as_str().unwrap())
        .collect();
    let lacks = lacking();
    match lacks.is_empty() {
        true => assert_eq!(said, ["are held to files, ports, programs and memory by this kernel"]),
        false => assert_eq!(said, lacks.iter().map(ToString::to_string).collect::<Vec<_>>()),
    }
    let hints: Vec<&Value> = value["warnings"].as_array().unwrap().iter().map(|w| &w["hint"]).collect();
    assert!(lacks.iter().all(|lack| hints.contains(&&Value::from(lack.help))), "{ran}");
}

#[cfg(all(feature = "native", feature = "worker", target_os = "linux"))]
#[test]
fn what_runs_in_a_process_of_its_own_needs_no_grant_of_native() {
    let manifest = |sandbox: bool| {
        format!(
            "name = \"fast\"\nversion = \"1.0.0\"\ntype = \"native\"\ncapabilities = [\"native\"]\n\
             functions = [{{ name = \"f\" }}]\n[implementation]\nentrypoint = \"fast.so\"\n\
             [security]\nsandbox = {sandbox}\n"
        )
    };
    let folder = Folder::new(&[
        ("app.rhai", "import \"fast\" as f;"),
        ("plugins/fast/fast.so", "no library"),
        ("plugins/fast/plugin.toml", &manifest(false)),
    ]);
    let (here, own) = (
        "runs in         the host's process, with all of its rights",
        "runs in         a process of its own",
    );
    for (sandbox, flag, process, granted) in [
        (false, &[][..], here, "nothing"),
        (false, &["--isolate"], own, "not needed"),
        (true, &[], own, "not needed"),
        (true, &["--isolate"], own, "not needed"),
    ] {
        folder.write("plugins/fast/plugin.toml", &manifest(sandbox));
        let run = |args: &[&str]| folder.run(&[args, flag].concat());
        let asks = format!("asks for        native: all; granted: {granted}");
        run(&["info", "fast"]).shows(0, &[process, &asks]);
        let row = format!("fast@1.0.0   native      all       {granted}");
        run(&["audit", "app.rhai"]).shows(0, &[&row]);
        let needed = granted == "nothing";
        let info: Value = serde_json::from_str(&run(&["info", "fast", "--format", "json"]).stdout).unwrap();
        assert_eq!(
            (&info["isolated"], &info["capabilities"][0]["needed"]),
            (&(!needed).into(), &needed.into())
        );
        let doctor = run(&["doctor"]);
        assert_eq!(doctor.stdout.contains("asks for native, not granted"), needed, "{doctor}");
        // What is opened in a process of its own is opened without a grant.
        assert_eq!(doctor.code, Some(if needed { 0 } else { 3 }), "{doctor}");
    }
}

#[test]
fn each_problem_comes_with_what_mends_it() {
    for (file, text, code, parts) in [
        ("plugins/stats/main.rhai", "fn mean() {", 1, &["error[E0102]", "--> plugins/stats/main.rhai"][..]),
        (
            "plugins/stats/main.rhai",
            "fn mean() { 2 }",
            6,
            &["error[E0601]", "plugins/stats/main.rhai", "accepts it"],
        ),
        ("plugins/other/plugin.json", "{", 3, &["error[E0301]", "--> plugins/other/plugin.json:1:"]),
        (
            "plugins/stats/plugin.toml",
            "name = 1\n",
            3,
            &["error[E0303]", "`stats@1.0.0` is in caraway.lock", "`caraway install`"],
        ),
        ("caraway.lock", "", 6, &["error[E0602]", "`caraway lock` writes it again"]),
        ("caraway.toml", "x = 1\n", 2, &["error[E0202]", "--> caraway.toml:1:1"]),
        (
            "home/.config/caraway/caraway.toml",
            "enabled = 1\n",
            2,
            &["error[E0202]", ".config/caraway/caraway.toml"],
        ),
        ("home/.config/caraway/trust.toml", "plugin = 1\n", 2, &["error[E0202]", "what you have trusted"]),
        (
            "caraway.toml",
            "plugin_path = [\"gone\"]\n",
            8,
            &["error[E0801]", "the search path", "gone does not exist"],
        ),
    ] {
        let folder = project();
        folder.run(&["lock", "-q"]).gives(0, "", &[]);
        folder.write(file, text);
        let ran = folder.run(&["doctor"]);
        assert_eq!(ran.code, Some(code), "{file} {ran}");
        for part in parts {
            assert!(ran.stderr.contains(part), "{part:?} is not told of {file}: {ran}");
        }
        let ran = folder.run(&["doctor", "--format", "json"]);
        let value: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((&value["ok"], ran.code), (&false.into(), Some(code)), "{ran}");
    }
}

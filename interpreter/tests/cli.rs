//! The binary, as its users meet it.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::{Folder, Ran};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

const GREET: (&str, &str) = (
    "plugins/greet/plugin.toml",
    r#"
name = "greet"
version = "1.2.0"
description = "Says hello"
license = "MIT"
type = "module"
functions = [
    { name = "hello", params = [{ name = "who", type = "string" }], returns = "string", description = "A greeting" },
    { name = "fail", params = [], returns = "int" },
]
"#,
);
const GREET_MAIN: (&str, &str) =
    ("plugins/greet/main.rhai", "fn hello(who) { `hello, ${who}` }\nfn fail() { throw \"ouch\" }\n");

const READER: (&str, &str) = (
    "plugins/reader/plugin.json",
    r#"{
    "name": "reader", "version": "0.1.0", "type": "module",
    "capabilities": ["function", {"filesystem": {"read": ["data"]}}],
    "dependencies": {"std/fs": "*"},
    "functions": [{"name": "text", "params": [{"name": "path", "type": "string"}], "returns": "string"}]
}"#,
);
const READER_MAIN: (&str, &str) =
    ("plugins/reader/main.rhai", "import \"std/fs\" as fs;\nfn text(path) { fs::read_text(path) }\n");

const BROKEN: (&str, &str) = (
    "plugins/broken/plugin.json",
    "{\n  \"name\": \"broken\",\n  \"version\": \"1\",\n  \"type\": \"module\"\n}",
);

#[test]
fn exit_codes() {
    let folder = Folder::new(&[
        GREET,
        GREET_MAIN,
        BROKEN,
        ("data/x.txt", "x"),
        ("app/caraway.toml", "[limits]\noperations = 1000\n"),
    ]);
    for (path, text, code, stderr) in [
        ("fine.rhai", "let x = 1;", 0, &[][..]),
        ("exit.rhai", "exit(42);", 42, &[]),
        ("throw.rhai", "throw \"no\"", 1, &["error[E0101]: no\n", "--> throw.rhai:1:1\n"]),
        ("syntax.rhai", "let x = ;", 1, &["error[E0102]", "--> syntax.rhai:1:9\n"]),
        (
            "plugin.rhai",
            "import \"greet\" as g;\ng::fail()",
            1,
            &[
                "error[E0105]: ouch\n --> plugins/greet/main.rhai:2:13\n",
                "in `greet::fail`, called from plugin.rhai:2:4\n",
            ],
        ),
        ("broken.rhai", "import \"broken\" as b;", 3, &["error[E0303]", "plugins/broken/plugin.json:3:14"]),
        (
            "missing.rhai",
            "import \"gret\" as g;",
            4,
            &["error[E0401]", "--> missing.rhai:1:8\n", "did you mean `greet`?"],
        ),
        (
            "denied.rhai",
            "import \"std/fs\" as fs;\nfs::read_text(\"data/x.txt\")",
            5,
            &["error[E0501]", "--> denied.rhai:2:"],
        ),
        ("app/endless.rhai", "loop {}", 7, &["error[E0703]"]),
    ] {
        folder.write(path, text);
        folder.run(&["run", path]).gives(code, "", stderr);
    }
    folder.run(&["run", "no.rhai"]).gives(8, "", &["error[E0801]: cannot read no.rhai"]);
    for args in [
        &["run"][..],
        &["walk"],
        &["run", "--isolated", "fine.rhai"],
        &["run", "fine.rhai", "--alow", "io"],
        &[],
    ] {
        let ran = folder.run(args);
        assert!(ran.code == Some(2) && ran.stdout.is_empty() && ran.stderr.contains("Usage"), "{ran}");
    }
    folder.run(&["run", "fine.rhai", "--allow", "filesytem"]).gives(
        2,
        "",
        &["error[E0201]", "did you mean `filesystem`?"],
    );
    folder.run(&["run", "fine.rhai", "-q", "-v"]).gives(2, "", &["--quiet", "--verbose"]);
    folder.run(&["--help"]).shows(0, &["run", "new", "build", "list", "info", "validate", "Exit codes"]);
    folder.run(&["--version"]).shows(0, &["caraway 0."]);
}

#[test]
fn streams_are_kept_apart() {
    let folder = Folder::new(&[("a.rhai", "print(\"out\"); debug(\"err\"); throw #{a: 1}")]);
    folder.run(&["run", "a.rhai"]).gives(1, "out\n", &["a.rhai:1: \"err\"\n", "error[E0101]: #{\"a\": 1}\n"]);
}

#[test]
fn errors_show_the_source() {
    let folder = Folder::new(&[
        GREET,
        GREET_MAIN,
        ("a.rhai", "import \"greet\" as g;\nfn twice(who) {\n    g::helo(who)\n}\ntwice(1);\n"),
        ("b.rhai", "import \"greet\" as g;\nlet n = 1; g::hello(n);\n"),
        ("c.rhai", "import \"greet@^2\" as g;\n"),
    ]);
    let ran = folder.run(&["run", "a.rhai"]);
    ran.gives(
        1,
        "",
        &[
            "error[E0103]: `greet` has no function `helo`\n --> a.rhai:3:8\n  |\n3 |     g::helo(who)\n  |        ^^^^\n",
            "\n  = in `twice`, called from a.rhai:5:1\n",
            "\n  = help: did you mean `hello`?\n",
        ],
    );
    folder.run(&["run", "b.rhai"]).gives(
        1,
        "",
        &[
            "error[E0104]: argument 1 of `greet::hello`: `who` must be string, found int\n --> b.rhai:2:15\n",
            "help: the signature is `greet::hello(who: string) -> string`",
        ],
    );
    folder.run(&["run", "c.rhai"]).gives(4, "", &["error[E0402]", "--> c.rhai:1:8\n", "1.2.0"]);
}

#[test]
fn errors_for_programs() {
    let folder = Folder::new(&[("a.rhai", "print(\"out\");\nimport \"nothing\" as n;\n")]);
    for args in [&["run", "a.rhai", "--format", "json"][..], &["--format=json", "run", "a.rhai"]] {
        let ran = folder.run(args);
        let error: Value = serde_json::from_str(&ran.stderr).unwrap_or_else(|error| panic!("{error}: {ran}"));
        assert_eq!((ran.code, ran.stderr.lines().count()), (Some(4), 1), "{ran}");
        assert_eq!(error["schema_version"], 1);
        let error = &error["error"];
        assert_eq!((&error["code"], &error["exit_code"]), (&json!("E0401"), &json!(4)), "{ran}");
        assert_eq!(error["message"], "no plugin is called `nothing`");
        assert_eq!(error["location"], json!({"file": "a.rhai", "line": 2, "column": 8}));
        assert!(
            error["hint"].is_string() && error["calls"] == json!([]) && error["others"] == json!([]),
            "{ran}"
        );
    }
    let ran = folder.run(&["run", "--format", "json", "--frmat", "a.rhai"]);
    let error: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!((ran.code, &error["error"]["code"]), (Some(2), &json!("E0201")), "{ran}");
}

#[test]
fn functions_are_called() {
    let folder = Folder::new(&[
        ("plugins/greet/plugin.toml", GREET.1),
        GREET_MAIN,
        (
            "a.rhai",
            "import \"greet\" as g;\nprint(`args ${ARGS}`);\nfn id(x) { x }\nfn add(a, b) { a + b }\nfn hi(x) { g::hello(x) }\nfn none() {}\nfn quit() { exit(9) }",
        ),
    ]);
    for (args, printed) in [
        (&["id", "text"][..], "args [\"text\"]\ntext\n"),
        (&["id", "\"1\""], "args [\"\\\"1\\\"\"]\n1\n"),
        (&["id", "[1, \"a\", null]"], "args [\"[1, \\\"a\\\", null]\"]\n[1, \"a\", ()]\n"),
        (&["id", "{\"a\": 2.0}"], "args [\"{\\\"a\\\": 2.0}\"]\n#{\"a\": 2.0}\n"),
        (&["id", "null"], "args [\"null\"]\n"),
        (&["add", "1", "-2"], "args [\"1\", \"-2\"]\n-1\n"),
        (&["add", "1", "0.5"], "args [\"1\", \"0.5\"]\n1.5\n"),
        (&["hi", "you"], "args [\"you\"]\nhello, you\n"),
        (&["none"], "args []\n"),
    ] {
        folder.run(&[&["run", "a.rhai", "--fn"][..], args].concat()).gives(0, printed, &[]);
    }
    folder.run(&["run", "a.rhai", "--fn", "quit"]).gives(9, "args []\n", &[]);
    folder.run(&["run", "a.rhai", "--fn", "ad", "1"]).gives(1, "", &["error[E0103]", "did you mean `add`?"]);
    folder.run(&["run", "a.rhai", "--fn", "add", "1"]).gives(
        1,
        "",
        &["does not take 1 argument", "fn add(a, b)"],
    );
    folder.run(&["run", "a.rhai", "--fn", "id", "9223372036854775808"]).gives(2, "", &["argument 1 of `id`"]);
}

#[test]
fn programs_on_standard_input() {
    let folder = Folder::new(&[GREET, GREET_MAIN]);
    let program = "import \"greet\" as g;\nprint(g::hello(ARGS[0]));\n";
    folder.run_with(&["run", "-", "you"], program).gives(0, "hello, you\n", &[]);
    folder.run_with(&["run", "-"], program).gives(1, "", &[" --> -:2:", "2 | print(g::hello(ARGS[0]));\n"]);
    let latin = folder
        .command(&["run", "-"])
        .stdin(Stdio::from(std::fs::File::open(env!("CARGO_BIN_EXE_caraway")).unwrap()))
        .output()
        .unwrap();
    assert_eq!(latin.status.code(), Some(8));
}

#[test]
fn arguments_reach_the_script() {
    let folder = Folder::new(&[("a.rhai", "fn f() { ARGS }\nprint(f());")]);
    for (args, seen) in [
        (&["run", "a.rhai"][..], "[]"),
        (&["run", "a.rhai", "x", "-q", "-3", "y"], "[\"x\", \"-3\", \"y\"]"),
        (
            &["run", "-q", "a.rhai", "x", "--allow", "io", "--", "--allow", "-v", "--"],
            "[\"x\", \"--allow\", \"-v\", \"--\"]",
        ),
        (&["run", "a.rhai", "--", "-h"], "[\"-h\"]"),
        (&["run", "a.rhai", "", "ü"], "[\"\", \"ü\"]"),
    ] {
        folder.run(args).gives(0, &format!("{seen}\n"), &[]);
    }
}

/// The flags in a refusal's hint, as a shell would take them.
#[track_caller]
fn flags(ran: &Ran) -> Vec<String> {
    let hint = ran.stderr.split("run with `").nth(1).and_then(|rest| rest.split('`').next());
    let hint = hint.unwrap_or_else(|| panic!("no flag is told: {ran}"));
    hint.split_once(' ')
        .map(|(flag, value)| vec![flag.to_owned(), value.trim_matches('\'').to_owned()])
        .unwrap()
}

#[test]
fn a_refusal_tells_the_flag_that_helps() {
    let folder = Folder::new(&[
        READER,
        READER_MAIN,
        ("data/my file.txt", "content"),
        ("sub/plugin.rhai", "import \"reader\" as r;\nprint(r::text(\"data/my file.txt\"));"),
        ("program.rhai", "import \"std/fs\" as fs;\nprint(fs::read_text(\"data/my file.txt\"));"),
        ("plugin.rhai", "import \"reader\" as r;\nprint(r::text(\"data/my file.txt\"));"),
    ]);
    for program in ["program.rhai", "plugin.rhai"] {
        let refused = folder.run(&["run", program]);
        refused.gives(5, "", &["error[E0501]"]);
        let flags = flags(&refused);
        let granted = ["run", &flags[0], &flags[1], program];
        folder.run(&granted).gives(0, "content\n", &[]);
        folder.run(&[&granted[..], &["--deny", "filesystem"]].concat()).gives(5, "", &["--deny filesystem"]);
        folder.run(&[&["--deny", "filesystem"], &granted[..]].concat()).gives(5, "", &["--deny filesystem"]);
        folder.run(&[&["--allow", "filesystem"], &["run", program][..]].concat()).gives(0, "content\n", &[]);
    }
}

#[test]
fn grants_for_nobody_are_told() {
    let folder = Folder::new(&[GREET, GREET_MAIN, ("a.rhai", "print(1)")]);
    let warning = &["warning[E0201]", "names `gret`", "did you mean `greet`?"];
    folder.run(&["run", "a.rhai", "--allow", "gret:io"]).gives(0, "1\n", warning);
    folder.run(&["run", "a.rhai", "--deny", "native=gret"]).gives(0, "1\n", warning);
    folder.run(&["run", "a.rhai", "--allow", "gret:io", "-q"]).gives(0, "1\n", &[]);
    folder.run(&["run", "a.rhai", "--allow", "greet:io", "--deny", "io=stdin"]).gives(0, "1\n", &[]);
}

#[test]
fn grants_that_cannot_be_read_are_told_by_every_command() {
    let folder = Folder::new(&[("caraway.toml", "")]);
    for command in [
        &["new", "x"][..],
        &["explain"],
        &["schema", "config"],
        &["completions", "bash"],
        &["list"],
        &["disable", "stats"],
        &["enable", "stats"],
    ] {
        for flag in ["--allow", "--deny"] {
            let ran = folder.run(&[command, &[flag, "filesytem"]].concat());
            ran.gives(2, "", &["error[E0201]", "did you mean `filesystem`?"]);
        }
    }
    assert!(!folder.path().join("x").exists());
    assert_eq!(std::fs::read_to_string(folder.path().join("caraway.toml")).unwrap(), "");
}

#[test]
fn terminals_are_safe() {
    let name = "a\u{1b}[31m\nb.rhai";
    let folder = Folder::new(&[
        (name, "/* \u{1b}]0;title\u{7}\u{202e} */ throw \"\u{1b}[2J\\nerror[E9999]: forged\""),
        ("d.rhai", "debug(\"\u{1b}[2J\")"),
    ]);
    let ran = folder.run(&["run", name]);
    ran.gives(
        1,
        "",
        &[
            "error[E0101]: \\u{1b}[2J\n  error[E9999]: forged\n",
            "--> a\\u{1b}[31m\\nb.rhai:1:",
            "/* \\u{1b}]0;title\\u{7}\\u{202e} */",
        ],
    );
    for args in [
        &["run", name][..],
        &["run", "\u{1b}[31m"],
        &["run", name, "--allow", "\u{1b}x"],
        &["info", "\u{1b}[31m"],
        &["validate", "\u{1b}[31m"],
        &["list", "--plugin-path", "\u{1b}[31m"],
    ] {
        let ran = folder.run(args);
        assert!(!ran.stderr.contains('\u{1b}') && !ran.stdout.contains('\u{1b}'), "{ran}");
    }
}

#[test]
fn colors() {
    let folder = Folder::new(&[("a.rhai", "throw \"no\"")]);
    for (args, variable, colored) in [
        (&["run", "a.rhai"][..], "", false),
        (&["run", "a.rhai", "--color", "always"], "", true),
        (&["run", "a.rhai", "--color", "always"], "1", true),
        (&["--color", "never", "run", "a.rhai"], "", false),
        (&["run", "a.rhai", "--color", "auto"], "1", false),
        (&["run", "--nonsense", "--color", "always"], "", true),
        (&["run", "--nonsense"], "", false),
    ] {
        let output = folder.command(args).env("NO_COLOR", variable).output().unwrap();
        let ran = Ran::of(args, output);
        assert_eq!(ran.stderr.contains("\u{1b}["), colored, "{ran}");
    }
}

#[test]
fn a_closed_stdout_is_no_error() {
    let folder = Folder::new(&[GREET, GREET_MAIN, ("a.rhai", "loop { print(1); }")]);
    for args in [&["run", "a.rhai"][..], &["list"], &["info", "greet"], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = Ran::of(args, folder.command(args).stdout(writer).output().unwrap());
        ran.gives(0, "", &[]);
    }
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for args in [&["list"][..], &["run", "a.rhai"]] {
        let ran = Ran::of(args, folder.command(args).stdout(full.try_clone().unwrap()).output().unwrap());
        ran.gives(8, "", &["error[E0801]: cannot write to standard output"]);
    }
}

#[test]
fn an_interrupt_stops_the_program() {
    let folder = Folder::new(&[("a.rhai", "print(\"running\");\nloop { try { loop {} } catch {} }")]);
    let mut child =
        folder.command(&["run", "a.rhai"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "running\n");
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    Ran::of(&["run", "a.rhai"], child.wait_with_output().unwrap()).gives(130, "", &["error[E9001]"]);
}

#[test]
fn list() {
    let folder =
        Folder::new(&[GREET, GREET_MAIN, READER, READER_MAIN, BROKEN, ("more/greet/plugin.toml", GREET.1)]);
    let paths = ["list", "--plugin-path", "plugins", "--plugin-path", "more"];
    folder.run(&paths).shows(
        0,
        &[
            "NAME",
            "greet         1.2.0    module   plugins/greet   Says hello\n",
            "reader        0.1.0    module   plugins/reader\n",
            "std/fs",
            "built-in",
            "\nBroken:\n  E0303  plugins/broken/plugin.json:3:14: ",
            "\nShadowed:\n  E0408  more/greet/plugin.toml: greet@1.2.0 is shadowed by the one in plugins/greet\n",
        ],
    );
    let quiet = folder.run(&[&paths[..], &["-q"]].concat());
    assert!(!quiet.shows(0, &["greet "]).stdout.contains("E0"), "{quiet}");
    let verbose = folder.run(&[&paths[..], &["-v"]].concat());
    assert!(!verbose.stdout.contains("E0") && verbose.code == Some(0), "{verbose}");
    assert!(
        verbose.stderr.contains("warning[E0303]") && verbose.stderr.contains("\"version\": \"1\""),
        "{verbose}"
    );
    let strict = folder.run(&[&paths[..], &["--strict"]].concat());
    assert!(strict.code == Some(4) && strict.stderr.contains("error[E0408]"), "{strict}");

    let ran = folder.run(&[&paths[..], &["--format", "json"]].concat());
    let value: Value = serde_json::from_str(&ran.shows(0, &[]).stdout).unwrap();
    assert_eq!(value["schema_version"], 1);
    assert_eq!(
        value["plugins"][0],
        json!({
            "name": "greet", "version": "1.2.0", "type": "module", "module": "greet",
            "description": "Says hello", "folder": "plugins/greet", "search_path": "plugins",
        })
    );
    assert_eq!(value["broken"][0]["code"], "E0303");
    assert_eq!(
        (&value["shadowed"][0]["folder"], &value["shadowed"][0]["shadowed_by"]),
        (&json!("more/greet"), &json!("plugins/greet"))
    );
}

#[test]
fn shadowing_matters_to_those_who_import() {
    let folder = Folder::new(&[
        GREET,
        GREET_MAIN,
        ("more/greet/plugin.toml", GREET.1),
        ("a.rhai", "import \"greet\" as g; print(g::hello(\"you\"));"),
        ("b.rhai", "print(1);"),
    ]);
    let run = |program, more: &[&str]| {
        folder.run(&[&["run", program, "--plugin-path", "plugins", "--plugin-path", "more"], more].concat())
    };
    run("a.rhai", &[]).gives(0, "hello, you\n", &[]);
    run("a.rhai", &["-v"]).gives(0, "hello, you\n", &["warning[E0408]"]);
    run("a.rhai", &["--strict"]).gives(4, "", &["error[E0408]", "more/greet/plugin.toml"]);
    run("b.rhai", &["--strict"]).gives(0, "1\n", &[]);
}

#[test]
fn info() {
    let folder = Folder::new(&[
        GREET,
        GREET_MAIN,
        READER,
        READER_MAIN,
        BROKEN,
        ("plugins/new/plugin.toml", &GREET.1.replace("1.2.0", "2.0.0")),
        ("plugins/new/main.rhai", "fn hello(who) { who }"),
    ]);
    folder.run(&["info", "greet@^1"]).shows(
        0,
        &[
            "greet 1.2.0 (module)\nSays hello\n",
            "plugins/greet (search path plugins)",
            "license         MIT\n",
            "  greet::hello(who: string) -> string\n      A greeting\n",
        ],
    );
    folder
        .run(&["info", "reader"])
        .shows(0, &["asks for        filesystem: read data; granted: nothing\n", "std/fs * (0."]);
    folder
        .run(&["info", "reader", "--allow", "reader:filesystem", "--deny", "env"])
        .shows(0, &["granted: all\n", "denied          env\n"]);
    // What is declared is looked for in the code only on request.
    folder.run(&["info", "greet"]).shows(0, &["greet 2.0.0"]);
    let looked = folder.run(&["info", "greet", "-v"]);
    assert!(
        looked.code == Some(3)
            && looked.stdout.contains("code            broken")
            && looked.stderr.contains("error[E0307]"),
        "{looked}"
    );

    folder.run(&["info", "reeder"]).gives(4, "", &["error[E0401]", "did you mean `reader`?"]);
    folder.run(&["info", "greet@^3"]).gives(4, "", &["error[E0402]", "there are 2.0.0, 1.2.0"]);
    folder.run(&["info", "broken"]).gives(3, "", &["error[E0303]", "plugin.json:3:14"]);
    folder.run(&["info", "greet@latest"]).gives(4, "", &["error[E04"]);

    let ran = folder.run(&["info", "reader", "--format", "json"]);
    let value: Value = serde_json::from_str(&ran.shows(0, &[]).stdout).unwrap();
    assert_eq!(value["functions"][0]["signature"], "text(path: string) -> string");
    assert_eq!(value["functions"][0]["params"], json!([{"name": "path", "type": "string"}]));
    assert_eq!(
        value["capabilities"],
        json!([{"name": "filesystem", "asked": "read data", "granted": null, "needed": true}])
    );
    assert_eq!(value["dependencies"][0]["name"], "std/fs");
}

#[test]
fn validate() {
    let folder = Folder::new(&[
        GREET,
        GREET_MAIN,
        BROKEN,
        ("many/plugin.json", "{\n\"nme\": \"x\",\n\"version\": 1,\n\"type\": \"modul\"\n}"),
        ("lies/plugin.toml", GREET.1),
        ("lies/main.rhai", "fn hello() { }"),
        ("empty/readme.txt", ""),
    ]);
    folder.run(&["validate", "plugins/greet"]).shows(0, &["plugins/greet: greet@1.2.0 is fine\n"]);
    folder
        .run(&["validate", "plugins/greet/plugin.toml", "-v"])
        .shows(0, &["  hello(who: string) -> string\n"]);
    folder.run(&["validate", "-q", "plugins/greet"]).gives(0, "", &[]);
    folder.run(&["validate", "plugins"]).gives(
        3,
        "plugins/greet: greet@1.2.0 is fine\n",
        &["plugins/broken/plugin.json:3:14\n"],
    );
    folder.run(&["validate", "many"]).gives(
        3,
        "",
        &["many/plugin.json:2:1\n", "did you mean `name`?", "many/plugin.json:3:12\n"],
    );
    folder.run(&["validate", "lies"]).gives(3, "", &["error[E0307]"]);
    folder.run(&["validate", "empty"]).gives(3, "", &["error[E0306]: empty holds no plugin"]);
    folder.run(&["validate", "empty/readme.txt"]).gives(3, "", &["error[E0306]"]);
    folder.run(&["validate", "no"]).gives(8, "", &["error[E0801]: cannot read no"]);
    folder.run(&["validate"]).gives(2, "", &["<PATH>"]);
    let ran = folder.run(&["validate", "plugins", "--format", "json"]);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (ran.code, &value["ok"], &value["problems"][0]["code"]),
        (Some(3), &json!(false), &json!("E0303")),
        "{ran}"
    );
    assert_eq!(
        (&value["plugins"][0]["name"], &value["plugins"][0]["code"]),
        (&json!("greet"), &json!("checked"))
    );
    assert_eq!(value["plugins"][0]["functions"], json!(["hello(who: string) -> string", "fail() -> int"]));
}

#[cfg(feature = "native")]
#[test]
fn native_code_is_not_opened_without_its_grant() {
    let manifest = |capabilities: &str| {
        format!(
            "name = \"fast\"\nversion = \"1.0.0\"\ntype = \"native\"\ncapabilities = [{capabilities}]\n\
             [implementation]\nentrypoint = \"libfast.so\"\n[security]\nsandbox = false\n"
        )
    };
    let folder = Folder::new(&[
        ("plugins/fast/plugin.toml", &manifest("\"native\"")),
        ("plugins/fast/libfast.so", "no library"),
        ("silent/plugin.toml", &manifest("")),
    ]);
    let refused = folder.run(&["validate", "plugins/fast"]);
    refused.shows(0, &["fast@1.0.0 is fine; its code was not checked: run with `--allow native=fast`"]);
    folder.run(&["info", "fast"]).shows(0, &["code            not checked", "`--allow native=fast`"]);
    for flag in ["native=fast", "native", "fast:native"] {
        folder.run(&["validate", "plugins/fast", "--allow", flag]).gives(3, "", &["error[E03"]);
    }
    let ran = folder.run(&["info", "fast", "--allow", "native=fast"]);
    assert!(ran.code == Some(3) && ran.stderr.contains("error[E03"), "{ran}");
    let all = ["error[E0501]", "silent/plugin.toml:4:", "error[E0306]", "silent/plugin.toml:6:"];
    folder.run(&["validate", "silent"]).gives(5, "", &all);
}

#[test]
fn what_is_done_can_be_followed() {
    let folder =
        Folder::new(&[GREET, GREET_MAIN, ("a.rhai", "import \"greet\" as g; print(g::hello(\"you\"));")]);
    let told = &[
        "caraway: 3 search paths, ",
        "caraway: planned greet@1.2.0 in ",
        "caraway: loaded greet@1.2.0 (module) in ",
        "caraway: called greet::hello in ",
    ];
    folder.run(&["run", "a.rhai", "--plugin-debug"]).gives(0, "hello, you\n", told);
    let run = |value| {
        Ran::of(
            &["run", "a.rhai"],
            folder.command(&["run", "a.rhai"]).env("CARAWAY_PLUGIN_DEBUG", value).output().unwrap(),
        )
    };
    run("1").gives(0, "hello, you\n", told);
    run("0").gives(0, "hello, you\n", &[]);
}

#[test]
fn a_log_is_kept() {
    let folder = Folder::new(&[
        GREET,
        GREET_MAIN,
        (
            "a.rhai",
            "import \"greet\" as g; import \"std/log\" as log; log::warn(\"careful\"); print(g::hello(\"you\"));",
        ),
    ]);
    let warned = &["[warn] program: careful"];
    folder.run(&["run", "a.rhai", "--log", "info"]).gives(0, "hello, you\n", warned);
    let text = || {
        let files = std::fs::read_dir(folder.path().join("home/.local/state/caraway/log")).unwrap();
        let mut texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        texts.next().unwrap()
    };
    assert!(
        text().contains("WARN") && text().contains("careful") && !text().contains("planned"),
        "{}",
        text()
    );
    let output = folder.command(&["run", "a.rhai"]).env("CARAWAY_LOG", "trace").output().unwrap();
    Ran::of(&["run", "a.rhai"], output).gives(0, "hello, you\n", warned);
    for part in ["planned greet@1.2.0, std/log@", "loaded greet@1.2.0 (module) in", "called greet::hello in"]
    {
        assert!(text().contains(part), "{part}: {}", text());
    }
    let output = folder.command(&["run", "a.rhai"]).env("CARAWAY_LOG", "loud").output().unwrap();
    Ran::of(&["run", "a.rhai"], output).gives(2, "", &["`CARAWAY_LOG` is `loud`, which is no level"]);
    folder.write("home/file", "");
    let command = |state: &str| {
        folder.command(&["run", "a.rhai", "--log", "info"]).env("XDG_STATE_HOME", state).output().unwrap()
    };
    let state = folder.path().join("home/file");
    Ran::of(&["run"], command(state.to_str().unwrap())).gives(8, "", &["E0801", "cannot keep a log in"]);
}

#[test]
fn calls_are_profiled() {
    let folder = Folder::new(&[
        GREET,
        GREET_MAIN,
        (
            "a.rhai",
            "import \"greet\" as g; for i in 0..100 { g::hello(\"you\"); } try { g::hello(1); } catch { }",
        ),
        ("fails.rhai", "import \"greet\" as g; g::hello(\"you\"); throw 1;"),
    ]);
    let ran = folder.run(&["run", "a.rhai", "--profile", "--trace", "trace.json"]);
    ran.gives(0, "", &["calls into plugins took ", "FUNCTION", "BOUNDARY", "greet::hello  100    0"]);
    let trace = std::fs::read_to_string(folder.path().join("trace.json")).unwrap();
    let trace: serde_json::Value = serde_json::from_str(&trace).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    assert_eq!(events.len(), 100);
    assert!(
        events.iter().all(|event| event["name"] == "greet::hello" && event["dur"].as_f64().unwrap() > 0.0)
    );
    let ran = folder.run(&["run", "a.rhai", "--profile", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    let function = &value["profile"]["functions"][0];
    assert_eq!((&function["function"], &function["calls"]), (&"greet::hello".into(), &100.into()));
    let at_most = |a: &str, b: &str| assert!(function[a].as_u64() <= function[b].as_u64(), "{function}");
    at_most("p50_ns", "p99_ns");
    at_most("self_ns", "total_ns");
    at_most("boundary_ns", "self_ns");
    // What it says does not depend on how the program ends.
    folder.run(&["run", "fails.rhai", "--profile"]).gives(1, "", &["error[E0101]", "greet::hello  1      0"]);
    folder.run(&["run", "a.rhai", "--trace", "no/trace.json"]).gives(
        8,
        "",
        &["E0801", "cannot write no/trace.json"],
    );
}

#[test]
fn validate_tells_a_host_that_is_too_old() {
    let manifest = "name = \"fresh\"\nversion = \"1.0.0\"\ntype = \"module\"\ncaraway_version = \"^99\"\n";
    let folder =
        Folder::new(&[("plugins/fresh/plugin.toml", manifest), ("plugins/fresh/main.rhai", "fn f() { 1 }")]);
    let args = ["validate", "plugins/fresh"];
    let ran = Ran::of(&args, folder.command(&args).output().unwrap());
    ran.gives(3, "", &["error[E0309]: `fresh` needs caraway ^99", "plugins/fresh/plugin.toml:4:19"]);
}

const PAGER: (&str, &str) = (
    "plugins/pager/plugin.toml",
    r#"
name = "pager"
version = "1.0.0"
type = "module"
capabilities = ["io"]
[config]
lines = { type = "int", default = 25, description = "Lines on a page" }
title = { type = "string", required = true }
widths = { type = "map<array<float>>", default = { a = [1], "b c" = [] } }
footer = { type = "string?" }
"#,
);
const PAGER_MAIN: (&str, &str) =
    ("plugins/pager/main.rhai", "fn show() { print(CONFIG.title); CONFIG.lines }");

#[test]
fn settings_are_shown() {
    let folder = Folder::new(&[PAGER, PAGER_MAIN]);
    let text = "  lines: int = 25\n      Lines on a page\n  title: string (required)\n  \
                widths: map<array<float>> = {\"a\":[1.0],\"b c\":[]}\n  footer: string?\n";
    folder.run(&["info", "pager"]).shows(0, &["\nSettings:\n", text]);
    folder.run(&["validate", "plugins/pager", "-v"]).shows(0, &[text]);
    let schema = json!([
        {"name": "lines", "type": "int", "default": 25, "required": false, "secret": false, "description": "Lines on a page"},
        {"name": "title", "type": "string", "default": null, "required": true, "secret": false, "description": null},
        {
            "name": "widths", "type": "map<array<float>>", "default": {"a": [1.0], "b c": []}, "required": false,
            "secret": false, "description": null,
        },
        {"name": "footer", "type": "string?", "default": null, "required": false, "secret": false, "description": null},
    ]);
    let ran = folder.run(&["info", "pager", "--format", "json"]);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(value["config"], schema, "{ran}");
    let ran = folder.run(&["validate", "plugins", "--format", "json"]);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(value["plugins"][0]["config"], schema, "{ran}");
}

#[test]
fn settings_are_set() {
    let folder = Folder::new(&[
        PAGER,
        PAGER_MAIN,
        ("a.rhai", "import \"pager\" as p;\nlet n = p::show();\nprint(n);"),
        ("home/.config/caraway/caraway.toml", "[config.pager]\ntitle = \"user\"\nlines = 1\n"),
    ]);
    let run = |more: &[&str]| folder.run(&[&["run", "a.rhai", "--allow", "io"], more].concat());
    let prints = |ran: &Ran, lines: &str| assert_eq!((ran.code, &*ran.stdout), (Some(0), lines), "{ran}");
    prints(&run(&[]), "user\n1\n");
    folder.write("caraway.toml", "[config.pager]\ntitle = \"project\"\n");
    prints(&run(&[]), "project\n1\n");
    prints(&run(&["--config", "pager.lines=2"]), "project\n2\n");
    prints(&run(&["--config", "pager.lines=2", "--config", "pager.title=a.b=c"]), "a.b=c\n2\n");
    prints(&run(&["--config", "pager.title=\"2\""]), "2\n1\n");
    prints(&run(&["--config", "pager.title=", "--config", "pager.lines=5"]), "\n5\n");

    run(&["--config", "pager.title=2"]).gives(
        2,
        "",
        &[
            "error[E0202]: the setting `title` of `pager` must be string, found int\n --> a.rhai:1:8",
            "quotes",
        ],
    );
    run(&["--config", "pager.lnies=2"]).gives(2, "", &["no setting `lnies`", "did you mean `lines`?"]);
    run(&["--config", "pager.lines=9223372036854775808"]).gives(
        2,
        "",
        &["error[E0201]", "no 64-bit integer"],
    );
    for wrong in ["pager", "pager.lines", "pager=1", ".lines=1", "pager.=1", "=1", "a=b.c"] {
        run(&["--config", wrong]).gives(2, "", &["error[E0201]", "PLUGIN.KEY=VALUE"]);
    }

    folder.write("caraway.toml", "[config.pager]\ntitle = \"project\"\ncolour = 1\nlines = \"x\"\n");
    run(&[]).gives(
        2,
        "",
        &[
            "caraway.toml:3:1\n  |\n3 | colour = 1\n  | ^^^^^^\n",
            "it has `lines`, `title`, `widths`, `footer`",
            "must be int, found string\n",
            "caraway.toml:4:9\n",
        ],
    );
    folder.write("home/.config/caraway/caraway.toml", "");
    folder.write("caraway.toml", "");
    run(&[]).gives(2, "", &["needs the setting `title`", "add `title = \"...\"` below `[config.pager]` in "]);
}

#[test]
fn settings_for_nobody_are_told() {
    let folder = Folder::new(&[
        PAGER,
        PAGER_MAIN,
        BROKEN,
        ("a.rhai", "print(1)"),
        ("home/.config/caraway/caraway.toml", "config.elsewhere.x = 1\n"),
        ("caraway.toml", "[config.pagre]\nlines = 1\n[config.broken]\nx = 1\n[config.pager]\nnonsense = 1\n"),
    ]);
    let told = folder.run(&["run", "a.rhai"]);
    told.gives(
        0,
        "1\n",
        &["warning[E0202]: there are settings for `pagre`", "caraway.toml:2:1", "mean `pager`?"],
    );
    assert_eq!(told.stderr.matches("warning").count(), 1, "{told}");
    folder.run(&["run", "a.rhai", "-q"]).gives(0, "1\n", &[]);
    folder.write("caraway.toml", "");
    folder.run(&["run", "a.rhai"]).gives(0, "1\n", &[]);
    folder.run(&["run", "a.rhai", "--config", "pgaer.lines=1"]).gives(0, "1\n", &["for `pgaer`", "`pager`?"]);
}

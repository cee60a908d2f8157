//! Manifests as people write them, and as they break.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are tests")]

use caraway_loaders_core::manifest::{MAX_BYTES, Manifest, REFUSED, Refused};
use caraway_loaders_core::{Code, Error, Signature, Type, Value};
use std::path::Path;
use std::time::Duration;

const MANIFEST_PAGE: &str = include_str!("../../../docs/reference/manifest.md");
const TYPES_PAGE: &str = include_str!("../../../docs/reference/types.md");

fn json(text: &str) -> Result<Manifest, Error> {
    Manifest::parse(Path::new("p/plugin.json"), text.as_bytes())
}

fn toml(text: &str) -> Result<Manifest, Error> {
    Manifest::parse(Path::new("p/plugin.toml"), text.as_bytes())
}

/// The least manifest, with more fields on its second line.
fn with(fields: &str) -> String {
    format!("{{\"name\": \"p\", \"version\": \"1.0.0\", \"type\": \"module\",\n{fields}}}")
}

fn all(error: &Error) -> Vec<&Error> {
    std::iter::once(error).chain(error.others()).collect()
}

fn place(error: &Error) -> (usize, usize) {
    error.location().map_or((0, 0), |location| (location.line, location.column))
}

/// The manifest is refused with just these problems: code, line and column, and a part of the message.
#[track_caller]
fn refused(result: Result<Manifest, Error>, expected: &[(Code, (usize, usize), &str)]) {
    let error = result.expect_err("the manifest was accepted");
    let found: Vec<String> = all(&error)
        .iter()
        .map(|e| format!("{} {:?} {} ({:?})", e.code(), place(e), e.message(), e.hint_text()))
        .collect();
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((error, found), (code, at, message)) in all(&error).iter().zip(&found).zip(expected) {
        assert_eq!((error.code(), place(error)), (*code, *at), "{found}");
        assert!(error.message().contains(message), "{message:?} is not in {found}");
    }
}

/// A field, alone on the second line, is refused for its value.
#[track_caller]
fn wrong_value(field: &str, column: usize, message: &str) {
    refused(json(&with(field)), &[(Code::ManifestValue, (2, column), message)]);
}

/// The text of the page's code blocks of this language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    page.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

#[test]
fn the_examples_of_the_reference_say_the_same() {
    let [json_text] = blocks(MANIFEST_PAGE, "json")[..] else { panic!("one JSON example") };
    let [toml_text] = blocks(MANIFEST_PAGE, "toml")[..] else { panic!("one TOML example") };
    for manifest in [json(json_text).unwrap(), toml(toml_text).unwrap()] {
        assert_eq!((manifest.name.as_str(), manifest.module.as_str()), ("shape-kit", "shapes"));
        assert_eq!(manifest.version.to_string(), "1.4.0");
        assert_eq!(manifest.kind, "hybrid");
        assert_eq!(manifest.license.as_deref(), Some("MIT OR Apache-2.0"));
        assert_eq!(manifest.caraway_version.as_ref().unwrap().to_string(), ">=0.1, <2");
        assert_eq!(manifest.provides, ["function", "type"]);
        let asked = manifest.asks.to_string();
        for part in ["data", "out", "api.example.com:443", "git", "LANG"] {
            assert!(asked.contains(part), "{asked}");
        }
        let names: Vec<&str> = manifest.dependencies.iter().map(|d| d.name.as_str()).collect();
        assert_eq!(names, ["std/fs", "geometry"]);
        let functions: Vec<String> =
            manifest.functions.as_ref().unwrap().iter().map(|f| f.signature.to_string()).collect();
        assert_eq!(
            functions,
            [
                "area(outline: array<Point>) -> float",
                "svg::draw(outline: array<Point>, colour: Colour?) -> string"
            ]
        );
        assert_eq!(manifest.types.keys().collect::<Vec<_>>(), ["Colour", "Outline", "Point"]);
        assert_eq!(manifest.implementation.entrypoint.as_deref(), Some(Path::new("src/main.rhai")));
        assert_eq!(manifest.implementation.build_cmd.as_ref().unwrap(), &["make", "tables"]);
        assert_eq!(manifest.implementation.sources, [Path::new("src"), Path::new("Makefile")]);
        assert_eq!(manifest.implementation.binaries.values().flatten().count(), 1);
        assert!(manifest.security.sandbox && manifest.runtime.lazy);
        assert_eq!(manifest.security.allowed_apis.as_ref().unwrap(), &["std/fs"]);
        assert_eq!(manifest.security.max_memory, Some(64 << 20));
        assert_eq!(manifest.security.max_cpu, Some(Duration::from_secs(5)));
        assert_eq!(manifest.security.timeout, Some(Duration::from_secs(10)));
        let settings: Vec<(&str, bool)> =
            manifest.config.iter().map(|s| (s.name.as_str(), s.required)).collect();
        assert_eq!(settings, [("precision", false), ("palette", false), ("owner", true)]);
        assert_eq!(manifest.config[0].default, Some(Value::Int(2)));
    }
}

#[test]
fn the_signatures_of_the_reference_are_printed_as_they_are_written() {
    let [list] = blocks(TYPES_PAGE, "signatures")[..] else { panic!("one list of signatures") };
    assert!(list.lines().count() > 10);
    for line in list.lines() {
        assert_eq!(line.parse::<Signature>().unwrap().to_string(), line);
    }
}

#[test]
fn defaults_are_those_of_the_reference() {
    let manifest = json(&with("\"description\": \"d\"")).unwrap();
    assert_eq!(manifest.module, "p");
    assert!(manifest.functions.is_none() && manifest.dependencies.is_empty() && manifest.asks.is_empty());
    assert!(manifest.security.sandbox && manifest.runtime.lazy);
    assert_eq!((manifest.security.max_memory, manifest.security.timeout), (None, None));
    let manifest = toml("name = \"my-kit\"\nversion = \"0.1.0-rc.1\"\ntype = \"wasm\"").unwrap();
    assert_eq!((manifest.module.as_str(), manifest.kind.as_str()), ("my_kit", "wasm"));
}

#[test]
fn fields_are_found_again() {
    let manifest = json(&with(
        "\"functions\": [\n  {\"name\": \"f\", \"params\": [{\"name\": \"x\", \"type\": \"int\"}]}]",
    ))
    .unwrap();
    for (field, line, column) in [
        ("name", 1, 10),
        ("functions.0.name", 3, 12),
        ("functions.0.params.0.type", 3, 50),
        ("functions.0.params.7.type", 3, 27),
        ("implementation.entrypoint", 1, 1),
    ] {
        let location = manifest.locate(field);
        assert_eq!((location.line, location.column), (line, column), "{field}");
        assert_eq!(location.file, Path::new("p/plugin.json"));
    }
}

#[test]
fn all_problems_are_reported_at_once_in_the_order_of_the_text() {
    use Code::{ManifestField, ManifestValue, NotEnforced};
    refused(
        json(
            r#"{
  "name": "Bad",
  "vresion": "1.0.0",
  "type": 7,
  "hooks": [],
  "security": {
    "timeout": "10",
    "sandbox": "yes"
  },
  "functions": [{"name": "fn", "params": [{"name": "x", "type": "itn"}]}]
}"#,
        ),
        &[
            (ManifestValue, (1, 1), "`version` is missing"),
            (ManifestValue, (2, 11), "`name` is \"Bad\", which has a `B`"),
            (ManifestField, (3, 3), "unknown field \"vresion\""),
            (ManifestValue, (4, 11), "`type` must be a string, found an integer"),
            (NotEnforced, (5, 12), "`hooks` is refused until"),
            (ManifestValue, (7, 16), "`security.timeout` is \"10\", which has no unit"),
            (ManifestValue, (8, 16), "`security.sandbox` must be true or false, found a string"),
            (ManifestValue, (10, 26), "`fn` cannot be called in Rhai"),
            (ManifestValue, (10, 65), "unknown type \"itn\""),
        ],
    );
    refused(
        toml("name = 'p'\ntype = 'module'\nversion = 1979-05-27\n[security]\nmax_memroy = '1MB'\n"),
        &[
            (ManifestValue, (3, 11), "`version` must be a string, found a date or time"),
            (ManifestField, (5, 1), "unknown field \"max_memroy\" in `security`"),
        ],
    );
}

#[test]
fn a_manifest_cut_anywhere_is_an_error_with_a_place() {
    let whole = blocks(MANIFEST_PAGE, "json")[0];
    for end in 0..whole.len() {
        let error = Manifest::parse(Path::new("plugin.json"), &whole.as_bytes()[..end]).unwrap_err();
        for error in all(&error) {
            let (line, column) = place(error);
            assert!(line > 0 && column > 0, "cut at {end}: {error}");
        }
    }
    // What is left of TOML may be a whole manifest.
    let whole = blocks(MANIFEST_PAGE, "toml")[0];
    let mut good = 0;
    for end in 0..whole.len() {
        match Manifest::parse(Path::new("plugin.toml"), &whole.as_bytes()[..end]) {
            Ok(_) => good += 1,
            Err(error) => {
                let (line, column) = place(&error);
                assert!(line > 0 && column > 0, "cut at {end}: {error}");
            }
        }
    }
    assert!(good < whole.len() / 4, "{good} of {} are accepted", whole.len());
}

#[test]
fn bytes_that_are_no_text() {
    let parse = |bytes: &[u8]| Manifest::parse(Path::new("plugin.json"), bytes);
    let at = |line, column, message| [(Code::ManifestSyntax, (line, column), message)];
    refused(parse(b"\xef\xbb\xbf{}"), &at(1, 1, "byte order mark"));
    refused(parse(b"\xff\xfe{\0}\0"), &at(1, 1, "not UTF-8: byte 0xff"));
    refused(
        parse("{\n \"ü\": \"".as_bytes().iter().chain(b"\xc3(\"}").copied().collect::<Vec<_>>().as_slice()),
        &at(2, 8, "not UTF-8: byte 0xc3"),
    );
    refused(parse(b"{\"name\": \"a\0\"}"), &at(1, 11, "control character"));
    refused(parse(b""), &at(1, 1, "EOF"));
    let large = vec![b' '; MAX_BYTES + 1];
    refused(parse(&large), &at(0, 0, "larger than 1 MiB"));
}

#[test]
fn json_is_plain_json() {
    for (text, line, column) in [
        ("{'name': 'p'}", 1, 2),
        ("{name: 1}", 1, 2),
        ("{\"a\": 1,}", 1, 9),
        ("{\"a\": [1,]}", 1, 10),
        ("{\"a\": 1 \"b\": 2}", 1, 9),
        ("{\"a\": 0x10}", 1, 8),
        ("{\"a\": +1}", 1, 7),
        ("{\"a\": NaN}", 1, 7),
        ("// c\n{}", 1, 1),
        ("{} {}", 1, 4),
        ("{\"a\": \"\\ud800\"}", 1, 14),
        ("{\"a\":\u{a0}1}", 1, 6),
    ] {
        let error = json(text).unwrap_err();
        assert_eq!((error.code(), place(&error)), (Code::ManifestSyntax, (line, column)), "{text}: {error}");
    }
    for text in ["null", "[]", "1", "\"p\""] {
        refused(json(text), &[(Code::ManifestValue, (1, 1), "the manifest must be a table")]);
    }
    let manifest = json(&with("\"description\": \"\\ud83e\\uddc0 \\u0041\"")).unwrap();
    assert_eq!(manifest.description.as_deref(), Some("\u{1f9c0} A"));
}

#[test]
fn duplicate_keys_are_errors_at_any_depth() {
    let twice = |line, column, message| [(Code::ManifestField, (line, column), message)];
    refused(json(&with("\"type\": \"module\"")), &twice(2, 1, "duplicate key \"type\""));
    refused(json(&with("\"t\\u0079pe\": \"module\"")), &twice(2, 1, "duplicate key \"type\""));
    refused(
        json(&with("\"security\": {\"timeout\": \"1s\",\n\"timeout\": \"2s\"}")),
        &twice(3, 1, "duplicate key \"timeout\""),
    );
    refused(
        json(&with("\"capabilities\": [{\"filesystem\": {\"read\": [\"a\"], \"read\": [\"b\"]}}]")),
        &twice(2, 49, "duplicate key \"read\""),
    );
    let head = "name = 'p'\nversion = '1.0.0'\ntype = 'module'\n";
    refused(toml(&format!("{head}name = 'q'")), &twice(4, 1, "duplicate key `name`"));
    refused(
        toml(&format!("{head}[security]\ntimeout = '1s'\n[security]\nsandbox = true")),
        &twice(6, 2, "duplicate key `security`"),
    );
    refused(
        toml(&format!("{head}capabilities = [{{ env = {{ names = ['A'], names = ['B'] }} }}]")),
        &twice(4, 42, "duplicate key `names`"),
    );
}

#[test]
fn deep_nesting_is_refused_on_a_small_stack() {
    let deep = 100_000;
    let texts = [
        ("plugin.json", "[".repeat(deep)),
        ("plugin.json", format!("{}{}", "[".repeat(deep), "]".repeat(deep))),
        ("plugin.json", format!("{}1{}", "{\"a\":".repeat(deep), "}".repeat(deep))),
        ("plugin.json", with(&format!("\"config\": {}1{}", "[".repeat(deep), "]".repeat(deep)))),
        ("plugin.toml", format!("a = {}{}", "[".repeat(deep), "]".repeat(deep))),
        ("plugin.toml", format!("a = {}1{}", "{a=".repeat(deep), "}".repeat(deep))),
        ("plugin.toml", format!("a{} = 1", ".a".repeat(deep))),
        ("plugin.toml", format!("[a{}]", ".a".repeat(deep))),
        ("plugin.toml", format!("[a{}]\na{} = 1", ".a".repeat(60), ".a".repeat(60))),
    ];
    let check = move || {
        for (file, text) in texts {
            let error = Manifest::parse(Path::new(file), text.as_bytes()).unwrap_err();
            assert_eq!(error.code(), Code::ManifestSyntax, "{file} {text:.20}");
            assert!(place(&error).0 > 0);
        }
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(check).unwrap().join().unwrap();
    let sixty_four = format!("\"hooks\": {}1{}", "[".repeat(63), "]".repeat(63));
    refused(json(&with(&sixty_four)), &[(Code::NotEnforced, (2, 10), "`hooks`")]);
}

#[test]
fn a_megabyte_of_nonsense_ends_soon() {
    let many = |item: &str| item.repeat((MAX_BYTES - 200) / item.len());
    for (file, text) in [
        ("plugin.json", format!("{{{}\"a\": 1}}", many("\"a\": 1,"))),
        ("plugin.json", with(&format!("\"functions\": [{}1]", many("{},")))),
        ("plugin.json", with(&format!("\"{}\": 1", many("x")))),
        ("plugin.json", with(&format!("\"name\": \"{}\"", many("\u{1b}")))),
        ("plugin.toml", many("]\n")),
        ("plugin.toml", many("a = 1\n")),
        ("plugin.toml", many("\"")),
    ] {
        let error = Manifest::parse(Path::new(file), text.as_bytes()).unwrap_err();
        assert!(error.others().len() <= 50, "{}", error.others().len());
        assert!(error.message().len() < 1000);
    }
}

#[test]
fn unknown_fields_suggest_the_known_one() {
    for (fields, column, hint) in [
        ("\"dependencys\": {}", 1, Some("did you mean `dependencies`?")),
        ("\"security\": {\"timout\": \"1s\"}", 14, Some("did you mean `timeout`?")),
        ("\"functions\": [{\"name\": \"f\", \"parms\": []}]", 29, Some("did you mean `params`?")),
        ("\"colour\": 1", 1, None),
    ] {
        let error = json(&with(fields)).unwrap_err();
        assert_eq!((error.code(), place(&error)), (Code::ManifestField, (2, column)), "{error}");
        assert_eq!(error.hint_text(), hint, "{error}");
        assert!(error.others().is_empty());
    }
}

#[test]
fn a_newer_schema_names_the_version_that_it_needs() {
    let this = env!("CARGO_PKG_VERSION");
    for (requirement, hint) in [
        (">=9.5", format!("the plugin needs caraway >= 9.5.0; this is {this}")),
        ("^9", format!("the plugin needs caraway >= 9.0.0; this is {this}")),
        ("<0.0.1", format!("the plugin needs caraway <0.0.1; this is {this}")),
    ] {
        let fields = format!("\"caraway_version\": \"{requirement}\",\n\"telepathy\": true");
        let error = json(&with(&fields)).unwrap_err();
        assert_eq!((error.code(), place(&error)), (Code::ManifestField, (3, 1)));
        assert_eq!(error.hint_text(), Some(hint.as_str()));
        // Whether this host will do is the resolver's question.
        assert!(json(&with(&format!("\"caraway_version\": \"{requirement}\""))).is_ok());
    }
}

#[test]
fn names() {
    let named =
        |name: &str| json(&format!("{{\"name\": \"{name}\", \"version\": \"1.0.0\", \"type\": \"module\"}}"));
    for (name, message) in [
        ("../up", "has a `.`"),
        ("a\\u0000", "U+0000"),
        ("a\\u001b[2J", "U+001B"),
        ("a\\u202eb", "U+202E"),
        ("st\u{430}ts", "U+0430"),
        ("std/fs", "only a built-in"),
        ("new", "reserved word"),
        ("", "is empty"),
    ] {
        let error = named(name).unwrap_err();
        assert_eq!((error.code(), place(&error)), (Code::ManifestValue, (1, 10)), "{name}");
        assert!(error.message().contains(message), "{name}: {error}");
        assert!(!error.message().contains(['\u{1b}', '\u{202e}', '\0']), "{error:?}");
    }
    assert!(json(&with("\"module\": \"fresh\"")).is_ok());
    wrong_value("\"module\": \"import\"", 11, "reserved word");
    wrong_value("\"module\": \"a-b\"", 11, "has a `-`");
    assert_eq!(
        json("{\"name\": \"new\", \"module\": \"fresh\", \"version\": \"1.0.0\", \"type\": \"module\"}")
            .unwrap()
            .module,
        "fresh"
    );
}

#[test]
fn wrong_values() {
    wrong_value("\"license\": \"MIT/Apache-2.0\"", 12, "no SPDX expression");
    wrong_value("\"caraway_version\": \"new\"", 20, "no version requirement");
    wrong_value("\"security\": {\"max_cpu\": \"50%\"}", 25, "share of a processor");
    wrong_value("\"security\": {\"max_memory\": 100}", 28, "must be a string, found an integer");
    wrong_value("\"security\": {\"max_memory\": \"0MB\"}", 28, "allows nothing");
    wrong_value("\"security\": {\"timeout\": \"99999999999999999999s\"}", 25, "too large");
    wrong_value("\"security\": {\"allowed_apis\": [\"fs\"]}", 31, "not a built-in");
    wrong_value("\"runtime\": {\"lazy\": 1}", 21, "`runtime.lazy` must be true or false");
    wrong_value("\"runtime\": {\"parallel\": 1}", 25, "must be true or false, found an integer");
    wrong_value("\"dependencies\": {\"a\": \">\"}", 23, "no version requirement");
    wrong_value("\"dependencies\": {\"A\": \"*\"}", 18, "has a `A`");
    wrong_value("\"dependencies\": [\"p\"]", 18, "depends on itself");
    wrong_value("\"dependencies\": [\"a\", \"a\"]", 23, "listed twice");
    wrong_value("\"dependencies\": \"a\"", 17, "must be a table of requirements or an array of names");
    wrong_value("\"capabilities\": [\"fylesystem\"]", 18, "no capability");
    wrong_value("\"capabilities\": [\"function\", \"function\"]", 30, "lists `function` again");
    wrong_value("\"capabilities\": [{\"function\": []}]", 31, "stands alone");
    wrong_value("\"capabilities\": [{}]", 18, "must be a name");
    wrong_value("\"capabilities\": [{\"env\": {\"nams\": []}}]", 26, "the capability \"env\"");
}

#[test]
fn paths_and_commands() {
    for (path, message) in [
        ("../x", "leaves"),
        ("/x", "absolute"),
        ("a/../../x", "leaves"),
        ("", "empty"),
        ("..\\\\x", "backslash"),
        ("a\\u0000", "control"),
    ] {
        wrong_value(&format!("\"implementation\": {{\"entrypoint\": \"{path}\"}}"), 34, message);
        wrong_value(&format!("\"implementation\": {{\"sources\": [\"{path}\"]}}"), 32, message);
        wrong_value(&format!("\"implementation\": {{\"binaries\": [\"{path}\"]}}"), 33, message);
        wrong_value(&format!("\"implementation\": {{\"binaries\": {{\"a-b\": \"{path}\"}}}}"), 40, message);
    }
    wrong_value("\"implementation\": {\"sources\": [\"src/*.c\"]}", 32, "patterns are not expanded");
    wrong_value("\"implementation\": {\"binaries\": {\"x\": \"y\"}}", 33, "no target triple");
    for (command, message) in [
        ("\"\"", "names no program"),
        ("[]", "names no program"),
        ("[\" \"]", "names no program"),
        ("\"make 'all\"", "left open"),
        ("\"make && make install\"", "no shell runs it"),
        ("7", "must be a string or an array of strings"),
    ] {
        wrong_value(&format!("\"implementation\": {{\"build_cmd\": {command}}}"), 33, message);
    }
    let manifest =
        json(&with("\"implementation\": {\"build_cmd\": \"cargo build --features 'a b'\"}")).unwrap();
    assert_eq!(manifest.implementation.build_cmd.unwrap(), ["cargo", "build", "--features", "a b"]);
}

#[test]
fn functions() {
    let with_functions = |functions: &str| with(&format!("\"functions\": [\n{functions}]"));
    for (functions, column, message) in [
        ("{}", 1, "`functions[0].name` is missing"),
        ("{\"name\": \"new\"}", 10, "`new` cannot be called"),
        ("{\"name\": \"api::new\"}", 10, "`new` cannot be called"),
        ("{\"name\": \"a b\"}", 10, "`a b` cannot be called"),
        ("{\"name\": \"f\"}, {\"name\": \"f\"}", 25, "the function `f` is declared twice"),
        ("{\"name\": \"f\", \"returns\": \"array<\"}", 26, "is \"array<\", which is no type"),
        ("{\"name\": \"f\", \"params\": [{\"name\": \"x\", \"type\": \"Strnig\"}]}", 48, "unknown type"),
        ("{\"name\": \"f\", \"params\": [{\"name\": \"x\", \"type\": \"void\"}]}", 48, "only a result"),
        ("{\"name\": \"f\", \"params\": [{\"name\": \"2\", \"type\": \"int\"}]}", 35, "no identifier"),
        (
            "{\"name\": \"f\", \"params\": [{\"name\": \"x\"}]}",
            26,
            "`functions[0].params[0].type` is missing",
        ),
        (
            "{\"name\": \"f\", \"params\": [{\"name\": \"x\", \"type\": \"int\"}, {\"name\": \"x\", \"type\": \"int\"}]}",
            56,
            "the parameter `x` is declared twice",
        ),
    ] {
        refused(json(&with_functions(functions)), &[(Code::ManifestValue, (3, column), message)]);
    }
    let buffers = json(&with_functions("{\"name\": \"f\", \"returns\": \"floats\"}")).unwrap();
    assert_eq!(buffers.function("f").unwrap().signature.to_string(), "f() -> floats");
    let params = vec!["{\"name\": \"x\", \"type\": \"int\"}"; 17].join(", ");
    let params = (0..17).fold(params, |text, n| text.replacen("\"x\"", &format!("\"x{n}\""), 1));
    refused(
        json(&with_functions(&format!("{{\"name\": \"f\", \"params\": [{params}]}}"))),
        &[(Code::ManifestValue, (3, 10), "has 17 parameters")],
    );
}

#[test]
fn types() {
    let with_types = |types: &str| with(&format!("\"types\": [\n{types}]"));
    for (types, line, column, message) in [
        ("{\"name\": \"A\"}", 3, 1, "`types[0].kind` is missing"),
        ("{\"name\": \"int\", \"kind\": \"enum\", \"values\": [\"a\"]}", 3, 10, "a type already"),
        (
            "{\"name\": \"A\", \"kind\": \"strukt\"}",
            3,
            23,
            "known are `struct`, `enum`, `alias` and `handle`",
        ),
        ("{\"name\": \"A\", \"kind\": \"enum\"}", 3, 1, "`types[0].values` is missing"),
        ("{\"name\": \"A\", \"kind\": \"enum\", \"values\": []}", 3, 41, "is empty"),
        ("{\"name\": \"A\", \"kind\": \"enum\", \"values\": [\"a\", \"a\"]}", 3, 41, "has \"a\" twice"),
        ("{\"name\": \"A\", \"kind\": \"alias\", \"base_type\": \"B\"}", 3, 45, "unknown type \"B\""),
        ("{\"name\": \"A\", \"kind\": \"alias\", \"base_type\": \"A?\"}", 3, 45, "`A` contains itself"),
        (
            "{\"name\": \"A\", \"kind\": \"alias\", \"base_type\": \"int?\"},\n{\"name\": \"B\", \"kind\": \"alias\", \"base_type\": \"A?\"}",
            4,
            45,
            "optional twice",
        ),
        (
            "{\"name\": \"A\", \"kind\": \"enum\", \"values\": [\"a\"]},\n{\"name\": \"A\", \"kind\": \"enum\", \"values\": [\"a\"]}",
            4,
            10,
            "the type `A` is declared twice",
        ),
        (
            "{\"name\": \"A\", \"kind\": \"struct\", \"fields\": [{\"name\": \"x\", \"type\": \"B\"}]},\n{\"name\": \"B\", \"kind\": \"struct\", \"fields\": [{\"name\": \"y\", \"type\": \"array<A>\"}]}",
            4,
            66,
            "`A` contains itself",
        ),
    ] {
        refused(json(&with_types(types)), &[(Code::ManifestValue, (line, column), message)]);
    }
    refused(
        json(&with_types("{\"name\": \"A\", \"kind\": \"enum\", \"values\": [\"a\"], \"fields\": []}")),
        &[(Code::ManifestField, (3, 58), "belongs to a type of the kind `struct`, not `enum`")],
    );
}

#[test]
fn handles_are_whole_parameters_and_results() {
    let with_handle =
        |more: &str| with(&format!("\"types\": [\n{{\"name\": \"Counter\", \"kind\": \"handle\"}}{more}"));
    let function =
        r#"], "functions": [{"name": "f", "params": [{"name": "c", "type": "C"}], "returns": "Counter"}]"#;
    let alias = r#", {"name": "C", "kind": "alias", "base_type": "Counter"}"#;
    let manifest = json(&with_handle(&format!("{alias}{function}"))).unwrap();
    assert_eq!(manifest.types["Counter"], Type::Handle("Counter".into()));
    assert_eq!(manifest.function("f").unwrap().signature.to_string(), "f(c: Counter) -> Counter");

    let inside = "the handle `Counter` cannot be a part of another type";
    for ty in ["array<Counter>", "map<Counter>", "Counter?", "fn(Counter)", "fn() -> Counter"] {
        let alias = format!(",\n{{\"name\": \"A\", \"kind\": \"alias\", \"base_type\": {ty:?}}}]");
        refused(json(&with_handle(&alias)), &[(Code::ManifestValue, (4, 45), inside)]);
    }
    let field =
        ",\n{\"name\": \"S\", \"kind\": \"struct\", \"fields\": [{\"name\": \"c\", \"type\": \"Counter\"}]}]";
    refused(json(&with_handle(field)), &[(Code::ManifestValue, (4, 66), inside)]);
    for (field, kind) in [("fields", "struct"), ("values", "enum"), ("base_type", "alias")] {
        let value = if field == "base_type" { "\"int\"" } else { "[]" };
        let handle = format!(",\n{{\"name\": \"D\", \"kind\": \"handle\", \"{field}\": {value}}}]");
        let message = format!("belongs to a type of the kind `{kind}`, not `handle`");
        let column = 37 + field.len();
        refused(json(&with_handle(&handle)), &[(Code::ManifestField, (4, column), &message)]);
    }
}

#[test]
fn types_that_grow_without_bound_are_refused() {
    // Each struct holds the one before it ten times; and a chain of a thousand.
    let bomb: Vec<String> = (1..40)
        .map(|n| {
            let field = |f| format!("{{\"name\": \"f{f}\", \"type\": \"T{}\"}}", n - 1);
            let fields: Vec<String> = (0..10).map(field).collect();
            format!("{{\"name\": \"T{n}\", \"kind\": \"struct\", \"fields\": [{}]}}", fields.join(","))
        })
        .collect();
    let chain: Vec<String> = (1..1000)
        .map(|n| format!("{{\"name\": \"T{n}\", \"kind\": \"alias\", \"base_type\": \"array<T{}>\"}}", n - 1))
        .collect();
    for (types, message) in [(bomb, "more than 1000 parts"), (chain, "nests deeper than 32")] {
        let first = "{\"name\": \"T0\", \"kind\": \"alias\", \"base_type\": \"int\"}";
        let error = json(&with(&format!("\"types\": [{first},{}]", types.join(",")))).unwrap_err();
        assert!(error.message().contains(message), "{error}");
    }
}

#[test]
fn settings() {
    use Code::{ManifestField, ManifestValue};
    let manifest = toml(
        r#"
name = "p"
version = "1.0.0"
type = "module"
types = [
    { name = "Point", kind = "struct", fields = [{ name = "x", type = "float" }, { name = "y", type = "int?" }] },
    { name = "Level", kind = "enum", values = ["low", "high"] },
]
[config.limit]
type = "int"
default = 10
description = "How many"
[config]
rates = { type = "array<float>", default = [1, 2.5] }
names = { type = "map<string>", default = { a = "b" } }
origin = { type = "Point", default = { x = 1 } }
level = { type = "Level", default = "low" }
key = { type = "string", required = true }
colour = { type = "string?" }
more = { type = "any" }
"#,
    )
    .unwrap();
    let found: Vec<String> = manifest
        .config
        .iter()
        .map(|s| format!("{} {} {:?} {} {:?}", s.name, s.ty, s.default, s.required, s.description))
        .collect();
    assert_eq!(
        found,
        [
            "limit int Some(Int(10)) false Some(\"How many\")",
            "rates array<float> Some(Array([Float(1.0), Float(2.5)])) false None",
            "names map<string> Some(Map({\"a\": String(\"b\")})) false None",
            "origin Point Some(Map({\"x\": Float(1.0)})) false None",
            "level Level Some(String(\"low\")) false None",
            "key string None true None",
            "colour string? None false None",
            "more any None false None",
        ]
    );
    let manifest = json(&with("\"config\": {\"a\": {\"type\": \"int?\", \"default\": null}}")).unwrap();
    assert_eq!(manifest.config[0].default, Some(Value::Unit));
    assert!(json(&with("\"config\": {}")).unwrap().config.is_empty());

    for (settings, column, message, hint) in [
        ("[]", 11, "`config` must be a table, found an array", None),
        ("{\"a\": \"int\"}", 17, "`config.a` must be a table, found a string", None),
        ("{\"a\": {}}", 17, "`config.a.type` is missing", None),
        ("{\"a\": {\"type\": \"itn\"}}", 26, "unknown type \"itn\"", Some("did you mean `int`?")),
        ("{\"a\": {\"type\": \"bytes\"}}", 26, "`config.a.type` is `bytes`, which", Some("known are")),
        ("{\"a\": {\"type\": \"array<char?>\"}}", 26, "is `array<char?>`, which", Some("known are")),
        ("{\"a\": {\"type\": \"fn() -> int\"}}", 26, "cannot write", None),
        ("{\"a\": {\"type\": \"void\"}}", 26, "cannot write", None),
        ("{\"a-b\": {\"type\": \"int?\"}}", 12, "is \"a-b\", which is no identifier", None),
        ("{\"new\": {\"type\": \"int?\"}}", 12, "reserved word", Some("`new_`")),
        ("{\"a\": {\"type\": \"int\"}}", 17, "`config.a` has no value", Some("the type `int?`")),
        ("{\"a\": {\"type\": \"int\", \"required\": false}}", 17, "has no value", None),
        ("{\"a\": {\"type\": \"int\", \"required\": \"yes\"}}", 45, "must be true or false", None),
        (
            "{\"a\": {\"type\": \"int\", \"required\": true, \"default\": 1}}",
            45,
            "is required and has a",
            None,
        ),
        ("{\"a\": {\"type\": \"int?\", \"required\": true}}", 46, "for which `()` will do", None),
        ("{\"a\": {\"type\": \"int\", \"default\": \"1\"}}", 44, "default` must be int, found string", None),
        ("{\"a\": {\"type\": \"int\", \"default\": null}}", 44, "must be int, found ()", None),
        ("{\"a\": {\"type\": \"int\", \"default\": 1.5}}", 44, "must be int, found float", None),
        ("{\"a\": {\"type\": \"int\", \"default\": 9223372036854775808}}", 44, "must be int, found", None),
        (
            "{\"a\": {\"type\": \"array<int>\", \"default\": [1, true]}}",
            51,
            "must be int, found bool at `[1]`",
            None,
        ),
    ] {
        let error = json(&with(&format!("\"config\": {settings}"))).unwrap_err();
        assert_eq!((error.code(), place(&error)), (ManifestValue, (2, column)), "{settings}: {error}");
        assert!(error.message().contains(message) && error.others().is_empty(), "{settings}: {error}");
        let found = error.hint_text().unwrap_or_default();
        assert!(hint.is_none_or(|hint| found.contains(hint)), "{settings}: {found}");
    }
    let error = json(&with("\"config\": {\"a\": {\"type\": \"int\", \"defualt\": 1}}")).unwrap_err();
    let found = [&error, &error.others()[0]].map(|e| (e.code(), place(e), e.hint_text()));
    assert_eq!(found[1], (ManifestField, (2, 33), Some("did you mean `default`?")));
    refused(
        toml(
            "name = 'p'\nversion = '1.0.0'\ntype = 'module'\n[config]\na = { type = 'any', default = 1979-05-27 }\nb = { type = 'float', default = nan }\nc = { type = 'float', default = 9223372036854775808 }\nd = { type = 'int?', secret = true }\nd = { type = 'int?' }",
        ),
        &[(ManifestField, (9, 1), "duplicate key `d`")],
    );
    refused(
        toml(
            "name = 'p'\nversion = '1.0.0'\ntype = 'module'\n[config]\na = { type = 'any', default = 1979-05-27 }\nb = { type = 'float', default = nan }\nc = { type = 'float', default = 9223372036854775808 }\nd = { type = 'int?', secret = true }\ne = { type = 'string', secret = true, default = 'x' }\nf = { type = 'string?', secret = true }",
        ),
        &[
            (ManifestValue, (5, 31), "write it as a string"),
            (ManifestValue, (6, 33), "a number that fits 64 bits"),
            (ManifestValue, (7, 33), "a number that fits 64 bits"),
            (ManifestValue, (8, 31), "`config.d` is a secret, and is `int?`"),
            (ManifestValue, (9, 33), "`config.e` is a secret, and is `string` with a default"),
        ],
    );
}

#[test]
fn what_is_refused_for_now_is_refused_and_documented() {
    for refusal in REFUSED {
        let (value, what) = match refusal.refused {
            Refused::Any => ("{}".to_owned(), "always".to_owned()),
            Refused::Bool(bool) => (bool.to_string(), format!("`{bool}`")),
            Refused::Text(text) => (format!("\"{text}\""), format!("`{text}`")),
            _ => panic!("a new way of refusing"),
        };
        let text = match refusal.field.split('.').collect::<Vec<_>>()[..] {
            ["type"] => with("").replace("\"module\",", &value),
            [field] => with(&format!("\"{field}\": {value}")),
            [array, "*"] => with(&format!("\"{array}\": [{value}]")),
            ["config", "*", field] => {
                with(&format!("\"config\": {{\"c\": {{\"type\": \"int?\", \"{field}\": {value}}}}}"))
            }
            [table, field] => with(&format!("\"{table}\": {{\"{field}\": {value}}}")),
            [array, "*", field] => with(&format!("\"{array}\": [{{\"name\": \"f\", \"{field}\": {value}}}]")),
            _ => panic!("{} has another shape", refusal.field),
        };
        let error = json(&text).unwrap_err();
        assert_eq!(error.code(), Code::NotEnforced, "{text}: {error}");
        assert!(error.message().contains(refusal.until) && error.others().is_empty(), "{error}");
        assert_eq!(error.hint_text(), Some(refusal.hint));
        assert!(place(&error).0 > 0);
        let row = format!("| `{}` | {what} | {} |", refusal.field, refusal.until);
        assert!(MANIFEST_PAGE.contains(&row), "the reference lacks the row {row}");
    }
    assert!(json(&with("\"runtime\": {\"parallel\": true, \"persistent\": true}")).is_ok());
    assert!(json(&with("\"functions\": [{\"name\": \"f\", \"async\": false}]")).is_ok());
    assert!(json(&with("\"config\": {\"c\": {\"type\": \"int?\", \"secret\": false}}")).is_ok());
}

#[test]
fn functions_can_be_deprecated() {
    let function = |deprecated: &str| {
        json(&with(&format!(r#""functions": [{{"name": "f", "deprecated": {deprecated}}}]"#)))
    };
    let said = |deprecated: &str| function(deprecated).unwrap().function("f").unwrap().deprecated.clone();
    assert_eq!(said("false"), None);
    assert_eq!(said("true").as_deref(), Some(""));
    assert_eq!(said("\"use `g`\"").as_deref(), Some("use `g`"));
    let error = function("1").unwrap_err();
    assert!(error.message().contains("must be true, or what to use instead, found an integer"), "{error}");
}

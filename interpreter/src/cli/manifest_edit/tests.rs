use super::*;
use caraway_loaders_core::Signature;
use std::path::Path;

/// What a binary says: its signatures with their docs, and its types as a manifest would declare them.
fn description(functions: &[(&str, &str)], types: &str, partial: bool) -> Description {
    let text = format!("name = 'x'\nversion = '1.0.0'\ntype = 'native'\n{types}");
    let types = Manifest::parse(Path::new("plugin.toml"), text.as_bytes()).unwrap().types;
    let mut description = Description { partial, ..Description::default() };
    for (signature, doc) in functions {
        let signature: Signature = signature.parse().unwrap();
        description.add(signature.resolve(&|name| types.get(name).cloned()).unwrap(), doc);
    }
    description.types = types.into_values().collect();
    description
}

/// Checks what becomes of a manifest, and that nothing more becomes of that.
#[track_caller]
fn gives(file: &str, old: &str, description: &Description, expected: &str) {
    let manifest = Manifest::parse(Path::new(file), old.as_bytes()).unwrap();
    let new = listed(&manifest, old, description).unwrap();
    assert_eq!(new, expected, "{new}");
    let manifest = Manifest::parse(Path::new(file), new.as_bytes()).unwrap();
    assert_eq!(listed(&manifest, &new, description).unwrap(), new);
}

const POINT: &str = "
[[types]]
name = 'Point'
kind = 'struct'
fields = [{ name = 'x', type = 'float' }, { name = 'y', type = 'float' }]
";

const OFFERED: &[(&str, &str)] = &[
    ("norm(p: Point) -> float", " The distance\n from the origin.\n\n More.\n"),
    ("ping()", ""),
    (
        "mix(first: array<Point>, second: array<Point>, weights: array<float>) -> array<Point>",
        "A \"mix\" of both",
    ),
];

#[test]
fn a_silent_toml_manifest_gets_everything() {
    gives(
        "plugin.toml",
        r#"# A plugin.
name = "x" # short
version = "1.0.0"
type = "native"

[security]
# Trusted.
sandbox = false"#,
        &description(OFFERED, POINT, false),
        r#"# A plugin.
name = "x" # short
version = "1.0.0"
type = "native"

[security]
# Trusted.
sandbox = false

[[types]]
name = "Point"
kind = "struct"
fields = [{ name = "x", type = "float" }, { name = "y", type = "float" }]

[[functions]]
name = "norm"
params = [{ name = "p", type = "Point" }]
returns = "float"
description = "The distance from the origin."

[[functions]]
name = "ping"

[[functions]]
name = "mix"
params = [
    { name = "first", type = "array<Point>" },
    { name = "second", type = "array<Point>" },
    { name = "weights", type = "array<float>" },
]
returns = "array<Point>"
description = 'A "mix" of both'
"#,
    );
}

#[test]
fn a_silent_json_manifest_gets_everything() {
    gives(
        "plugin.json",
        r#"{
    "name": "x",
    "version": "1.0.0", "type":"native",
    "runtime": {"lazy":   true}
}
"#,
        &description(OFFERED, POINT, false),
        r#"{
    "name": "x",
    "version": "1.0.0", "type":"native",
    "runtime": {"lazy":   true},
    "types": [
        {
            "name": "Point",
            "kind": "struct",
            "fields": [{ "name": "x", "type": "float" }, { "name": "y", "type": "float" }]
        }
    ],
    "functions": [
        {
            "name": "norm",
            "params": [{ "name": "p", "type": "Point" }],
            "returns": "float",
            "description": "The distance from the origin."
        },
        {
            "name": "ping"
        },
        {
            "name": "mix",
            "params": [
                { "name": "first", "type": "array<Point>" },
                { "name": "second", "type": "array<Point>" },
                { "name": "weights", "type": "array<float>" }
            ],
            "returns": "array<Point>",
            "description": "A \"mix\" of both"
        }
    ]
}
"#,
    );
}

/// Renamed, retyped, gone and new; what stays keeps its place, its comments and its descriptions.
const CHANGED: &[(&str, &str)] = &[
    ("added(x: int) -> int", "New"),
    ("ping(times: int, host: string)", ""),
    ("norm(p: Point) -> float?", "The length"),
];

#[test]
fn what_stays_in_toml_keeps_its_comments() {
    gives(
        "plugin.toml",
        r#"name = "x"
version = "1.0.0"
type = "native"

# All of them.
[[functions]] # first
returns = "float" # never negative
name = "norm"
params = [
    # the point
    { name = "p", type = "Point", description = "Any" }, # p
]
# for people
description = "By hand"

# Old.
[[functions]]
name = "gone"

[[functions]]
name = "ping"
description = "By hand"
params = [
    { name = "times", type = "float", description = "How often" }, # more than 0
]
returns = "int"

[[types]]
name = "Point" # 2D
kind = "struct"
fields = [{ name = "x", type = "float" }, { name = "z", type = "float" }]

[[types]]
name = "Mine"
kind = "alias"
base_type = "array<Point>"

# Last.
[security]
sandbox = false
# The end.
"#,
        &description(CHANGED, POINT, false),
        r#"name = "x"
version = "1.0.0"
type = "native"

# All of them.
[[functions]] # first
returns = "float?" # never negative
name = "norm"
params = [
    # the point
    { name = "p", type = "Point", description = "Any" }, # p
]
# for people
description = "The length"

[[functions]]
name = "ping"
description = "By hand"
params = [
    { name = "times", type = "int", description = "How often" }, # more than 0
    { name = "host", type = "string" },
]
returns = "void"

[[functions]]
name = "added"
params = [{ name = "x", type = "int" }]
returns = "int"
description = "New"

[[types]]
name = "Point" # 2D
kind = "struct"
fields = [{ name = "x", type = "float" }, { name = "y", type = "float" }]

[[types]]
name = "Mine"
kind = "alias"
base_type = "array<Point>"

# Last.
[security]
sandbox = false
# The end.
"#,
    );
}

#[test]
fn lists_in_brackets_stay_in_brackets() {
    gives(
        "plugin.toml",
        r#"name = "x"
version = "1.0.0"
type = "native"
functions = [
    { name = "gone" },
    { name = "norm", params = [{ name = "p", type = "Point" }], returns = "float" } # norm
]
types = [{ name = "Point", kind = "struct", fields = [{ name = "x", type = "float" }] }]
"#,
        &description(CHANGED, POINT, false),
        r#"name = "x"
version = "1.0.0"
type = "native"
functions = [
    { name = "norm", params = [{ name = "p", type = "Point" }], returns = "float?", description = "The length" }, # norm
    { name = "added", params = [{ name = "x", type = "int" }], returns = "int", description = "New" },
    { name = "ping", params = [{ name = "times", type = "int" }, { name = "host", type = "string" }] },
]
types = [{ name = "Point", kind = "struct", fields = [{ name = "x", type = "float" }, { name = "y", type = "float" }] }]
"#,
    );
}

#[test]
fn tables_in_tables_stay_tables() {
    gives(
        "plugin.toml",
        r#"name = "x"
version = "1.0.0"
type = "native"

[[functions]]
name = "added"

[[functions.params]]
name = "x"
type = "float" # so far

[[functions]]
name = "ping"
[[functions.params]]
name = "times"
type = "int"
[security]
sandbox = false
"#,
        &description(&CHANGED[..2], "", false),
        r#"name = "x"
version = "1.0.0"
type = "native"

[[functions]]
name = "added"
returns = "int"
description = "New"

[[functions.params]]
name = "x"
type = "int" # so far

[[functions]]
name = "ping"
[[functions.params]]
name = "times"
type = "int"

[[functions.params]]
name = "host"
type = "string"
[security]
sandbox = false
"#,
    );
}

#[test]
fn parameters_in_another_order_are_written_anew() {
    let swapped = [("mix(second: array<Point>, first: array<Point>, weights: array<float>)", "")];
    gives(
        "plugin.toml",
        r#"name = "x"
version = "1.0.0"
type = "native"

[[types]]
name = "Point"
kind = "struct"
fields = [{ name = "x", type = "float" }, { name = "y", type = "float" }]

[[functions]]
name = "mix"
params = [{ name = "first", type = "array<Point>", description = "By hand" }, { name = "second", type = "int" }] # two
"#,
        &description(&swapped, POINT, false),
        r#"name = "x"
version = "1.0.0"
type = "native"

[[types]]
name = "Point"
kind = "struct"
fields = [{ name = "x", type = "float" }, { name = "y", type = "float" }]

[[functions]]
name = "mix"
params = [
    { name = "second", type = "array<Point>" },
    { name = "first", type = "array<Point>", description = "By hand" },
    { name = "weights", type = "array<float>" },
] # two
"#,
    );
}

#[test]
fn what_stays_in_json_stays_as_it_is_written() {
    gives(
        "plugin.json",
        r#"{
  "name": "x", "version": "1.0.0", "type": "native",
  "functions": [
    {"name": "gone"},
    {"name":"added",
      "params": [ {"name": "x", "type": "int"} ], "returns": "int", "description": "New"},
    {"name": "norm", "params": [{"name": "p", "type": "Point"}], "returns": "float"}
  ],
  "types": [{"name": "Point", "kind": "struct", "fields": [{"name": "x", "type": "float"}, {"name": "y", "type": "float"}]}],
  "security": { "sandbox": false }
}"#,
        &description(CHANGED, POINT, false),
        r#"{
  "name": "x", "version": "1.0.0", "type": "native",
  "functions": [
    {"name":"added",
      "params": [ {"name": "x", "type": "int"} ], "returns": "int", "description": "New"},
    {
      "name": "norm",
      "params": [{ "name": "p", "type": "Point" }],
      "returns": "float?",
      "description": "The length"
    },
    {
      "name": "ping",
      "params": [{ "name": "times", "type": "int" }, { "name": "host", "type": "string" }]
    }
  ],
  "types": [{"name": "Point", "kind": "struct", "fields": [{"name": "x", "type": "float"}, {"name": "y", "type": "float"}]}],
  "security": { "sandbox": false }
}"#,
    );
}

#[test]
fn what_says_the_same_in_other_words_stays() {
    let description = description(&[("f(ps: array<Point>) -> array<any>", "")], POINT, false);
    for (file, text) in [
        (
            "plugin.json",
            r#"{"name": "x", "version": "1.0.0", "type": "native",
"types": [{"name": "Points", "kind": "alias", "base_type": "array<Point>"},
          {"name": "Number", "kind": "alias", "base_type": "float"},
          {"name": "Point", "kind": "struct", "fields": [{"name": "x", "type": "Number"}, {"name": "y", "type": "float"}]}],
"functions": [{"name": "f", "params": [{"name": "ps", "type": "Points"}], "returns": "array", "description": "By hand"}]}"#,
        ),
        (
            "plugin.toml",
            r#"name = 'x'
version = '1.0.0'
type = 'native'
functions = [{name = 'f', params = [{name='ps', type='Points'}], returns = 'array'}]
types = [ {name = 'Points', kind = 'alias', base_type = 'array<Point>'}, {name = 'Point', kind = 'struct', fields = [{name='x', type='float'}, {name='y', type='float'}]}]
"#,
        ),
    ] {
        gives(file, text, &description, text);
    }
}

#[test]
fn a_manifest_that_says_everything_is_not_touched() {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/plugins");
    let mut count = 0;
    for folder in plugins.read_dir().unwrap() {
        for name in ["plugin.toml", "plugin.json"] {
            let file = folder.as_ref().unwrap().path().join(name);
            let Ok(text) = std::fs::read_to_string(&file) else { continue };
            let manifest = Manifest::parse(&file, text.as_bytes()).unwrap();
            let description = Description {
                functions: manifest.functions.clone().unwrap(),
                types: manifest.types.values().cloned().collect(),
                partial: false,
            };
            assert_eq!(listed(&manifest, &text, &description).unwrap(), text);
            count += 1;
        }
    }
    assert!(count > 5, "the examples are gone");
}

#[test]
fn a_library_without_functions_is_said_to_have_none() {
    let none = description(&[], "", false);
    let head = "name = \"x\"\nversion = \"1.0.0\"\ntype = \"native\"\n";
    let expected = format!("{head}functions = []\n\n[security]\nsandbox = false\n");
    for list in ["", "[[functions]]\nname = \"gone\"\n\n"] {
        gives("plugin.toml", &format!("{head}\n{list}[security]\nsandbox = false\n"), &none, &expected);
    }
    let head = r#"{"name": "x", "version": "1.0.0", "type": "native""#;
    gives("plugin.json", &format!("{head}}}"), &none, &format!("{head},\n  \"functions\": []}}"));
    let gone = format!("{head}, \"functions\": [{{\"name\": \"gone\"}}]}}");
    gives("plugin.json", &gone, &none, &format!("{head}, \"functions\": []}}"));
}

#[test]
fn only_the_native_functions_of_a_hybrid_are_the_librarys() {
    gives(
        "plugin.toml",
        r#"name = "x"
version = "1.0.0"
type = "hybrid"

[[functions]]
name = "norm"
params = [{ name = "p", type = "int" }]

[[functions]]
name = "ping"
native = true

[[functions]]
name = "gone"
native = true
"#,
        &description(CHANGED, POINT, true),
        r#"name = "x"
version = "1.0.0"
type = "hybrid"

[[functions]]
name = "norm"
params = [{ name = "p", type = "int" }]

[[functions]]
name = "ping"
native = true
params = [{ name = "times", type = "int" }, { name = "host", type = "string" }]

[[types]]
name = "Point"
kind = "struct"
fields = [{ name = "x", type = "float" }, { name = "y", type = "float" }]
"#,
    );
}

#[test]
fn lines_end_as_they_did() {
    let types = "\n[[types]]\nname = 'Colour'\nkind = 'enum'\nvalues = ['red']\n";
    let description = description(&[("f(c: Colour)", "")], types, false);
    gives(
        "plugin.toml",
        "name = \"x\"\r\nversion = \"1.0.0\"\r\ntype = \"native\"\r\n",
        &description,
        "name = \"x\"\r\nversion = \"1.0.0\"\r\ntype = \"native\"\r\n\r\n[[types]]\r\nname = \"Colour\"\r\n\
         kind = \"enum\"\r\nvalues = [\"red\"]\r\n\r\n[[functions]]\r\nname = \"f\"\r\n\
         params = [{ name = \"c\", type = \"Colour\" }]\r\n",
    );
}

#[test]
fn a_handle_has_a_name_and_nothing_more() {
    let types = "\n[[types]]\nname = 'Counter'\nkind = 'handle'\n";
    let description = description(&[("counter::incr(self: Counter) -> int", "")], types, false);
    gives(
        "plugin.toml",
        "name = \"x\"\nversion = \"1.0.0\"\ntype = \"native\"\n",
        &description,
        "name = \"x\"\nversion = \"1.0.0\"\ntype = \"native\"\n\n[[types]]\nname = \"Counter\"\nkind = \"handle\"\n\n\
         [[functions]]\nname = \"counter::incr\"\nparams = [{ name = \"self\", type = \"Counter\" }]\nreturns = \"int\"\n",
    );
}

//! `caraway schema`: the schemas say what the decoders accept.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use caraway::{Code, Manifest};
use jsonschema::Validator;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn schema(name: &str) -> Value {
    let text = std::fs::read_to_string(root().join("interpreter/schemas").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn validator(name: &str) -> Validator {
    jsonschema::validator_for(&schema(name)).unwrap()
}

#[track_caller]
fn accepts(validator: &Validator, value: &Value, of: &str) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{of}: {errors:?}");
}

fn parse(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).unwrap();
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") => serde_json::from_str(&text).unwrap(),
        _ => toml::from_str(&text).unwrap(),
    }
}

/// The blocks of code of a page that are in a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let page = std::fs::read_to_string(root().join("docs/reference").join(page)).unwrap();
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn manifests_that_are_right_are_accepted() {
    let validator = validator("manifest.json");
    let mut seen = 0;
    for folder in ["examples/plugins", "tests/plugins"] {
        for plugin in std::fs::read_dir(root().join(folder)).unwrap() {
            for file in ["plugin.json", "plugin.toml"] {
                let file = plugin.as_ref().unwrap().path().join(file);
                if file.is_file() {
                    accepts(&validator, &parse(&file), &file.to_string_lossy());
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 5, "{seen}");
    // The reference has one with every field.
    accepts(&validator, &serde_json::from_str(&blocks("manifest.md", "json")[0]).unwrap(), "manifest.md");
    accepts(&validator, &toml::from_str(&blocks("manifest.md", "toml")[0]).unwrap(), "manifest.md");
}

/// What a decoder says of a field.
fn unknown(manifest: &Value) -> bool {
    match Manifest::parse(Path::new("plugin.json"), manifest.to_string().as_bytes()) {
        Ok(_) => false,
        Err(error) => {
            std::iter::once(&error).chain(error.others()).any(|error| error.code() == Code::ManifestField)
        }
    }
}

#[test]
fn the_decoder_knows_the_fields_of_the_schema_and_no_others() {
    let schema = schema("manifest.json");
    let validator = validator("manifest.json");
    let names = |object: &Value| -> Vec<String> {
        object["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let with = |key: &str, value: Value| {
        let mut manifest = json!({"name": "p", "version": "1.0.0", "type": "module"});
        manifest[key] = value;
        manifest
    };
    let mut cases: Vec<(Value, bool)> = Vec::new();
    let mut add = |known: Vec<String>, make: &dyn Fn(&str) -> Value| {
        cases.extend(known.iter().map(|name| (make(name), true)));
        cases.push((make("nonsense"), false));
    };
    add(names(&schema), &|name| with(name, json!(null)));
    for part in ["implementation", "security", "runtime"] {
        add(names(&schema["properties"][part]), &|name| with(part, json!({name: null})));
    }
    let definitions = &schema["$defs"];
    add(names(&definitions["function"]), &|name| with("functions", json!([{name: null}])));
    add(names(&definitions["definition"]), &|name| with("types", json!([{name: null}])));
    add(names(&definitions["setting"]), &|name| with("config", json!({"a": {name: null}})));
    for (manifest, known) in cases {
        assert_eq!(unknown(&manifest), !known, "{manifest}");
        assert!(known || !validator.is_valid(&manifest), "{manifest}");
    }
}

#[test]
fn configurations() {
    let validator = validator("config.json");
    for (index, block) in blocks("config.md", "toml").iter().enumerate() {
        let value: Value = toml::from_str(block).unwrap();
        // One of them is a manifest.
        if value.get("name").is_none() {
            accepts(&validator, &value, &format!("block {index} of config.md"));
        }
    }
    let schema = schema("config.json");
    let refused = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("caraway.toml"), text).unwrap();
        let runtime = caraway::Runtime::builder().folder(folder.path()).build().unwrap();
        runtime.eval("1").err().map(|error| error.message().to_owned()).unwrap_or_default()
    };
    let top = schema["properties"].as_object().unwrap();
    let limits = top["limits"]["properties"].as_object().unwrap();
    let wrong = |name: &str| if name == "enabled" { "1" } else { "true" };
    let known = top.keys().map(|name| format!("{name} = {}", wrong(name)));
    let known = known.chain(limits.keys().map(|name| format!("[limits]\n{name} = {}", wrong(name))));
    for text in known {
        let message = refused(&text);
        assert!(!message.is_empty() && !message.contains("unknown field"), "{text}: {message}");
    }
    for text in [
        "nonsense = 1",
        "[limits]\nnonsense = 1",
        "[limits.plugins]\nnonsense = 1",
        "[plugins]\nnonsense = 1",
    ] {
        assert!(refused(text).contains("unknown field"), "{text}");
        assert!(!validator.is_valid(&toml::from_str(text).unwrap()), "{text}");
    }
}

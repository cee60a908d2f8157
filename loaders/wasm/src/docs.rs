//! What a component says of its functions: the comments of its WIT.
//!
//! They are in a section of their own, in the format of `wit-parser`'s `PackageMetadata`: a byte for its version, and
//! JSON. It says nothing that is believed: a section that is not as it should be is as good as none.

use crate::reflect::{callable, interface_name, script_name};
use serde_json::{Map, Value};
use std::collections::HashMap;
use wasmparser::{Chunk, Parser, Payload};

/// What the section is called. The first is the format's own name: in a component it can be about the world's own
/// functions only, since other tools then look for all that it names in a package without interfaces. The second is
/// about the package that the component was built from, and is found before the first.
const SECTIONS: [&str; 2] = ["package-docs", "caraway-package-docs"];

/// The largest section that is read, in bytes.
const MAX_SIZE: usize = 1 << 20;

/// The versions of the format that are known. In the first one, a world's exports are where its imports are.
const VERSIONS: [u8; 2] = [0, 1];

/// The section of a component; nothing if it has none. Those of what it is made of are about something else.
pub(crate) fn section(component: &[u8]) -> &[u8] {
    find(component).filter(|section| section.len() <= MAX_SIZE).unwrap_or_default()
}

fn find(mut rest: &[u8]) -> Option<&[u8]> {
    let mut parser = Parser::new(0);
    let mut found = [None; SECTIONS.len()];
    loop {
        let Chunk::Parsed { consumed, payload } = parser.parse(rest, true).ok()? else { return None };
        rest = rest.get(consumed..)?;
        match payload {
            Payload::CustomSection(custom) => {
                if let Some(at) = SECTIONS.iter().position(|name| custom.name() == *name) {
                    found[at].get_or_insert(custom.data());
                }
            }
            Payload::ModuleSection { unchecked_range, .. }
            | Payload::ComponentSection { unchecked_range, .. } => {
                rest = rest.get(unchecked_range.len()..)?
            }
            Payload::End(_) => return found.into_iter().rev().flatten().next(),
            _ => {}
        }
    }
}

/// What a section says of functions, by what a script calls them.
///
/// A section is about one package, and does not say which of its worlds the component is of. Where two say something
/// of functions of one name, the first is right.
pub(crate) fn functions(section: &[u8]) -> HashMap<String, String> {
    let mut found = HashMap::new();
    let Some((version, json)) = section.split_first() else { return found };
    if !VERSIONS.contains(version) {
        return found;
    }
    let Ok(package) = serde_json::from_slice::<Value>(json) else { return found };
    for (_, world) in entries(&package, "worlds") {
        // Exports before what may be imports.
        for functions in ["func_exports", "funcs"] {
            note("", world, functions, &mut found);
        }
        for interfaces in ["interface_exports", "interfaces"] {
            note_interfaces(world, interfaces, &mut found);
        }
    }
    note_interfaces(&package, "interfaces", &mut found);
    found
}

fn note_interfaces(of: &Value, field: &str, found: &mut HashMap<String, String>) {
    for (name, interface) in entries(of, field) {
        note(&format!("{}::", callable(&interface_name(name))), interface, "funcs", found);
    }
}

fn note(prefix: &str, of: &Value, field: &str, found: &mut HashMap<String, String>) {
    for (name, function) in entries(of, field) {
        if let Some(docs) = function.get("docs").and_then(Value::as_str) {
            found.entry(format!("{prefix}{}", script_name(name))).or_insert_with(|| docs.to_owned());
        }
    }
}

fn entries<'a>(of: &'a Value, field: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    of.get(field).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(sections: &str) -> Vec<u8> {
        wat::parse_str(format!("(component {sections})")).unwrap()
    }

    fn docs(json: &str) -> Vec<(String, String)> {
        let section = [&[1], json.as_bytes()].concat();
        let mut found: Vec<_> = functions(&section).into_iter().collect();
        found.sort();
        found
    }

    #[test]
    fn the_section_is_found_where_it_is_the_components_own() {
        for (sections, found) in [
            ("", ""),
            (r#"(@custom "package-docs" "own")"#, "own"),
            (
                r#"(@custom "other" "no") (core module (func) (memory 1)) (@custom "package-docs" "own")"#,
                "own",
            ),
            (r#"(core module (@custom "package-docs" "a module's"))"#, ""),
            (r#"(component (@custom "package-docs" "a component's"))"#, ""),
            (
                r#"(component (@custom "package-docs" "a component's")) (@custom "package-docs" "own") (@custom "package-docs" "2")"#,
                "own",
            ),
            (r#"(@custom "package-docs" "theirs") (@custom "caraway-package-docs" "own")"#, "own"),
            (r#"(@custom "caraway-package-docs" "own") (@custom "package-docs" "theirs")"#, "own"),
        ] {
            assert_eq!(section(&component(sections)), found.as_bytes(), "{sections}");
        }
        let large = format!(r#"(@custom "package-docs" "{}")"#, "x".repeat(MAX_SIZE + 1));
        assert!(section(&component(&large)).is_empty());
    }

    #[test]
    fn what_is_cut_off_or_changed_is_none_or_another_one() {
        let whole =
            component(r#"(core module (func) (memory 1)) (component) (@custom "package-docs" "own")"#);
        for at in 0..whole.len() {
            assert!(section(&whole[..at]).is_empty(), "{at}");
            for byte in 0..=255 {
                let mut changed = whole.clone();
                changed[at] = byte;
                section(&changed);
            }
        }
    }

    #[test]
    fn functions_are_called_as_a_script_calls_them() {
        let json = r#"{
            "docs": "the package",
            "worlds": {"w": {
                "docs": "the world",
                "func_exports": {"add-up": {"docs": "export"}, "silent": {"stability": "unknown"}},
                "funcs": {"add-up": {"docs": "import"}, "match": {"docs": "reserved"}},
                "interface_exports": {"inline": {"funcs": {"f": {"docs": "in a world"}}}}
            }},
            "interfaces": {"every-type": {
                "funcs": {"[constructor]c": {"docs": "made"}, "[method]c.up": {"docs": "up"}},
                "types": {"c": {"docs": "a type"}}
            }}
        }"#;
        let expected = [
            ("add_up", "export"),
            ("every_type::c", "made"),
            ("every_type::c::up", "up"),
            ("inline::f", "in a world"),
            ("match_", "reserved"),
        ];
        assert_eq!(docs(json), expected.map(|(name, docs)| (name.to_owned(), docs.to_owned())));
    }

    #[test]
    fn what_is_not_as_it_should_be_says_nothing() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let nested = format!(r#"{{"interfaces": {deep}}}"#);
        for json in [
            "",
            "{",
            "[]",
            "null",
            r#"{"interfaces": 1}"#,
            r#"{"interfaces": {"a": []}}"#,
            r#"{"interfaces": {"a": {"funcs": {"f": {"docs": 1}, "g": "g"}}}}"#,
            r#"{"worlds": {"w": {"funcs": null}}}"#,
            "{\"interfaces\": {\"a\": {\"funcs\": {\"f\": {\"docs\": \"\u{0}\"}}}}}",
            &nested,
        ] {
            assert_eq!(docs(json), [], "{json:.80}");
        }
        let good = r#"{"interfaces": {"a": {"funcs": {"f": {"docs": "f"}}}}}"#;
        assert_eq!(docs(good).len(), 1);
        for section in [[&[2], good.as_bytes()].concat(), good.as_bytes().to_vec(), vec![1], Vec::new()] {
            assert!(functions(&section).is_empty());
        }
        assert!(functions(&[&[1], good.as_bytes(), b"\xff"].concat()).is_empty());
    }
}

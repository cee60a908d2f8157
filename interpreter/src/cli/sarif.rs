//! Findings as SARIF 2.1.0, the format that code hosts and editors read.

use super::explain::title;
use crate::diagnostic::{Texts, json_text};
use caraway_loaders_core::{Code, Error};
use serde_json::{Value, json};
use std::path::{Component, Path};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The findings of one run, as a SARIF log.
pub(super) fn log(findings: &[Error], texts: &mut Texts) -> String {
    let mut codes: Vec<Code> = Code::ALL.to_vec();
    codes.retain(|code| findings.iter().any(|finding| finding.code() == *code));
    let rules: Vec<Value> = codes.iter().map(|code| rule(*code)).collect();
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, &codes, texts)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "caraway", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    json_text(&format!("{log:#}\n"))
}

fn rule(code: Code) -> Value {
    json!({"id": code.as_str(), "shortDescription": {"text": title(code)}})
}

fn result(finding: &Error, codes: &[Code], texts: &mut Texts) -> Value {
    let code = finding.code();
    let text = match finding.hint_text() {
        Some(hint) => format!("{} ({hint})", finding.message()),
        None => finding.message().to_owned(),
    };
    let mut result = json!({
        "ruleId": code.as_str(),
        "ruleIndex": codes.iter().position(|other| *other == code),
        "level": if code.is_warning() { "warning" } else { "error" },
        "message": {"text": text},
    });
    if let Some(location) = finding.location().filter(|location| !location.file.as_os_str().is_empty()) {
        let mut physical = json!({"artifactLocation": {"uri": uri(&location.file)}});
        if location.line > 0 {
            physical["region"] = json!({"startLine": location.line});
            if location.column > 0 {
                physical["region"]["startColumn"] = json!(location.column);
            }
            if let Some(end) = texts.end_column(location) {
                physical["region"]["endColumn"] = json!(end);
            }
        }
        result["locations"] = json!([{"physicalLocation": physical}]);
    }
    result
}

/// A path as a URI: relative as it is, absolute with its scheme.
fn uri(path: &Path) -> String {
    let mut uri = if path.is_absolute() { "file://".to_owned() } else { String::new() };
    let parts = path.components().filter(|part| !matches!(part, Component::RootDir | Component::CurDir));
    for (index, part) in parts.enumerate() {
        if index > 0 || path.is_absolute() {
            uri.push('/');
        }
        for byte in part.as_os_str().as_encoded_bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    uri.push(char::from(*byte))
                }
                byte => uri.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        for (path, expected) in [
            ("app.rhai", "app.rhai"),
            ("./a b/ü.rhai", "a%20b/%C3%BC.rhai"),
            ("/srv/app.rhai", "file:///srv/app.rhai"),
            ("../x", "../x"),
        ] {
            assert_eq!(uri(Path::new(path)), expected);
        }
    }
}

//! What manifests may say and no host does yet: the one table of what is refused, and until when.

use super::problems::{Problems, Wrong};
use super::tree::{Node, Value};
use crate::code::Code;

/// A field, or one value of it, that is refused although the schema knows it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Refusal {
    /// The field's dotted path; `*` stands for each element of an array, and for each name in `config`.
    pub field: &'static str,
    /// What of it is refused.
    pub refused: Refused,
    /// What has to be built first.
    pub until: &'static str,
    /// What to do today.
    pub hint: &'static str,
}

/// What of a field is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// Any value.
    Any,
    /// This one of the two.
    Bool(bool),
    /// This text, alone or as an element's only key.
    Text(&'static str),
}

/// Everything that is refused, with [`Code::NotEnforced`].
pub const REFUSED: &[Refusal] = &[
    Refusal {
        field: "hooks",
        refused: Refused::Any,
        until: "hooks are built",
        hint: "remove it; export a function that programs call",
    },
    Refusal {
        field: "commands",
        refused: Refused::Any,
        until: "plugins can add subcommands",
        hint: "remove it; offer a program that is run with `caraway run`",
    },
    Refusal {
        field: "implementation.config",
        refused: Refused::Any,
        until: "a kind of plugin has settings for its loader",
        hint: "remove it; the plugin's own settings are `config`, at the top of the manifest",
    },
    Refusal {
        field: "runtime.environment",
        refused: Refused::Any,
        until: "a plugin can set variables of its process",
        hint: "remove it; ask for `env`, or take settings",
    },
    Refusal {
        field: "runtime.parallel",
        refused: Refused::Bool(false),
        until: "calls can be serialised",
        hint: "remove it and lock inside the plugin",
    },
    Refusal {
        field: "functions.*.async",
        refused: Refused::Bool(true),
        until: "calls can wait without holding their thread",
        hint: "remove it; calls return when the work is done",
    },
    Refusal {
        field: "capabilities.*",
        refused: Refused::Text("hook"),
        until: "hooks are built",
        hint: "remove it",
    },
    Refusal {
        field: "capabilities.*",
        refused: Refused::Text("command"),
        until: "plugins can add subcommands",
        hint: "remove it",
    },
    Refusal {
        field: "type",
        refused: Refused::Text("process"),
        until: "programs can be plugins",
        hint: "use `native`, which runs in a process of its own with `security.sandbox`, or `wasm`",
    },
];

/// Whether this field, as a pattern with `*` for indices, is in the table.
pub(super) fn is_listed(pattern: &str) -> bool {
    REFUSED.iter().any(|refusal| refusal.field == pattern)
}

/// Whether this text is refused in this field.
pub(super) fn refuses(field: &str, text: &str) -> bool {
    REFUSED.iter().any(|refusal| {
        refusal.field == field && matches!(refusal.refused, Refused::Text(refused) if refused == text)
    })
}

/// Adds a problem for all that is refused in a manifest.
pub(super) fn check(root: &Node<'_>, problems: &mut Problems<'_>) {
    for refusal in REFUSED {
        descend(root, refusal.field, refusal, problems);
    }
}

fn descend(node: &Node<'_>, path: &str, refusal: &Refusal, problems: &mut Problems<'_>) {
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    let mut visit = |child: &Node<'_>| match rest {
        "" => refuse(child, refusal, problems),
        rest => descend(child, rest, refusal, problems),
    };
    match (&node.value, step) {
        (Value::Array(items), "*") => items.iter().for_each(visit),
        (Value::Table(entries), "*") => entries.iter().for_each(|entry| visit(&entry.node)),
        (Value::Table(_), step) if step != "*" => node.child(step).into_iter().for_each(&mut visit),
        _ => {}
    }
}

fn refuse(node: &Node<'_>, refusal: &Refusal, problems: &mut Problems<'_>) {
    let field = refusal.field.rsplit('.').find(|step| *step != "*").unwrap_or(refusal.field);
    let what = match (refusal.refused, &node.value) {
        (Refused::Any, _) => format!("`{field}`"),
        (Refused::Bool(refused), Value::Bool(found)) if refused == *found => format!("`{field}: {found}`"),
        (Refused::Bool(_), Value::Bool(_)) => return,
        (Refused::Bool(_), _) => {
            let wrong =
                Wrong::new(format!("`{}` must be true or false, found {}", refusal.field, node.kind()));
            return problems.say(Code::ManifestValue, node.offset, wrong);
        }
        (Refused::Text(refused), Value::String(found)) if refused == found => {
            format!("`{refused}` in `{field}`")
        }
        (Refused::Text(refused), Value::Table(entries)) if entries.iter().any(|e| e.key == refused) => {
            format!("`{refused}` in `{field}`")
        }
        (Refused::Text(_), _) => return,
    };
    let wrong = Wrong::new(format!("{what} is refused until {}", refusal.until)).hint(refusal.hint);
    problems.say(Code::NotEnforced, node.offset, wrong);
}

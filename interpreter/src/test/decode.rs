//! From a file to suites.

use super::expected::{self, Expected, ExpectedError};
use super::expression::{Expression, Place, Reader};
use super::fields::{Fields, Problems};
use super::suite::{Action, Call, Step, Suite, Test};
use super::variables::{self, is_name};
use caraway_loaders_core::manifest::document::{Document, Node, Value};
use caraway_loaders_core::{Code, Error};
use rhai::Dynamic;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

const SUITE: &[&str] =
    &["name", "description", "plugin", "setup", "teardown", "tests", "isolated", "tags", "timeout", "meta"];

const TEST: &[&str] = &[
    "name",
    "description",
    "plugin",
    "function",
    "args",
    "expected",
    "expected_error",
    "timeout",
    "tags",
    "setup",
    "cleanup",
    "skip",
    "ignore",
    "meta",
];

const STEP: &[&str] =
    &["type", "name", "description", "plugin", "function", "args", "assign", "value", "meta"];

/// The suites of a document.
pub(super) fn suites(document: &Document) -> Result<Vec<Suite>, Error> {
    let tree = document.tree(Code::TestFile)?;
    let mut problems = Problems::new(document);
    let mut assigned = BTreeSet::from([variables::RESULT.to_owned()]);
    collect(&tree, &mut assigned);
    let decoder = Decoder { document, reader: Reader { assigned: &assigned, text: document.text() } };
    let nodes = match &tree.value {
        Value::Array(items) => items.iter().collect(),
        _ => vec![&tree],
    };
    let mut suites: Vec<Suite> =
        nodes.into_iter().filter_map(|node| decoder.suite(node, &mut problems)).collect();
    let warnings = problems.into_result()?;
    if let Some(first) = suites.first_mut() {
        first.warnings = warnings;
    }
    Ok(suites)
}

/// All names that steps assign.
fn collect(node: &Node<'_>, assigned: &mut BTreeSet<String>) {
    match &node.value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, assigned)),
        Value::Table(entries) => {
            for entry in entries {
                match (&*entry.key, &entry.node.value) {
                    ("assign", Value::String(name)) => {
                        assigned.insert(variable(name).to_owned());
                    }
                    // Values have no steps in them.
                    ("args" | "expected" | "value" | "meta", _) => {}
                    _ => collect(&entry.node, assigned),
                }
            }
        }
        _ => {}
    }
}

/// The variable that `assign` names, with or without its dollar.
fn variable(name: &str) -> &str {
    name.strip_prefix('$').unwrap_or(name)
}

struct Decoder<'d> {
    document: &'d Document,
    reader: Reader<'d>,
}

impl Decoder<'_> {
    fn suite(&self, node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Suite> {
        let of = Fields::of(node, "a suite", SUITE, problems)?;
        of.check(problems);
        if of.get("tests").is_none() {
            problems.hint(
                node.offset,
                "this is no suite: it has no `tests`",
                "keep what tests only read in a folder below `tests`",
            );
        }
        let stem = || self.document.file().file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let tags = of.strings("tags", problems);
        let timeout = self.timeout(&of, problems);
        let nodes = of.array("tests", problems);
        let mut tests: Vec<Test> = nodes.iter().filter_map(|node| self.test(node, problems)).collect();
        let mut seen: HashMap<String, usize> = HashMap::new();
        for test in &mut tests {
            let count = seen.entry(test.name.clone()).or_default();
            *count += 1;
            if *count > 1 {
                test.name = format!("{}#{count}", test.name);
            }
            test.tags.extend(tags.iter().cloned());
            test.timeout = test.timeout.or(timeout);
        }
        Some(Suite {
            name: of.string("name", problems).map(str::to_owned).or_else(stem).unwrap_or_default(),
            description: of.string("description", problems).map(str::to_owned),
            plugin: of.string("plugin", problems).map(str::to_owned),
            isolated: of.boolean("isolated", problems).unwrap_or(false),
            setup: self.steps(&of, "setup", problems),
            teardown: self.steps(&of, "teardown", problems),
            tests,
            location: self.document.place(node.offset),
            warnings: Vec::new(),
        })
    }

    fn test(&self, node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Test> {
        let of = Fields::of(node, "a test", TEST, problems)?;
        let unknown = of.check(problems);
        let call = self.call(&of, node, problems);
        let expected = self.expected(&of, problems);
        if unknown && matches!(expected, Expected::Success) {
            problems.hint(
                node.offset,
                "this test expects nothing, and has a field that means nothing",
                "what it expects is `expected` or `expected_error`; what is your own goes into `meta`",
            );
        }
        let call = call?;
        Some(Test {
            name: of.string("name", problems).unwrap_or(&call.function).to_owned(),
            description: of.string("description", problems).map(str::to_owned),
            tags: of.strings("tags", problems),
            timeout: self.timeout(&of, problems),
            ignored: ignored(&of, problems),
            meta: of.get("meta").map_or(serde_json::Value::Null, Node::to_json),
            expected,
            call,
            setup: self.steps(&of, "setup", problems),
            cleanup: self.steps(&of, "cleanup", problems),
            location: self.document.place(node.offset),
        })
    }

    /// A `timeout`; 0 is as good as none.
    fn timeout(&self, of: &Fields<'_, '_>, problems: &mut Problems<'_>) -> Option<Duration> {
        of.duration("timeout", problems).filter(|timeout| !timeout.is_zero())
    }

    fn call(&self, of: &Fields<'_, '_>, node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Call> {
        let before = problems.count();
        let function = of.string("function", problems);
        let args = of.array("args", problems);
        let args = args.iter().map(|arg| self.reader.expression(arg, Place::Given, problems)).collect();
        let Some(function) = function else {
            if problems.count() == before {
                problems.say(node.offset, "there is no `function` to call");
            }
            return None;
        };
        if function.trim().is_empty() {
            problems.say(node.offset, "`function` names nothing");
        }
        let plugin = of.string("plugin", problems).map(str::to_owned);
        Some(Call { plugin, function: function.trim().to_owned(), args })
    }

    fn expected(&self, of: &Fields<'_, '_>, problems: &mut Problems<'_>) -> Expected {
        let error = of.get("expected_error").and_then(|node| match &node.value {
            Value::Bool(true) => Some(ExpectedError::default()),
            Value::Bool(false) => None,
            Value::String(text) if !text.trim().is_empty() => Some(ExpectedError::of(text)),
            Value::Table(_) => expected_error(node, problems),
            Value::String(_) => {
                problems.hint(node.offset, "`expected_error` is empty", "any error is `true`");
                None
            }
            _ => {
                let message =
                    format!("`expected_error` is a code or a part of a message, not {}", node.kind());
                problems.say(node.offset, message);
                None
            }
        });
        match (of.raw("expected"), error) {
            (None, None) => Expected::Success,
            (Some(node), None) => Expected::Value(self.reader.expression(node, Place::Expected, problems)),
            (None, Some(error)) => Expected::Error(error),
            // Programs that write all fields write `null` for the one that is not meant.
            (Some(Node { value: Value::Null, .. }), Some(error)) => Expected::Error(error),
            (Some(node), Some(error)) => {
                problems.say(node.offset, "a call cannot both fail and give a value");
                Expected::Error(error)
            }
        }
    }

    fn steps(&self, of: &Fields<'_, '_>, name: &str, problems: &mut Problems<'_>) -> Vec<Step> {
        // One step need not be a list.
        let nodes = match of.get(name) {
            Some(node @ Node { value: Value::Table(_), .. }) => vec![node],
            _ => of.array(name, problems).iter().collect(),
        };
        nodes.into_iter().filter_map(|node| self.step(node, problems)).collect()
    }

    fn step(&self, node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Step> {
        let of = Fields::of(node, "a step", STEP, problems)?;
        of.check(problems);
        let kind = of.string("type", problems).map(str::to_ascii_lowercase);
        let calls = of.get("function").is_some();
        let assign = of.string("assign", problems).map(variable);
        if let (Some(name), Some(node)) = (assign, of.get("assign"))
            && !is_name(name)
        {
            problems.say(node.offset, format!("{name:?} is no name for a variable"));
        }
        let action = match kind.as_deref() {
            Some("call") => self.calls(&of, node, assign, problems)?,
            Some("assign") | None if calls => self.calls(&of, node, assign, problems)?,
            Some("assign") => self.assigns(&of, node, assign, problems)?,
            None if assign.is_some() => self.assigns(&of, node, assign, problems)?,
            Some("delay") => match of.get("value") {
                Some(_) => Action::Delay(of.duration("value", problems)?),
                None => {
                    problems.hint(node.offset, "a delay has to say how long", "`value` is in milliseconds");
                    return None;
                }
            },
            other => {
                let found = other.map_or("no `type`".to_owned(), |kind| format!("the type {kind:?}"));
                let offset = of.get("type").map_or(node.offset, |node| node.offset);
                problems.hint(
                    offset,
                    format!("a step has {found}"),
                    "it is \"call\", \"assign\" or \"delay\"",
                );
                return None;
            }
        };
        Some(Step { action, location: self.document.place(node.offset) })
    }

    fn calls(
        &self,
        of: &Fields<'_, '_>,
        node: &Node<'_>,
        assign: Option<&str>,
        problems: &mut Problems<'_>,
    ) -> Option<Action> {
        if let Some(value) = of.get("value") {
            problems.hint(value.offset, "a step that calls has no `value`", "arguments are `args`");
        }
        Some(Action::Call { call: self.call(of, node, problems)?, assign: assign.map(str::to_owned) })
    }

    fn assigns(
        &self,
        of: &Fields<'_, '_>,
        node: &Node<'_>,
        assign: Option<&str>,
        problems: &mut Problems<'_>,
    ) -> Option<Action> {
        let Some(name) = assign else {
            problems.hint(node.offset, "the step assigns to nothing", "`assign` is the variable's name");
            return None;
        };
        let value = match of.raw("value") {
            Some(value) => self.reader.expression(value, Place::Given, problems),
            None => {
                problems.hint(
                    node.offset,
                    format!("the step assigns nothing to `{name}`"),
                    "give it a `value`, or a `function` to call; `null` is `()`",
                );
                Expression::Literal(Dynamic::UNIT)
            }
        };
        Some(Action::Assign { name: name.to_owned(), value })
    }
}

/// `{ code, message }`.
fn expected_error(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<ExpectedError> {
    let of = Fields::of(node, "`expected_error`", &["code", "message"], problems)?;
    of.check(problems);
    let code = match (of.string("code", problems), of.get("code")) {
        (Some(text), Some(node)) => {
            let code = expected::code(text);
            if code.is_none() {
                problems.hint(
                    node.offset,
                    format!("{text:?} is no code of an error"),
                    "`caraway explain` lists them",
                );
            }
            code
        }
        _ => None,
    };
    Some(ExpectedError::new(code, of.string("message", problems).map(str::to_owned)))
}

/// Why a test is not run: `skip` or `ignore`, true or a reason.
fn ignored(of: &Fields<'_, '_>, problems: &mut Problems<'_>) -> Option<String> {
    ["skip", "ignore"].into_iter().find_map(|name| match &of.get(name)?.value {
        Value::String(reason) => Some(reason.to_string()),
        _ => of.boolean(name, problems).filter(|ignored| *ignored).map(|_| String::new()),
    })
}

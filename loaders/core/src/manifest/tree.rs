//! The values of a file with their places, whether it is JSON or TOML.

use std::borrow::Cow;

/// A value and where it stands, in bytes from the start of the text.
#[derive(Debug)]
pub struct Node<'a> {
    /// Where it begins.
    pub offset: usize,
    /// What it is.
    pub value: Value<'a>,
}

/// What JSON and TOML can say.
#[derive(Debug)]
pub enum Value<'a> {
    /// JSON's `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// A number with a point or an exponent, or an integer that does not fit 64 bits.
    Float(f64),
    /// A string.
    String(Cow<'a, str>),
    /// TOML's dates and times, which no field takes.
    Date,
    /// An array.
    Array(Vec<Node<'a>>),
    /// The entries in the order of the text, duplicate keys included.
    Table(Vec<Entry<'a>>),
}

/// A key with its value.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The key.
    pub key: Cow<'a, str>,
    /// Where the key begins.
    pub offset: usize,
    /// Its value.
    pub node: Node<'a>,
}

impl<'a> Node<'a> {
    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "an integer",
            Value::Float(_) => "a number",
            Value::String(_) => "a string",
            Value::Date => "a date or time",
            Value::Array(_) => "an array",
            Value::Table(_) => "a table",
        }
    }

    /// The value of a table's key or of an array's index.
    pub fn child(&self, step: &str) -> Option<&Node<'a>> {
        match &self.value {
            Value::Table(entries) => entries.iter().find(|e| e.key == step).map(|e| &e.node),
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// The value at the end of a dotted path, or the last one on the way to it.
    pub(crate) fn nearest(&self, path: &str) -> &Node<'a> {
        let mut node = self;
        for step in path.split('.') {
            match node.child(step) {
                Some(child) => node = child,
                None => break,
            }
        }
        node
    }

    /// The same value as JSON, without places.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null | Value::Date => serde_json::Value::Null,
            Value::Bool(bool) => (*bool).into(),
            Value::Int(int) => (*int).into(),
            Value::Float(float) => (*float).into(),
            Value::String(text) => text.as_ref().into(),
            Value::Array(items) => items.iter().map(Node::to_json).collect(),
            Value::Table(entries) => entries.iter().map(|e| (e.key.clone(), e.node.to_json())).collect(),
        }
    }
}

//! Capabilities: what a manifest asks for, what the operator grants, and the one gate that checks both.
#![allow(missing_docs)]
/// What a manifest asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asks {}
/// What the operator grants.
#[derive(Debug, Clone, Default)]
pub struct Grants {}
/// What one plugin, or the program, may do.
#[derive(Debug, Clone, Default)]
pub struct Access {}

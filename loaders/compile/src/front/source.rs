//! What a script offers to its functions.

use super::obstacle;
use caraway_loaders_core::bind::{Bound, imports_of};
use caraway_loaders_script::{Obstacle, Script};
use rhai::{AST, ASTFlags, Dynamic, Position, Stmt};
use std::collections::HashMap;
use std::sync::Arc;

/// A script, with its functions and constants by name.
pub(super) struct Source<'a> {
    script: &'a Script<'a>,
    functions: HashMap<&'a str, Vec<Overload>>,
    /// Constants of the top level; `None` for those that are no literals.
    constants: HashMap<String, Option<Dynamic>>,
    aliases: Vec<String>,
}

/// One of the functions of a name.
struct Overload {
    params: Vec<String>,
    is_method: bool,
}

/// A function's code.
pub(super) struct Definition {
    pub params: Vec<String>,
    pub body: Vec<Stmt>,
}

impl<'a> Source<'a> {
    pub(super) fn new(script: &'a Script<'a>) -> Self {
        let mut functions: HashMap<&str, Vec<Overload>> = HashMap::new();
        for function in script.ast.iter_functions() {
            let params = function.params.iter().map(|&param| param.to_owned()).collect();
            let overload = Overload { params, is_method: function.this_type.is_some() };
            functions.entry(function.name).or_default().push(overload);
        }
        let aliases = imports_of(script.ast).into_iter().map(|import| import.alias).collect();
        Self { script, functions, constants: constants(script.ast), aliases }
    }

    /// The most variables that a function may have at once.
    pub(super) fn max_variables(&self) -> usize {
        self.script.limits.variables
    }

    /// Whether the script has a function of this name, whatever it takes.
    pub(super) fn has(&self, name: &str) -> bool {
        self.functions.contains_key(name)
    }

    /// Whether the script has a function of this name with so many parameters.
    pub(super) fn has_with(&self, name: &str, params: usize) -> bool {
        self.functions
            .get(name)
            .is_some_and(|overloads| overloads.iter().any(|overload| overload.params.len() == params))
    }

    /// The code of a function.
    pub(super) fn definition(&self, name: &str, params: usize) -> Result<Definition, Obstacle> {
        let none =
            || obstacle(format!("there is no function `{name}` with {params} parameters"), Position::NONE);
        let overloads = self.functions.get(name).ok_or_else(none)?;
        let mut same = overloads.iter().filter(|overload| overload.params.len() == params);
        let overload = same.next().ok_or_else(none)?;
        if overload.is_method || same.next().is_some() {
            return Err(obstacle(format!("`{name}` is a method of a type"), Position::NONE));
        }
        let body = self.script.body(name, params);
        Ok(Definition { params: overload.params.clone(), body })
    }

    /// The constant that functions see as `global::NAME`, if it is a literal.
    pub(super) fn constant(&self, name: &str) -> Option<&Dynamic> {
        self.constants.get(name)?.as_ref()
    }

    /// What is imported by an alias.
    pub(super) fn import(&self, alias: &str) -> Option<Arc<Bound>> {
        // Of two imports of one name the last that ran counts, and which that is, is not known here.
        let is_one = self.aliases.iter().filter(|other| *other == alias).count() == 1;
        if is_one { (self.script.import)(alias) } else { None }
    }
}

fn constants(ast: &AST) -> HashMap<String, Option<Dynamic>> {
    let literals: HashMap<&str, Dynamic> =
        ast.iter_literal_variables(true, false).map(|(name, _, value)| (name, value)).collect();
    let mut constants = HashMap::new();
    for statement in ast.statements() {
        if let Stmt::Var(variable, flags, _) = statement
            && flags.contains(ASTFlags::CONSTANT)
        {
            let name = variable.0.name.as_str();
            // The last one of a name counts, and only if it cannot be mistaken for another.
            let value = if constants.contains_key(name) { None } else { literals.get(name).cloned() };
            constants.insert(name.to_owned(), value);
        }
    }
    constants
}

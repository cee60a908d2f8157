//! Goes through scripts and infers what values are.
//!
//! Variables are followed from statement to statement; where branches meet, what is true on all of them is kept. A
//! variable that is changed in a loop, in a `try`, or by a closure is taken for all that it ever is. So the files of a
//! unit are gone through again and again until nothing new is learnt, and only the last time counts.

mod calls;
mod chain;
mod expressions;
mod parameters;
mod qualified;
mod scope;
mod statements;

use super::natives::Natives;
use super::ty::Ty;
use super::unit::Unit;
use caraway_loaders_core::{Error, Type};
use parameters::Mentions;
use rhai::{Position, ScriptFuncDef, Stmt};
use scope::{Scope, Variables};
use std::collections::{HashMap, HashSet};

/// How often files are gone through until what is not settled by then is taken for unknown.
const MAX_PASSES: usize = 12;

/// What has been learnt so far.
#[derive(Default)]
struct Learnt {
    variables: Variables,
    /// What functions give: by file, name and number of parameters.
    returns: HashMap<(usize, String, usize), Ty>,
    /// What functions are given: by the same, in order.
    given: HashMap<(usize, String, usize), Vec<Ty>>,
    changed: bool,
    /// Whether functions are put into maps under names that are computed.
    names_are_open: bool,
    /// Whether to take what is not settled for unknown.
    gave_up: bool,
}

/// One pass through the files of a unit.
pub(super) struct Walk<'a> {
    unit: &'a Unit,
    natives: &'a Natives,
    learnt: Learnt,
    /// The file that is being gone through.
    source: usize,
    scope: Scope,
    /// What `return` gives in the functions and closures that are open.
    returning: Vec<Returning>,
    /// The imports that are used.
    used: HashSet<usize>,
    /// The second parts of paths, `b` in `a::b::f()`: files hand out what they import.
    handed_out: HashSet<String>,
    mentions: Mentions,
    findings: Vec<Error>,
    /// How many `try`s are open: what fails for its value may fail on purpose there.
    trying: usize,
    /// How many of them are around a single statement: that may fail on purpose for a type, too.
    trying_one: usize,
}

/// A function or closure that is open.
struct Returning {
    given: Ty,
    /// What its plugin's manifest says that it gives, and the function's name.
    declared: Option<(Type, String)>,
}

impl<'a> Walk<'a> {
    /// Goes through all files of a unit, and gives what is wrong in them.
    pub(super) fn through(unit: &'a Unit, natives: &'a Natives) -> Vec<Error> {
        let mut walk = Self {
            unit,
            natives,
            learnt: Learnt::default(),
            source: 0,
            scope: Scope::default(),
            returning: Vec::new(),
            used: HashSet::new(),
            handed_out: HashSet::new(),
            mentions: Mentions::of(unit),
            findings: Vec::new(),
            trying: 0,
            trying_one: 0,
        };
        for pass in 1.. {
            walk.learnt.gave_up = pass > MAX_PASSES;
            walk.learnt.changed = false;
            walk.findings.clear();
            walk.once();
            if !walk.learnt.changed || walk.learnt.gave_up {
                break;
            }
        }
        walk.imports();
        walk.findings
    }

    fn once(&mut self) {
        self.learnt.variables.begin();
        for index in 0..self.unit.sources.len() {
            self.source = index;
            let source = &self.unit.sources[index];
            for function in source.ast.iter_fn_def() {
                if !source.closures.contains_key(function.name.as_str()) {
                    self.function(function);
                }
            }
            self.scope = Scope::default();
            self.returning.clear();
            self.returning.push(Returning { given: Ty::Never, declared: None });
            self.statements(source.ast.statements());
        }
    }

    fn function(&mut self, function: &ScriptFuncDef) {
        self.scope = Scope::of_function();
        let declared = self.declared(function);
        for (name, ty) in function.params.iter().zip(self.parameters(function, declared.as_ref())) {
            self.declare(name, ty);
        }
        let returns = declared.map(|signature| (signature.returns, signature.name));
        self.returning.clear();
        self.returning.push(Returning { given: Ty::Never, declared: returns });
        let body = self.unit.sources[self.source].bodies.statements(function);
        let value = self.statements(body);
        self.returned(value, body.last().map_or(function.body.start_position(), Stmt::position));
        if let Some(frame) = self.returning.pop() {
            let key = (self.source, function.name.to_string(), function.params.len());
            let known = self.learnt.returns.entry(key).or_insert(Ty::Never);
            let joined = known.clone().join(&frame.given);
            if *known != joined {
                *known = joined;
                self.learnt.changed = true;
            }
        }
    }

    /// What the manifest says of a function of a plugin's script.
    fn declared(&self, function: &ScriptFuncDef) -> Option<caraway_loaders_core::Signature> {
        let plugin = self.unit.plugin.as_ref().filter(|_| self.source == 0)?;
        let declared = plugin.manifest.function(&function.name)?;
        let fits = declared.signature.params.len() == function.params.len() && !declared.native;
        (fits && function.access == rhai::FnAccess::Public).then(|| declared.signature.clone())
    }

    fn plugin_name(&self) -> std::sync::Arc<str> {
        self.unit.plugin.as_ref().map_or("", |plugin| &plugin.manifest.name).into()
    }

    /// Something is put into a map under a name that is computed: it may be a function, which is called like a method.
    fn put(&mut self, value: &Ty) {
        if (*value == Ty::Fn || value.is_vague()) && !self.learnt.names_are_open {
            self.learnt.names_are_open = true;
            self.learnt.changed = true;
        }
    }

    fn tell(&mut self, error: Error, position: Position) {
        let location = self.unit.sources[self.source].at(position);
        self.findings.push(error.at(location));
    }

    /// Something that fails for the type of a value.
    fn tell_of_type(&mut self, error: Error, position: Position) {
        if self.trying_one == 0 {
            self.tell(error, position);
        }
    }

    /// Something that fails for its value.
    fn tell_of_value(&mut self, error: Error, position: Position) {
        if self.trying == 0 {
            self.tell(error, position);
        }
    }

    /// Imports that are not used, and those that stand twice.
    fn imports(&mut self) {
        use caraway_loaders_core::Code;
        for (index, import) in self.unit.imports.iter().enumerate() {
            let source = &self.unit.sources[import.source];
            let (Some(path), alias) = (&import.path, import.alias.as_str()) else { continue };
            let for_its_effect = match import.target {
                super::unit::Target::File(file) => self.unit.sources[file].acts,
                super::unit::Target::Plugin(_) => false,
                super::unit::Target::Unknown => true,
            };
            let unused = !alias.is_empty() && !self.used.contains(&index) && !self.handed_out.contains(alias);
            if unused && !alias.starts_with('_') && !for_its_effect && !source.is_dynamic {
                let unused = Error::new(Code::UnusedImport, format!("the import {path:?} is not used"));
                let unused = unused.at(source.at(import.position));
                self.findings.push(unused.hint(format!("remove it, or use `{alias}::...`")));
            }
        }
    }
}

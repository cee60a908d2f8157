//! `module::function()` and `module::CONSTANT`.

use super::Walk;
use crate::check::module::Module;
use crate::check::ty::Ty;
use crate::check::unit::Target;
use crate::count::counted;
use caraway_loaders_core::bind::{find_call, suggest};
use caraway_loaders_core::{Code, Error, Signature};
use rhai::{FnAccess, FnCallExpr, Namespace, Position};
use std::sync::Arc;

/// The namespace of a file's own constants.
const GLOBAL: &str = "global";

impl Walk<'_> {
    pub(super) fn qualified_call(&mut self, call: &FnCallExpr, position: Position) -> Ty {
        let args: Vec<Ty> = call.args.iter().map(|arg| self.expr(arg)).collect();
        let (target, inner) = self.resolve(&call.namespace);
        let name = match inner.is_empty() {
            true => call.name.to_string(),
            false => format!("{inner}::{}", call.name),
        };
        match target {
            Target::Unknown => Ty::Any,
            Target::Plugin(module) => self.call_of_plugin(&module, &name, call, &args, position),
            Target::File(_) if !inner.is_empty() => Ty::Any,
            Target::File(file) => self.call_of_file(file, &name, &args, position),
        }
    }

    fn call_of_plugin(
        &mut self,
        module: &Arc<Module>,
        name: &str,
        call: &FnCallExpr,
        args: &[Ty],
        position: Position,
    ) -> Ty {
        let Some(functions) = &module.functions else { return Ty::Any };
        let signatures = functions.iter().map(|function| &function.signature);
        let signature: &Signature = match find_call(&module.name, signatures, name, args.len()) {
            Ok(signature) => signature,
            Err(error) => {
                self.tell(error, position);
                return Ty::Any;
            }
        };
        self.arguments(signature, &module.name, &module.name, args, &call.args);
        let advice = module
            .called(name)
            .find(|function| function.signature.params.len() == args.len())
            .and_then(|function| function.deprecated.as_ref());
        if let Some(advice) = advice {
            let warning = Error::new(Code::Deprecated, format!("`{}::{name}` is deprecated", module.name));
            let warning = if advice.is_empty() { warning } else { warning.hint(advice) };
            self.tell(warning, position);
        }
        Ty::declared(&signature.returns, &module.name)
    }

    fn call_of_file(&mut self, file: usize, name: &str, args: &[Ty], position: Position) -> Ty {
        let unit = self.unit;
        let source = &unit.sources[file];
        if let Some(function) = source.function(name, args.len())
            && function.access == FnAccess::Public
        {
            self.pass(file, name, args);
            if unit.is_dynamic() || self.learnt.gave_up {
                return Ty::Any;
            }
            let key = (file, name.to_owned(), args.len());
            return self.learnt.returns.get(&key).cloned().unwrap_or(Ty::Never);
        }
        let same = source.functions.get(name);
        let public = same.iter().copied().flatten().find(|function| function.access == FnAccess::Public);
        let error = match (public, same) {
            (Some(function), _) => {
                let takes = counted(function.params.len(), "argument");
                let params = function.params.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let wrong = format!("`{name}` takes {takes}, {} given", args.len());
                Error::new(Code::ScriptFailed, wrong)
                    .hint(format!("it is `fn {name}({params})` in {}", source.name))
            }
            (None, Some(_)) => {
                Error::new(Code::ScriptFailed, format!("`{name}` of {} is private", source.name))
                    .hint(format!("remove `private` from `fn {name}` there"))
            }
            (None, None) => {
                let error =
                    Error::new(Code::ScriptFailed, format!("{} has no function `{name}`", source.name));
                match suggest(name, source.functions.keys().map(String::as_str)) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error,
                }
            }
        };
        self.tell(error, position);
        Ty::Any
    }

    pub(super) fn qualified_variable(&mut self, path: &Namespace, name: &str, position: Position) -> Ty {
        let source = &self.unit.sources[self.source];
        let place = if path.position().is_none() { position } else { path.position() };
        if path.root() == GLOBAL {
            if path.path.len() == 1 && !source.constants.contains(name) && !self.unit.is_dynamic() {
                let error = Error::new(Code::ScriptFailed, format!("there is no constant `{name}` here"));
                let error = match suggest(name, source.constants.iter().map(String::as_str)) {
                    Some(near) => error.hint(format!("did you mean `global::{near}`?")),
                    None => error.hint("`global::` is for constants of the file's top level"),
                };
                self.tell(error, place);
            }
            return Ty::Any;
        }
        let (target, inner) = self.resolve(path);
        let (owner, constants) = match &target {
            Target::Plugin(module) if inner.is_empty() && module.functions.is_some() => {
                (format!("`{}`", module.name), module.constants.as_ref())
            }
            Target::File(file) if inner.is_empty() => {
                let source = &self.unit.sources[*file];
                (source.name.clone(), Some(&source.exports))
            }
            _ => return Ty::Any,
        };
        let Some(constants) = constants.filter(|constants| !constants.contains(name)) else { return Ty::Any };
        let error = Error::new(Code::ScriptFailed, format!("{owner} has no constant `{name}`"));
        let function = match &target {
            Target::Plugin(module) => module.called(name).next().is_some(),
            Target::File(file) => self.unit.sources[*file].functions.contains_key(name),
            Target::Unknown => false,
        };
        let error = match suggest(name, constants.iter().map(String::as_str)) {
            _ if function => error.hint(format!("`{name}` is a function: `{name}(...)`")),
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("a file or plugin exports a constant by `export const`"),
        };
        self.tell(error, place);
        Ty::Any
    }

    /// What the first part of a path stands for, and the rest of the path.
    fn resolve(&mut self, path: &Namespace) -> (Target, String) {
        let root = path.root().to_owned();
        let rest: Vec<&str> = path.path.iter().skip(1).map(|part| part.name.as_str()).collect();
        if let Some(first) = rest.first() {
            self.handed_out.insert((*first).to_owned());
        }
        (self.target(&root, path.position()), rest.join("::"))
    }

    fn target(&mut self, alias: &str, position: Position) -> Target {
        let unit = self.unit;
        // Of several, Rhai takes the first one; a closure, the last one that was made when it is called.
        let here = self.scope.aliases.iter().filter(|(name, _)| name == alias).map(|(_, index)| *index);
        let here: Vec<usize> = here.collect();
        if let Some(first) = here.first() {
            self.used.extend(&here);
            return match here.len() {
                1 => unit.imports[*first].target.clone(),
                _ if self.returning.len() > 1 => Target::Unknown,
                _ => unit.imports[*first].target.clone(),
            };
        }
        if alias == GLOBAL || unit.own_modules.contains(&alias) || unit.is_dynamic() {
            return Target::Unknown;
        }
        let anywhere: Vec<usize> = (0..unit.imports.len())
            .filter(|index| unit.imports[*index].source == self.source && unit.imports[*index].alias == alias)
            .collect();
        // A function sees what its callers have imported.
        if self.scope.depth > 0 {
            self.used.extend(&anywhere);
            match anywhere.as_slice() {
                [index] => return unit.imports[*index].target.clone(),
                [] if unit.imports.iter().all(|import| import.alias != alias) => {}
                _ => return Target::Unknown,
            }
        }
        let error = Error::new(Code::ScriptFailed, format!("no module is called `{alias}` here"));
        let names = unit.imports.iter().filter(|import| import.source == self.source);
        let error = match anywhere.first() {
            Some(index) => {
                self.used.insert(*index);
                let import = &unit.imports[*index];
                let line = import.position.line().unwrap_or_default();
                match import.position > position {
                    true => error.hint(format!("it is imported further down, in line {line}")),
                    false => error.hint(format!("it is imported in line {line}, for the block there")),
                }
            }
            None => match suggest(alias, names.map(|import| import.alias.as_str())) {
                Some(near) => {
                    // The slip is told once, not as an import that nobody uses too.
                    let near = near.to_owned();
                    let meant = (0..unit.imports.len()).filter(|index| unit.imports[*index].alias == near);
                    self.used.extend(meant);
                    error.hint(format!("did you mean `{near}`?"))
                }
                None => error.hint(format!("import it first: `import \"{alias}\" as {alias};`")),
            },
        };
        self.tell(error, position);
        Target::Unknown
    }

    /// Whether a name is one of a module that this file imports.
    pub(super) fn has_alias(&self, name: &str) -> bool {
        self.unit.imports.iter().any(|import| import.source == self.source && import.alias == name)
    }
}

//! Calls that name no module.

use super::Walk;
use crate::check::fits::{Step, fits};
use crate::check::natives::{Called, KEYWORDS, Natives, made_by};
use crate::check::ty::Ty;
use crate::count::counted;
use caraway_loaders_core::bind::{suggest, wrong_type};
use caraway_loaders_core::{Code, Error, Signature};
use rhai::{Expr, FnCallExpr, FnPtr, Position};

impl Walk<'_> {
    /// What a call or an operator gives.
    pub(super) fn call(&mut self, call: &FnCallExpr, position: Position) -> Ty {
        if call.is_qualified() {
            return self.qualified_call(call, position);
        }
        if let Some(ty) = self.captured(call) {
            return ty;
        }
        let args: Vec<Ty> = call.args.iter().map(|arg| self.expr(arg)).collect();
        if call.is_operator_call() {
            if let ("/" | "%", [Ty::Int, _], Some(Expr::IntegerConstant(0, _))) =
                (call.name.as_str(), args.as_slice(), call.args.get(1))
            {
                self.tell_of_value(Error::new(Code::ScriptFailed, "an int is divided by zero"), position);
            }
            return self.operate(&call.name, &args, position);
        }
        self.plain_call(call, &args, position)
    }

    /// A closure that captures variables: Rhai writes it as a call of `curry` with them.
    fn captured(&mut self, call: &FnCallExpr) -> Option<Ty> {
        let (Some(Expr::DynamicConstant(value, _)), "curry") = (call.args.first(), call.name.as_str()) else {
            return None;
        };
        let name = value.read_lock::<FnPtr>()?.fn_name().to_owned();
        self.closure(&name, call.args.len() - 1);
        Some(Ty::Fn)
    }

    fn plain_call(&mut self, call: &FnCallExpr, args: &[Ty], position: Position) -> Ty {
        let name = call.name.as_str();
        let unit = self.unit;
        if unit.sources[self.source].function(name, args.len()).is_some() {
            self.pass(self.source, name, args);
            if unit.is_dynamic() || self.learnt.gave_up {
                return Ty::Any;
            }
            let key = (self.source, name.to_owned(), args.len());
            return self.learnt.returns.get(&key).cloned().unwrap_or(Ty::Never);
        }
        if let Some(first) = call.args.first().filter(|_| !Natives::only_reads(name)) {
            self.changed_by_function(first, name);
        }
        match (name, args.len()) {
            ("print" | "debug", 0..=1) => return Ty::Unit,
            ("type_of", 1) => return Ty::TEXT,
            ("is_def_var" | "is_def_fn" | "is_shared", _) => return Ty::Bool,
            ("Fn", 1) => {
                self.named(call);
                return Ty::Fn;
            }
            ("curry", 2..) => return Ty::Fn,
            ("exit", 0..=1) => return if unit.plugin.is_none() { Ty::Never } else { Ty::Any },
            ("eval", 1) | ("call", 1..) => return Ty::Any,
            _ => {}
        }
        if let Some(made) = made_by(name, args) {
            return made;
        }
        let called = self.natives.call(name, args);
        if let Called::Gives(ty) = called {
            return ty;
        }
        let elsewhere = unit.sources.iter().enumerate().any(|(index, source)| {
            // What imports a file may define what the file calls.
            index != self.source && self.source > 0 && source.functions.contains_key(name)
        });
        let method = unit.modules().any(|module| {
            module.functions.is_none() || module.passes_on || module.methods().any(|method| method == name)
        }) && args
            .first()
            .is_some_and(|first| matches!(first, Ty::Any | Ty::Never | Ty::Maybe(_) | Ty::Handle { .. }));
        if unit.is_dynamic() || elsewhere || method {
            return Ty::Any;
        }
        self.no_function(name, args, &called, position);
        Ty::Any
    }

    /// `Fn("name")`.
    fn named(&mut self, call: &FnCallExpr) {
        let Some(Expr::StringConstant(name, position)) = call.args.first() else { return };
        let unit = self.unit;
        let known = self.natives.has(name)
            || unit.is_dynamic()
            || unit.sources.iter().any(|source| source.functions.contains_key(name.as_str()))
            || unit
                .modules()
                .any(|module| module.functions.is_none() || module.methods().any(|method| method == *name));
        if !known {
            let own = unit.sources[self.source].functions.keys().map(String::as_str);
            let error = Error::new(Code::ScriptFailed, format!("there is no function `{name}`"));
            let error = match suggest(name, own) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error,
            };
            self.tell(error, *position);
        }
    }

    fn no_function(&mut self, name: &str, args: &[Ty], why: &Called, position: Position) {
        let unit = self.unit;
        let source = &unit.sources[self.source];
        if let Some(other) = source.functions.get(name).and_then(|others| others.first()) {
            let takes = counted(other.params.len(), "argument");
            let wrong = format!("`{name}` takes {takes}, {} given", args.len());
            let params = other.params.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let wrong = Error::new(Code::ScriptFailed, wrong).hint(format!("it is `fn {name}({params})`"));
            return self.tell(wrong, position);
        }
        let shown = args.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let error = match why {
            Called::Unknown if !KEYWORDS.contains(&name) => {
                Error::new(Code::ScriptFailed, format!("there is no function `{name}`"))
            }
            _ => {
                let wrong = Error::new(Code::ScriptFailed, format!("there is no function `{name}({shown})`"));
                let wrong = wrong.hint(format!("there is a `{name}` that takes other arguments"));
                return match why {
                    Called::OtherTypes => self.tell_of_type(wrong, position),
                    _ => self.tell(wrong, position),
                };
            }
        };
        let imports = unit.imports.iter().filter(|import| import.source == self.source);
        let offered = imports.clone().find_map(|import| match &import.target {
            super::super::unit::Target::Plugin(module) => {
                module.called(name).next().map(|_| format!("{}::{name}", import.alias))
            }
            super::super::unit::Target::File(file) => {
                let functions = &unit.sources[*file].functions;
                functions.contains_key(name).then(|| format!("{}::{name}", import.alias))
            }
            super::super::unit::Target::Unknown => None,
        });
        let is_variable = self.scope.find(name).is_some();
        let own = source.functions.keys().map(String::as_str);
        let error = match offered {
            Some(offered) => error.hint(format!("did you mean `{offered}`?")),
            None if is_variable => {
                error.hint(format!("a function in a variable is called by `{name}.call(...)`"))
            }
            None => match suggest(name, own).or_else(|| suggest(name, self.natives.names())) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error,
            },
        };
        self.tell(error, position);
    }

    /// What a function of the engine does to its first argument, which it may be given by reference.
    fn changed_by_function(&mut self, first: &Expr, name: &str) {
        match first {
            Expr::Variable(variable, ..) if variable.2.is_empty() => {
                let Some(slot) = self.scope.find(&variable.1) else { return };
                let ty = if name == "take" { Ty::Any } else { self.value_of(slot).changed_inside() };
                self.assign(slot, ty);
            }
            _ => {}
        }
    }

    /// Compares arguments with a signature of which messages name the owner.
    pub(super) fn arguments(
        &mut self,
        signature: &Signature,
        owner: &str,
        plugin: &str,
        args: &[Ty],
        exprs: &[Expr],
    ) {
        for (index, (param, arg)) in signature.params.iter().zip(args).enumerate() {
            let Err(misfit) = fits(&param.ty, arg, plugin) else { continue };
            let wrong = wrong_type(owner, signature, index, &misfit.expected, &misfit.found, &misfit.path());
            let position = exprs.get(index).map_or(Position::NONE, |expr| place_of(expr, &misfit.path));
            self.tell_of_type(wrong, position);
        }
    }
}

/// Where a part of a literal stands; of anything else, where it begins.
fn place_of(expr: &Expr, path: &[Step]) -> Position {
    let inner = match (expr, path.first()) {
        (Expr::Array(items, _), Some(Step::Item(index))) => items.get(*index),
        (Expr::Map(parts, _), Some(Step::Key(key))) => {
            parts.0.iter().find(|(name, _)| name.name.as_str() == key).map(|(_, value)| value)
        }
        _ => None,
    };
    match inner {
        Some(inner) => place_of(inner, &path[1..]),
        None => expr.start_position(),
    }
}

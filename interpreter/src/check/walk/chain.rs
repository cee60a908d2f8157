//! `a.b[c].d(e)`.

use super::Walk;
use crate::check::natives::{Called, Natives, made_by};
use crate::check::ty::{Entries, Items, Ty};
use crate::check::unit::Target;
use crate::count::counted;
use caraway_loaders_core::bind::{find_call, suggest};
use caraway_loaders_core::{Code, Error, Signature};
use rhai::{ASTFlags, BinaryExpr, Expr, FnCallExpr, Position};
use std::sync::Arc;

impl Walk<'_> {
    /// What a chain gives.
    pub(super) fn chain(&mut self, expr: &Expr) -> Ty {
        match expr {
            Expr::Dot(parts, flags, _) => {
                let base = self.expr(&parts.lhs);
                let ty = self.after_dot(base, expr, &parts.rhs, *flags);
                self.settle(ty, *flags)
            }
            Expr::Index(parts, flags, _) => {
                let base = self.expr(&parts.lhs);
                self.after_bracket(base, expr, parts, *flags)
            }
            _ => Ty::Any,
        }
    }

    /// `?.` and `?[` give `()` for `()`.
    fn settle(&self, ty: Ty, flags: ASTFlags) -> Ty {
        if flags.intersects(ASTFlags::NEGATED) { Ty::Any } else { ty }
    }

    /// What follows a dot; `whole` is the chain, whose root a method may change.
    fn after_dot(&mut self, base: Ty, whole: &Expr, rest: &Expr, flags: ASTFlags) -> Ty {
        // After `?.`, what is there is not `()`.
        let base = match base {
            Ty::Maybe(inner) if flags.intersects(ASTFlags::NEGATED) => (*inner).clone(),
            Ty::Unit if flags.intersects(ASTFlags::NEGATED) => Ty::Never,
            base => base,
        };
        match rest {
            Expr::Dot(parts, flags, _) => {
                let ty = self.link(base, whole, &parts.lhs);
                let ty = self.after_dot(ty, whole, &parts.rhs, *flags);
                self.settle(ty, *flags)
            }
            Expr::Index(parts, flags, _) => {
                let ty = self.link(base, whole, &parts.lhs);
                self.after_bracket(ty, whole, parts, *flags)
            }
            link => self.link(base, whole, link),
        }
    }

    fn after_bracket(&mut self, base: Ty, whole: &Expr, parts: &BinaryExpr, flags: ASTFlags) -> Ty {
        let ends = flags.intersects(ASTFlags::BREAK);
        let ty = match &parts.rhs {
            Expr::Dot(next, flags, _) if !ends => {
                let ty = self.item(&base, &next.lhs);
                let ty = self.after_dot(ty, whole, &next.rhs, *flags);
                self.settle(ty, *flags)
            }
            Expr::Index(next, flags, _) if !ends => {
                let ty = self.item(&base, &next.lhs);
                self.after_bracket(ty, whole, next, *flags)
            }
            index => self.item(&base, index),
        };
        self.settle(ty, flags)
    }

    fn item(&mut self, of: &Ty, index: &Expr) -> Ty {
        let ty = self.expr(index);
        if let (Ty::Array(Items::Each(parts)), Expr::IntegerConstant(place, position)) = (of, index)
            && usize::try_from(*place).is_ok_and(|place| place >= parts.types.len())
        {
            let items = counted(parts.types.len(), "item");
            let wrong = format!("there is no item {place} in an array of {items}");
            self.tell_of_value(Error::new(Code::ScriptFailed, wrong).hint("the first one is 0"), *position);
        }
        item(of, &ty)
    }

    fn link(&mut self, base: Ty, whole: &Expr, link: &Expr) -> Ty {
        match link {
            Expr::Property(property, position) => self.property(&base, &property.2, *position),
            Expr::MethodCall(call, position) => self.method(&base, whole, call, *position),
            other => {
                self.expr(other);
                Ty::Any
            }
        }
    }

    fn property(&mut self, of: &Ty, name: &str, position: Position) -> Ty {
        match of {
            Ty::Map(Entries::Each(parts)) => parts.types.get(name).cloned().unwrap_or(Ty::Any),
            Ty::Map(Entries::Struct(definition)) => {
                let field = definition.fields.iter().find(|field| field.name == name);
                field.map_or(Ty::Any, |field| Ty::declared(&field.ty, &Arc::from("")))
            }
            Ty::Map(Entries::All(item)) if **item != Ty::Any => (**item).clone().or_unit(),
            Ty::Any | Ty::Never | Ty::Maybe(_) | Ty::Map(_) | Ty::Range => Ty::Any,
            Ty::Handle { class, plugin } => self.member(class, plugin, name, None, position),
            known => match self.natives.property(name, known) {
                Called::Gives(ty) => match (name, known) {
                    ("len", Ty::Ints | Ty::Floats) => Ty::Int,
                    _ => ty,
                },
                why => {
                    let error = Error::new(Code::ScriptFailed, format!("{known} has no property `{name}`"));
                    let error = match suggest(name, self.natives.properties(known)) {
                        Some(near) => error.hint(format!("did you mean `{near}`?")),
                        None if matches!(
                            self.natives.call(name, std::slice::from_ref(known)),
                            Called::Gives(_)
                        ) =>
                        {
                            error.hint(format!("it is a method: `{name}()`"))
                        }
                        None => error,
                    };
                    match why {
                        Called::OtherTypes => self.tell_of_type(error, position),
                        _ => self.tell(error, position),
                    }
                    Ty::Any
                }
            },
        }
    }

    fn method(&mut self, of: &Ty, whole: &Expr, call: &FnCallExpr, position: Position) -> Ty {
        let args: Vec<Ty> = call.args.iter().map(|arg| self.expr(arg)).collect();
        let name = call.name.as_str();
        if let ("set", [key, value]) = (name, args.as_slice())
            && !matches!(key, Ty::String(Some(_)))
        {
            self.put(value);
        }
        let own = self.unit.sources[self.source].function(name, args.len()).is_some();
        if !own && matches!(of, Ty::Array(_) | Ty::Map(_)) && Natives::changes(name) {
            self.refuse_constant(whole);
        }
        if own || !Natives::only_reads(name) {
            self.changed_by(whole, name, own);
        }
        match of {
            Ty::Handle { class, plugin } if !own => {
                self.member(class, plugin, name, Some((&args, call)), position)
            }
            Ty::Never => Ty::Any,
            _ if matches!(name, "call" | "curry") => Ty::Any,
            _ if own || self.might_be_a_function(name) => Ty::Any,
            Ty::Map(Entries::Each(parts)) if parts.types.contains_key(name) => Ty::Any,
            Ty::Any | Ty::Maybe(_) | Ty::Map(_) | Ty::Range | Ty::Handle { .. } => {
                self.unknown_method(of, name, &args, position)
            }
            known => {
                let all: Vec<Ty> = std::iter::once(known.clone()).chain(args.iter().cloned()).collect();
                if let Some(made) = made_by(name, &all) {
                    return made;
                }
                match self.natives.call(name, &all) {
                    Called::Gives(ty) => ty,
                    _ if crate::check::natives::KEYWORDS.contains(&name) => Ty::Any,
                    wrong => self.no_method(known, name, &args, &wrong, position),
                }
            }
        }
    }

    /// What a method does to the variable at the root of a chain.
    fn changed_by(&mut self, whole: &Expr, name: &str, own: bool) {
        let (Expr::Dot(parts, ..) | Expr::Index(parts, ..)) = whole else { return };
        let direct = matches!(&parts.rhs, Expr::MethodCall(..))
            || matches!(&parts.rhs, Expr::Dot(inner, ..) if matches!(inner.lhs, Expr::MethodCall(..)));
        match &parts.lhs {
            // `this = ...` in a function of the script, a function that takes the value away.
            Expr::Variable(variable, ..)
                if direct && variable.2.is_empty() && (own || matches!(name, "take" | "call")) =>
            {
                if let Some(slot) = self.scope.find(&variable.1) {
                    self.assign(slot, Ty::Any);
                }
            }
            _ => self.changed_inside(whole),
        }
    }

    /// Whether a method may be a function that somebody put into a map.
    fn might_be_a_function(&self, name: &str) -> bool {
        let sources = &self.unit.sources;
        sources.iter().any(|source| source.functions.contains_key(name) && !self.natives.has(name))
            && !sources[self.source].functions.contains_key(name)
    }

    /// A method of something that is not known.
    fn unknown_method(&mut self, of: &Ty, name: &str, args: &[Ty], position: Position) -> Ty {
        let unit = self.unit;
        let known = self.natives.has(name)
            || unit.is_dynamic()
            || self.learnt.names_are_open
            || unit.imports.iter().any(|import| matches!(import.target, Target::Unknown))
            || unit
                .sources
                .iter()
                .any(|source| source.mentioned.contains(name) || source.functions.contains_key(name))
            || unit
                .modules()
                .any(|module| module.functions.is_none() || module.methods().any(|method| method == name));
        // Through plugins with dependencies, handles of others may come.
        let handles = of.is_vague() && unit.modules().any(|module| module.passes_on);
        if !known && !handles {
            return self.no_method(of, name, args, &Called::Unknown, position);
        }
        match self.natives.call(name, &[std::slice::from_ref(of), args].concat()) {
            Called::Gives(ty) if matches!(of, Ty::Map(_)) => ty,
            _ => Ty::Any,
        }
    }

    fn no_method(&mut self, of: &Ty, name: &str, args: &[Ty], why: &Called, position: Position) -> Ty {
        let source = &self.unit.sources[self.source];
        let others = source.functions.get(name);
        let of_what = if of.is_vague() { String::new() } else { format!(" of {of}") };
        let error = match why {
            _ if others.is_some() => {
                let takes = others.and_then(|others| others.first()).map_or(0, |other| other.params.len());
                let takes = counted(takes, "argument");
                Error::new(
                    Code::ScriptFailed,
                    format!("the method `{name}` takes {takes}, {} given", args.len()),
                )
            }
            Called::OtherTypes | Called::OtherCount if !args.is_empty() => {
                let args: Vec<String> = args.iter().map(ToString::to_string).collect();
                Error::new(
                    Code::ScriptFailed,
                    format!("there is no method `{name}({})`{of_what}", args.join(", ")),
                )
            }
            _ => {
                let error = Error::new(Code::ScriptFailed, format!("there is no method `{name}`{of_what}"));
                let own = source.functions.keys().map(String::as_str);
                let natives = self.natives.names().filter(|near| *near != name);
                match suggest(name, own).or_else(|| suggest(name, natives)) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error,
                }
            }
        };
        match why {
            Called::OtherTypes if others.is_none() => self.tell_of_type(error, position),
            _ => self.tell(error, position),
        }
        Ty::Any
    }

    /// A method of a handle, or a property.
    fn member(
        &mut self,
        class: &Arc<str>,
        plugin: &Arc<str>,
        name: &str,
        call: Option<(&[Ty], &FnCallExpr)>,
        position: Position,
    ) -> Ty {
        let unit = self.unit;
        let Some(module) = unit.modules().find(|module| module.name == *plugin) else { return Ty::Any };
        if module.functions.is_none() {
            return Ty::Any;
        }
        let members: Vec<Signature> = module
            .members(class)
            .map(|(last, function)| Signature { name: last.to_owned(), ..function.signature.clone() })
            .collect();
        let owner: Arc<str> = format!("{class} of `{plugin}`").into();
        let general =
            call.is_some() && matches!(name, "to_string" | "to_debug" | "type_of" | "is_shared" | "tag");
        if general {
            return Ty::Any;
        }
        let found = members.iter().find(|member| member.name == name);
        let Some(found) = found else {
            let what = if call.is_some() { "method" } else { "property" };
            let error = Error::new(Code::UnknownFunction, format!("{owner} has no {what} `{name}`"));
            let error = match suggest(name, members.iter().map(|member| member.name.as_str())) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error,
            };
            self.tell(error, position);
            return Ty::Any;
        };
        if let Some((args, call)) = call {
            let shown = |signature: &Signature| Signature {
                params: signature.params.iter().skip(1).cloned().collect(),
                ..signature.clone()
            };
            let methods: Vec<Signature> = members.iter().map(shown).collect();
            match find_call(class, methods.iter(), name, args.len()) {
                Err(error) => self.tell(error, position),
                Ok(signature) => self.arguments(signature, class, plugin, args, &call.args),
            }
        }
        Ty::declared(&found.returns, plugin)
    }
}

/// What is at an index.
fn item(of: &Ty, index: &Ty) -> Ty {
    match (of, index) {
        (Ty::Array(items), Ty::Int) => items.item(),
        (Ty::Array(_), Ty::Range) => Ty::array(),
        (Ty::String(_), Ty::Int) => Ty::Char,
        (Ty::String(_), Ty::Range) => Ty::TEXT,
        (Ty::Ints | Ty::Bytes, Ty::Int) => Ty::Int,
        (Ty::Floats, Ty::Int) => Ty::Float,
        (Ty::Map(Entries::Each(parts)), Ty::String(Some(key))) => {
            parts.types.get(&**key).cloned().unwrap_or(Ty::Any)
        }
        (Ty::Map(Entries::All(item)), Ty::String(_)) if **item != Ty::Any => (**item).clone().or_unit(),
        _ => Ty::Any,
    }
}

//! Calls.

use super::arguments::Arguments;
use super::body::{Body, named};
use super::operator::{binary, to_float};
use super::session::Key;
use super::{known, obstacle, params};
use crate::ir::{Expr, Import, Kind, SiteKind, Type};
use caraway_loaders_core::Type as Declared;
use caraway_loaders_script::Obstacle;
use rhai::{FnCallExpr, Position, Token};

impl Body<'_, '_> {
    /// A call of a function, or an operator, which Rhai writes as one.
    pub(super) fn call(&mut self, call: &FnCallExpr, position: Position) -> Result<Expr, Obstacle> {
        if call.capture_parent_scope {
            return Err(obstacle(format!("`{}!`, which sees the caller's variables", call.name), position));
        }
        let arguments = match self.arguments(&call.args, position)? {
            Arguments::Ends(end) => return Ok(end),
            Arguments::Values(values) => values,
        };
        if !call.namespace.is_empty() {
            return self.imported(&call.namespace.to_string(), &call.name, arguments, position);
        }
        match &call.op_token {
            Some(token) => self.operator(token, arguments, position),
            None if self.session.source.has_with(&call.name, arguments.len()) => {
                self.compiled(&call.name, arguments, position)
            }
            None => self.builtin(&call.name, arguments, position),
        }
    }

    fn operator(
        &mut self,
        token: &Token,
        mut arguments: Vec<Expr>,
        position: Position,
    ) -> Result<Expr, Obstacle> {
        match (binary(token), arguments.len()) {
            (Some(operator), 2) => self.operation(operator, arguments, position),
            (_, 1) => self.unary(token, arguments.swap_remove(0), position),
            _ => Err(obstacle(format!("`{token}`"), position)),
        }
    }

    /// A function of the script.
    fn compiled(&mut self, name: &str, arguments: Vec<Expr>, position: Position) -> Result<Expr, Obstacle> {
        let params = arguments.iter().map(|argument| argument.ty).collect();
        let key = Key { name: name.to_owned(), params, is_void: false };
        let id = self.session.function(&key).map_err(|inner| {
            // Of what is wrong with a function's whole, the call is as good a place as any.
            if inner.position.is_none() { obstacle(inner.what, position) } else { inner }
        })?;
        self.makes_buffers(self.session.buffers(id), position)?;
        let ty = self.session.result(id);
        let site = self.site(position, SiteKind::Call(name.to_owned()));
        Ok(Expr { kind: Kind::Call(id, arguments, site), ty })
    }

    /// A function of an imported module: the one that is declared with these types, or with floats for ints if
    /// there is no other.
    fn imported(
        &mut self,
        alias: &str,
        name: &str,
        arguments: Vec<Expr>,
        position: Position,
    ) -> Result<Expr, Obstacle> {
        let types: Vec<Type> = arguments.iter().map(|argument| argument.ty).collect();
        let of = |what: &str| obstacle(format!("`{alias}::{name}`, {what}"), position);
        if types.iter().any(|ty| matches!(ty, Type::Ints | Type::Floats)) {
            return Err(of("which is given a buffer"));
        }
        let bound = self.session.source.import(alias).ok_or_else(|| of("which is of no known module"))?;
        let called = bound.aliases.iter().find(|(other, _)| other == name).map_or(name, |(_, name)| name);
        let same: Vec<_> = bound
            .signatures
            .iter()
            .filter(|signature| signature.name == called && signature.params.len() == types.len())
            .collect();
        let [signature] = same[..] else {
            return Err(of("which takes other arguments, or is there more than once"));
        };
        let params = params(signature).ok_or_else(|| of("which takes what is no number or bool"))?;
        let result = match &signature.returns {
            Declared::Void => Type::Unit,
            other => known(other).ok_or_else(|| of("which gives what is no number or bool"))?,
        };
        let mut given = Vec::with_capacity(arguments.len());
        for (argument, param) in arguments.into_iter().zip(&params) {
            given.push(match (argument.ty, param) {
                (is, wanted) if is == *wanted => argument,
                (Type::Int, Type::Float) => to_float(argument),
                (is, wanted) => {
                    return Err(of(&format!("which takes {} and not {}", named(*wanted), named(is))));
                }
            });
        }
        if matches!(result, Type::Ints | Type::Floats) {
            return Err(of("which gives a buffer"));
        }
        let (alias, function) = (alias.to_owned(), name.to_owned());
        let id = self.session.import(Import { alias, function, params, result });
        let site = self.site(position, SiteKind::Import(id));
        Ok(Expr { kind: Kind::CallImport(id, given, site), ty: result })
    }

    /// `value.name(arguments)`.
    pub(super) fn method(
        &mut self,
        name: &str,
        value: Expr,
        mut arguments: Vec<Expr>,
        position: Position,
    ) -> Result<Expr, Obstacle> {
        if self.session.source.has(name) {
            // Rhai would look for one that takes `this`.
            return Err(obstacle(format!("`{name}` as a method of {}", named(value.ty)), position));
        }
        if value.ty == Type::Unit {
            return Err(obstacle(format!("`{name}` of ()"), position));
        }
        arguments.insert(0, value);
        self.builtin(name, arguments, position)
    }
}

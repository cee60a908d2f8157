//! `throw`.

use super::arguments::Arguments;
use super::body::{Body, named, sequence};
use super::obstacle;
use crate::ir::{Expr, Kind, Piece, SiteKind, Type};
use caraway_loaders_script::Obstacle;
use rhai::Expr as Source;
use rhai::{Position, Token};

impl Body<'_, '_> {
    /// `throw` of a scalar, of nothing, or of a text with scalars in it.
    pub(super) fn throw(&mut self, value: Option<&Source>, position: Position) -> Result<Expr, Obstacle> {
        let Some(value) = value else {
            let site = self.site(position, SiteKind::Throw(Type::Unit));
            return Ok(thrown(Vec::new(), site));
        };
        if is_text(value) {
            return self.throw_text(value, position);
        }
        let value = self.expression(value)?;
        let site = SiteKind::Throw(value.ty);
        match value.ty {
            Type::Never => Ok(value),
            Type::Ints | Type::Floats => Err(obstacle(format!("`throw` of {}", named(value.ty)), position)),
            Type::Unit => {
                let site = self.site(position, site);
                Ok(sequence(vec![value, thrown(Vec::new(), site)]))
            }
            _ => {
                let mut first = Vec::new();
                let values = self.kept(vec![value], &mut first);
                let site = self.site(position, site);
                first.push(thrown(values, site));
                Ok(sequence(first))
            }
        }
    }

    fn throw_text(&mut self, value: &Source, position: Position) -> Result<Expr, Obstacle> {
        let mut parts = Vec::new();
        parts_of(value, &mut parts);
        let values = parts.iter().filter(|part| !is_text(part)).copied();
        let values = match self.arguments(values, position)? {
            Arguments::Ends(end) => return Ok(end),
            Arguments::Values(values) => values,
        };
        if let Some(buffer) = values.iter().find(|value| matches!(value.ty, Type::Ints | Type::Floats)) {
            return Err(obstacle(format!("a string with {} in it", named(buffer.ty)), position));
        }
        let mut types = values.iter().map(|value| value.ty);
        let pieces = parts.iter().filter_map(|part| match part {
            Source::StringConstant(text, _) => Some(Piece::Text(text.to_string())),
            _ => types.next().map(Piece::Value),
        });
        let pieces = pieces.collect();
        let mut first = Vec::new();
        let values = self.kept(values, &mut first);
        let site = self.site(position, SiteKind::ThrowText(pieces));
        first.push(thrown(values, site));
        Ok(sequence(first))
    }
}

fn thrown(values: Vec<Expr>, site: usize) -> Expr {
    Expr { kind: Kind::Throw(values, site), ty: Type::Never }
}

/// Whether an expression is a text, or puts one together.
fn is_text(value: &Source) -> bool {
    match value {
        Source::StringConstant(..) | Source::InterpolatedString(..) => true,
        Source::FnCall(call, _) => {
            call.op_token == Some(Token::Plus) && call.args.len() == 2 && call.args.iter().any(is_text)
        }
        _ => false,
    }
}

/// What is put together to a text: literal texts, and other values.
fn parts_of<'e>(value: &'e Source, parts: &mut Vec<&'e Source>) {
    match value {
        Source::InterpolatedString(inner, _) => inner.iter().for_each(|part| parts_of(part, parts)),
        Source::FnCall(call, _) if is_text(value) => call.args.iter().for_each(|part| parts_of(part, parts)),
        other => parts.push(other),
    }
}

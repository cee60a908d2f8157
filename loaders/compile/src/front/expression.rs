//! Expressions.

use super::arguments::Arguments;
use super::body::{Body, int, unit};
use super::obstacle;
use super::statement::{choice, value_at};
use crate::ir::{Expr, Kind, Type};
use caraway_loaders_script::Obstacle;
use rhai::Expr as Source;
use rhai::{ASTFlags, BinaryExpr, Dynamic, Position};

impl Body<'_, '_> {
    /// The value of an expression.
    pub(super) fn expression(&mut self, expression: &Source) -> Result<Expr, Obstacle> {
        let position = expression.position();
        self.session.work(position)?;
        match expression {
            Source::IntegerConstant(value, _) => Ok(int(*value)),
            Source::FloatConstant(value, _) => Ok(float(**value)),
            Source::BoolConstant(value, _) => Ok(boolean(*value)),
            Source::Unit(_) => Ok(unit()),
            Source::Variable(variable, ..) => {
                let (namespace, name) = (&variable.2, &variable.1);
                if !namespace.is_empty() {
                    return self.constant(&namespace.to_string(), name, position);
                }
                let (place, _) = self.variable(name, position)?;
                Ok(value_at(place, |local| self.type_of(local)))
            }
            Source::Stmt(block) => self.block(block.statements(), true),
            Source::And(parts, _) => self.conditions(parts, true),
            Source::Or(parts, _) => self.conditions(parts, false),
            Source::FnCall(call, position) => self.call(call, *position),
            Source::Dot(sides, flags, _) | Source::Index(sides, flags, _) => {
                self.chain(expression, sides, *flags)
            }
            other => Err(obstacle(kind_of(other), position)),
        }
    }

    /// A constant of the top level, which functions see as `global::NAME`.
    fn constant(&self, namespace: &str, name: &str, position: Position) -> Result<Expr, Obstacle> {
        let unknown = || obstacle(format!("`{namespace}::{name}`, which is no literal"), position);
        if namespace != "global" {
            return Err(obstacle(format!("`{namespace}::{name}`, a constant of another module"), position));
        }
        literal(self.session.source.constant(name).ok_or_else(unknown)?).ok_or_else(unknown)
    }

    /// The parts of `&&`, with `is_all`, or of `||`.
    fn conditions(&mut self, parts: &[Source], is_all: bool) -> Result<Expr, Obstacle> {
        let joined = |mut parts: Vec<Expr>| match parts.len() {
            1 => parts.swap_remove(0),
            _ => Expr { kind: if is_all { Kind::And(parts) } else { Kind::Or(parts) }, ty: Type::Bool },
        };
        let mut conditions = Vec::with_capacity(parts.len());
        for part in parts {
            let condition = self.condition(part)?;
            if condition.ty != Type::Never {
                conditions.push(condition);
                continue;
            }
            // Nothing after it is reached; it is, if those before it do not decide.
            if conditions.is_empty() {
                return Ok(condition);
            }
            let (then, otherwise) =
                if is_all { (condition, boolean(false)) } else { (boolean(true), condition) };
            return choice(joined(conditions), then, otherwise, part.position());
        }
        Ok(joined(conditions))
    }

    /// `a.f(x).g(y)`, `a[i].f()` and so on. Rhai evaluates all arguments and indices before it looks at `a`.
    fn chain(&mut self, whole: &Source, sides: &BinaryExpr, flags: ASTFlags) -> Result<Expr, Obstacle> {
        let mut links = Vec::new();
        links_of(whole, &sides.rhs, flags, &mut links)?;
        let (assigned, locals) = (self.assigned.len(), self.count_of_locals());
        let mut first = Vec::new();
        let mut steps = Vec::with_capacity(links.len());
        for link in links {
            match self.arguments(link.arguments.iter().copied(), link.position)? {
                Arguments::Ends(end) => {
                    first.push(end);
                    return Ok(super::body::sequence(first));
                }
                Arguments::Values(values) => steps.push((link, self.kept(values, &mut first))),
            }
        }
        let mut value = self.expression(&sides.lhs)?;
        if self.assigned[assigned..].iter().any(|local| *local < locals) {
            return Err(obstacle("an operand that assigns to a variable", whole.position()));
        }
        for (link, values) in steps {
            if value.ty == Type::Never {
                break;
            }
            value = match link.step {
                Step::Method(name) => self.method(name, value, values, link.position)?,
                Step::Property(name) => self.property(name, value, link.position)?,
                Step::Index => self.load(value, values, link.position)?,
            };
        }
        first.push(value);
        Ok(super::body::sequence(first))
    }
}

/// One step of a chain.
struct Link<'e> {
    step: Step<'e>,
    arguments: Vec<&'e Source>,
    position: Position,
}

enum Step<'e> {
    Method(&'e str),
    Property(&'e str),
    Index,
}

/// The steps of a chain, from left to right. `parent` is the expression whose right side `rest` is.
fn links_of<'e>(
    parent: &'e Source,
    rest: &'e Source,
    flags: ASTFlags,
    links: &mut Vec<Link<'e>>,
) -> Result<(), Obstacle> {
    if flags.contains(ASTFlags::NEGATED) {
        return Err(obstacle("`?.` or `?[`", parent.position()));
    }
    let is_index = matches!(parent, Source::Index(..));
    let (this, next) = match rest {
        Source::Dot(sides, flags_of_rest, _) | Source::Index(sides, flags_of_rest, _)
            if !flags.contains(ASTFlags::BREAK) =>
        {
            (&sides.lhs, Some((&sides.rhs, *flags_of_rest)))
        }
        last => (last, None),
    };
    links.push(match this {
        index if is_index => Link { step: Step::Index, arguments: vec![index], position: parent.position() },
        Source::MethodCall(call, position) => Link {
            step: Step::Method(&call.name),
            arguments: call.args.iter().collect(),
            position: *position,
        },
        Source::Property(property, position) => {
            Link { step: Step::Property(&property.2), arguments: Vec::new(), position: *position }
        }
        other => return Err(obstacle(kind_of(other), other.position())),
    });
    match next {
        Some((next, flags)) => links_of(rest, next, flags, links),
        None => Ok(()),
    }
}

/// A value that is known, as an expression.
pub(super) fn literal(value: &Dynamic) -> Option<Expr> {
    if let Ok(value) = value.as_int() {
        Some(int(value))
    } else if let Ok(value) = value.as_float() {
        Some(float(value))
    } else {
        value.as_bool().ok().map(boolean)
    }
}

pub(super) fn float(value: f64) -> Expr {
    Expr { kind: Kind::Float(value), ty: Type::Float }
}

pub(super) fn boolean(value: bool) -> Expr {
    Expr { kind: Kind::Bool(value), ty: Type::Bool }
}

/// What an expression is, that is not compiled.
fn kind_of(expression: &Source) -> &'static str {
    match expression {
        Source::StringConstant(..) | Source::InterpolatedString(..) => "a string",
        Source::CharConstant(..) => "a char",
        Source::Array(..) => "an array",
        Source::Map(..) => "a map",
        Source::ThisPtr(..) => "`this`",
        Source::DynamicConstant(..) => "a constant that is no number or bool",
        Source::Coalesce(..) => "`??`",
        Source::Custom(..) => "custom syntax",
        _ => "an expression of an unknown kind",
    }
}

//! Functions and properties of Rhai's standard package.

use super::body::{Body, int, named};
use super::expression::float;
use super::obstacle;
use super::operator::to_float;
use crate::ir::{Binary, Expr, Kind, Math, SiteKind, Type};
use caraway_loaders_script::Obstacle;
use rhai::Position;
use std::f64::consts;

impl Body<'_, '_> {
    /// A function of Rhai's standard package, with its arguments. What is registered for ints and floats alike is
    /// looked up by both types, as Rhai does; there are no conversions but those that it makes.
    pub(super) fn builtin(
        &mut self,
        name: &str,
        mut arguments: Vec<Expr>,
        position: Position,
    ) -> Result<Expr, Obstacle> {
        let types: Vec<Type> = arguments.iter().map(|argument| argument.ty).collect();
        match (name, &types[..]) {
            ("PI", []) => return Ok(float(consts::PI)),
            ("E", []) => return Ok(float(consts::E)),
            ("len", [Type::Ints | Type::Floats]) | ("is_empty", [Type::Ints | Type::Floats]) => {
                return self.of_buffer(name, arguments.swap_remove(0), position);
            }
            ("to_int", [Type::Int]) => return Ok(arguments.swap_remove(0)),
            ("min" | "max", [Type::Int | Type::Float, Type::Int | Type::Float]) if types[0] != types[1] => {
                let arguments = arguments.into_iter().map(|argument| match argument.ty {
                    Type::Int => to_float(argument),
                    _ => argument,
                });
                return self.builtin(name, arguments.collect(), position);
            }
            ("floats", [Type::Int, Type::Int | Type::Float]) | ("ints", [Type::Int, Type::Int]) => {
                return self.new_buffer(name == "floats", arguments, position);
            }
            ("is_zero" | "is_odd" | "is_even", [Type::Int]) => {
                return Ok(self.of_int(name, arguments.swap_remove(0), position));
            }
            _ => {}
        }
        let Some((math, ty, kind)) = function(name, &types) else {
            let types: Vec<&str> = types.into_iter().map(named).collect();
            let of = if types.is_empty() { String::new() } else { format!(" of {}", types.join(" and ")) };
            return Err(obstacle(format!("`{name}`{of}"), position));
        };
        let site = kind.map_or(0, |kind| self.site(position, kind));
        Ok(Expr { kind: Kind::Math(math, arguments, site), ty })
    }

    /// `value.name`.
    pub(super) fn property(&mut self, name: &str, value: Expr, position: Position) -> Result<Expr, Obstacle> {
        let is_one = match value.ty {
            Type::Int => matches!(name, "is_zero" | "is_odd" | "is_even"),
            Type::Float => matches!(
                name,
                "floor"
                    | "ceiling"
                    | "round"
                    | "int"
                    | "fraction"
                    | "is_nan"
                    | "is_finite"
                    | "is_infinite"
                    | "is_zero"
            ),
            Type::Ints | Type::Floats => matches!(name, "len" | "is_empty"),
            _ => false,
        };
        if !is_one {
            return Err(obstacle(format!("the property `{name}` of {}", named(value.ty)), position));
        }
        self.builtin(name, vec![value], position)
    }

    fn of_int(&mut self, name: &str, value: Expr, position: Position) -> Expr {
        let mut binary = |operator, left: Expr, right, ty| {
            let site = self.site(position, SiteKind::Binary(operator));
            Expr { kind: Kind::Binary(operator, Box::new(left), Box::new(right), site), ty }
        };
        if name == "is_zero" {
            return binary(Binary::Equal, value, int(0), Type::Bool);
        }
        let rest = binary(Binary::And, value, int(1), Type::Int);
        let wanted = i64::from(name == "is_odd");
        binary(Binary::Equal, rest, int(wanted), Type::Bool)
    }
}

/// What a function is for such arguments, what it gives, and how it can fail.
fn function(name: &str, types: &[Type]) -> Option<(Math, Type, Option<SiteKind>)> {
    use Type::{Bool, Float, Int};
    let (math, ty) = match (name, types) {
        ("abs", [Int]) => return Some((Math::AbsInt, Int, Some(SiteKind::Abs))),
        ("to_int", [Float]) => return Some((Math::FloatToInt, Int, Some(SiteKind::ToInt))),
        ("sign", [Float]) => return Some((Math::SignFloat, Int, Some(SiteKind::Sign))),
        ("sign", [Int]) => (Math::SignInt, Int),
        ("min", [Int, Int]) => (Math::MinInt, Int),
        ("max", [Int, Int]) => (Math::MaxInt, Int),
        ("to_float", [Int]) => (Math::IntToFloat, Float),
        ("abs", [Float]) => (Math::AbsFloat, Float),
        ("min", [Float, Float]) => (Math::MinFloat, Float),
        ("max", [Float, Float]) => (Math::MaxFloat, Float),
        ("sqrt", [Float]) => (Math::Sqrt, Float),
        ("floor", [Float]) => (Math::Floor, Float),
        ("ceiling", [Float]) => (Math::Ceiling, Float),
        ("round", [Float]) => (Math::Round, Float),
        ("int", [Float]) => (Math::Truncate, Float),
        ("fraction", [Float]) => (Math::Fraction, Float),
        ("is_zero", [Float]) => (Math::IsZeroFloat, Bool),
        ("is_nan", [Float]) => (Math::IsNan, Bool),
        ("is_finite", [Float]) => (Math::IsFinite, Bool),
        ("is_infinite", [Float]) => (Math::IsInfinite, Bool),
        ("sin", [Float]) => (Math::Sin, Float),
        ("cos", [Float]) => (Math::Cos, Float),
        ("tan", [Float]) => (Math::Tan, Float),
        ("sinh", [Float]) => (Math::Sinh, Float),
        ("cosh", [Float]) => (Math::Cosh, Float),
        ("tanh", [Float]) => (Math::Tanh, Float),
        ("asin", [Float]) => (Math::Asin, Float),
        ("acos", [Float]) => (Math::Acos, Float),
        ("atan", [Float]) => (Math::Atan, Float),
        ("atan", [Float, Float]) => (Math::Atan2, Float),
        ("asinh", [Float]) => (Math::Asinh, Float),
        ("acosh", [Float]) => (Math::Acosh, Float),
        ("atanh", [Float]) => (Math::Atanh, Float),
        ("hypot", [Float, Float]) => (Math::Hypot, Float),
        ("exp", [Float]) => (Math::Exp, Float),
        ("ln", [Float]) => (Math::Ln, Float),
        ("log", [Float, Float]) => (Math::Log, Float),
        ("log", [Float]) => (Math::Log10, Float),
        ("to_radians", [Float]) => (Math::ToRadians, Float),
        ("to_degrees", [Float]) => (Math::ToDegrees, Float),
        _ => return None,
    };
    Some((math, ty, None))
}

//! What generated functions are called with.

use super::choices::Choices;
use super::number;
use super::types::Type;
use caraway_loaders_core::buffer::{Floats, Ints};
use rhai::Dynamic;

/// How many numbers a long buffer has: more than one page of any size that is likely.
const LONG: usize = 1100;

/// What a function is called with on both sides.
pub(crate) struct Arguments {
    /// As a difference tells them.
    pub(crate) shown: String,
    make: Box<dyn Fn() -> Vec<Dynamic>>,
}

impl Arguments {
    pub(crate) fn new(shown: String, make: impl Fn() -> Vec<Dynamic> + 'static) -> Self {
        Self { shown, make: Box::new(make) }
    }

    /// One for each parameter; the first is small, in most cases, if the function counts it down.
    pub(crate) fn random(choices: &mut Choices<'_>, params: &[Type], counts_down: bool) -> Self {
        let mut args = Argument::choose(choices, params);
        if counts_down && !choices.one_in(8) {
            args[0] = Argument::Int(choices.below(10) as i64);
        }
        Self::new(format!("{args:?}"), move || Argument::values(&args))
    }

    /// Values of Rhai's, whose buffers are new ones.
    pub(crate) fn values(&self) -> Vec<Dynamic> {
        (self.make)()
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Argument {
    Int(i64),
    Float(f64),
    Bool(bool),
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    /// The buffer of the argument at this place.
    Same(usize),
}

impl Argument {
    fn choose(choices: &mut Choices<'_>, params: &[Type]) -> Vec<Self> {
        let mut args: Vec<Self> = Vec::new();
        for (index, ty) in params.iter().enumerate() {
            let before = params[..index].iter().position(|other| other == ty && ty.item().is_some());
            let arg = match (ty, before) {
                (_, Some(before)) if choices.one_in(3) => Self::Same(before),
                (Type::Int | Type::Float, _) if choices.one_in(3) => Self::near(choices, *ty, &args),
                (Type::Float, _) => Self::Float(number::float(choices)),
                (Type::Bool, _) => Self::Bool(choices.one_in(2)),
                (Type::Ints, _) => Self::Ints(many(choices, number::int)),
                (Type::Floats, _) => Self::Floats(many(choices, number::float)),
                (Type::Int | Type::Unit, _) => Self::Int(number::int(choices)),
            };
            args.push(arg);
        }
        args
    }

    /// A number that is close to the last one of the same type.
    fn near(choices: &mut Choices<'_>, ty: Type, args: &[Self]) -> Self {
        let near = args.iter().rev().find_map(|arg| match (ty, arg) {
            (Type::Int, Self::Int(int)) => Some(Self::Int(number::int_near(choices, *int))),
            (Type::Float, Self::Float(float)) => Some(Self::Float(number::float_near(choices, *float))),
            _ => None,
        });
        near.unwrap_or_else(|| match ty {
            Type::Float => Self::Float(number::float(choices)),
            _ => Self::Int(number::int(choices)),
        })
    }

    fn values(args: &[Self]) -> Vec<Dynamic> {
        let mut values: Vec<Dynamic> = Vec::new();
        for arg in args {
            let value = match arg {
                Self::Int(int) => Dynamic::from_int(*int),
                Self::Float(float) => Dynamic::from_float(*float),
                Self::Bool(bool) => Dynamic::from_bool(*bool),
                Self::Ints(items) => Dynamic::from(Ints::from(items.clone())),
                Self::Floats(items) => Dynamic::from(Floats::from(items.clone())),
                Self::Same(index) => values[*index].clone(),
            };
            values.push(value);
        }
        values
    }
}

fn many<T: Copy>(choices: &mut Choices<'_>, one: impl Fn(&mut Choices<'_>) -> T) -> Vec<T> {
    let len = choices.weighted(&[(1, 4), (4, 5), (3, 7), (1, 8), (1, 3), (1, 2), (1, 1), (1, 0), (1, LONG)]);
    let some: Vec<T> = (0..len.min(8)).map(|_| one(choices)).collect();
    (0..len).map(|index| some[index % some.len()]).collect()
}

//! Calls of Rhai's standard package, in all the ways in which they are written.

use super::body::Body;
use super::types::Type::{self, Bool, Float, Int};

/// A function of the standard package.
struct Known {
    name: &'static str,
    params: &'static [Type],
    result: Type,
    /// Whether it can be read like a property, too.
    getter: bool,
}

const fn function(name: &'static str, params: &'static [Type], result: Type) -> Known {
    Known { name, params, result, getter: false }
}

const fn getter(name: &'static str, params: &'static [Type], result: Type) -> Known {
    Known { name, params, result, getter: true }
}

const KNOWN: &[Known] = &[
    function("abs", &[Int], Int),
    function("sign", &[Int], Int),
    function("sign", &[Float], Int),
    function("min", &[Int, Int], Int),
    function("max", &[Int, Int], Int),
    function("to_int", &[Float], Int),
    function("to_float", &[Int], Float),
    function("abs", &[Float], Float),
    function("min", &[Float, Float], Float),
    function("min", &[Int, Float], Float),
    function("min", &[Float, Int], Float),
    function("max", &[Float, Float], Float),
    function("max", &[Int, Float], Float),
    function("max", &[Float, Int], Float),
    function("sqrt", &[Float], Float),
    getter("floor", &[Float], Float),
    getter("ceiling", &[Float], Float),
    getter("round", &[Float], Float),
    getter("int", &[Float], Float),
    getter("fraction", &[Float], Float),
    function("sin", &[Float], Float),
    function("cos", &[Float], Float),
    function("tan", &[Float], Float),
    function("sinh", &[Float], Float),
    function("cosh", &[Float], Float),
    function("tanh", &[Float], Float),
    function("asin", &[Float], Float),
    function("acos", &[Float], Float),
    function("atan", &[Float], Float),
    function("atan", &[Float, Float], Float),
    function("asinh", &[Float], Float),
    function("acosh", &[Float], Float),
    function("atanh", &[Float], Float),
    function("hypot", &[Float, Float], Float),
    function("exp", &[Float], Float),
    function("ln", &[Float], Float),
    function("log", &[Float], Float),
    function("log", &[Float, Float], Float),
    function("to_radians", &[Float], Float),
    function("to_degrees", &[Float], Float),
    function("PI", &[], Float),
    function("E", &[], Float),
    getter("is_nan", &[Float], Bool),
    getter("is_finite", &[Float], Bool),
    getter("is_infinite", &[Float], Bool),
    getter("is_zero", &[Int], Bool),
    getter("is_zero", &[Float], Bool),
    getter("is_odd", &[Int], Bool),
    getter("is_even", &[Int], Bool),
];

impl Body<'_, '_> {
    /// A call of one with this result.
    pub(super) fn math(&mut self, result: Type, depth: u32) -> Option<String> {
        let found: Vec<&Known> = KNOWN.iter().filter(|known| known.result == result).collect();
        if found.is_empty() {
            return None;
        }
        let Known { name, params, getter, .. } = found[self.choices.below(found.len())];
        let style = self.choices.below(3);
        // The larger one of what is computed is seldom both.
        let depth = if params.len() == 2 && self.choices.one_in(3) { 0 } else { depth };
        let Some((first, rest)) = params.split_first().filter(|_| style > 0) else {
            let args: Vec<_> = params.iter().map(|ty| self.expression(*ty, depth)).collect();
            return Some(format!("{name}({})", args.join(", ")));
        };
        let receiver = self.receiver(*first, depth);
        if *getter && style == 2 {
            return Some(format!("{receiver}.{name}"));
        }
        let args: Vec<_> = rest.iter().map(|ty| self.expression(*ty, depth)).collect();
        Some(format!("{receiver}.{name}({})", args.join(", ")))
    }
}

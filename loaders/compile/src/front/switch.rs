//! `switch`.

use super::body::{Body, get, named, sequence, set, unit};
use super::obstacle;
use super::statement::choice;
use crate::ir::{Binary, Expr, Kind, Local, Type};
use caraway_loaders_script::Obstacle;
use rhai::{Dynamic, Position, RangeCase, SwitchCasesCollection};
use std::ops::{Range, RangeInclusive};

/// More cases are left to Rhai, which finds them by their hashes: here they are compared one after the other.
const MAX_CASES: usize = 64;

impl Body<'_, '_> {
    /// A `switch` of an int or a bool.
    pub(super) fn switch(
        &mut self,
        value: &rhai::Expr,
        cases: &SwitchCasesCollection,
        position: Position,
        is_wanted: bool,
    ) -> Result<Expr, Obstacle> {
        let value = self.expression(value)?;
        match value.ty {
            Type::Int | Type::Bool => {}
            Type::Never => return Ok(value),
            other => return Err(obstacle(format!("`switch` of {}", named(other)), position)),
        }
        if cases.cases.len() + cases.ranges.len() > MAX_CASES {
            return Err(obstacle(format!("`switch` with more than {MAX_CASES} cases"), position));
        }
        let (ty, local) = (value.ty, self.local(value.ty));
        // Rhai looks for the value first, then at the ranges in their order, then takes the default; a case whose
        // guard fails is none.
        let mut tried: Vec<(Vec<Expr>, usize)> = Vec::new();
        let mut literals: Vec<(Literal, &[usize])> = Vec::new();
        for case in cases.cases.values() {
            if is_range(&case.value) {
                // It is among the ranges, too, and by its own value nothing else is found.
                continue;
            }
            literals.push((Literal::of(&case.value, ty, position)?, &case.blocks));
        }
        literals.sort_by_key(|(literal, _)| *literal);
        for (literal, blocks) in literals {
            tried.extend(blocks.iter().map(|&block| (vec![literal.is(local)], block)));
        }
        if ty == Type::Int {
            tried.extend(cases.ranges.iter().map(|range| (within(range, local), range.index())));
        }
        let mut whole = match cases.def_case.and_then(|index| cases.expressions.get(index)) {
            Some(case) => self.arm(&case.rhs, is_wanted)?,
            None => unit(),
        };
        for (mut conditions, index) in tried.into_iter().rev() {
            let case =
                cases.expressions.get(index).ok_or_else(|| obstacle("a case without code", position))?;
            match &case.lhs {
                rhai::Expr::BoolConstant(true, _) => {}
                rhai::Expr::BoolConstant(false, _) => continue,
                guard => conditions.push(self.condition(guard)?),
            }
            if conditions.iter().any(|condition| condition.ty == Type::Never) {
                return Err(obstacle("a guard that leaves", position));
            }
            let condition = match conditions.len() {
                1 => conditions.swap_remove(0),
                _ => Expr { kind: Kind::And(conditions), ty: Type::Bool },
            };
            whole = choice(condition, self.arm(&case.rhs, is_wanted)?, whole, position)?;
        }
        Ok(sequence(vec![set(local, value), whole]))
    }
}

fn is_range(value: &Dynamic) -> bool {
    value.is::<Range<i64>>() || value.is::<RangeInclusive<i64>>()
}

/// What a case is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Literal {
    Bool(bool),
    Int(i64),
}

impl Literal {
    fn of(value: &Dynamic, ty: Type, position: Position) -> Result<Self, Obstacle> {
        let literal = match ty {
            Type::Bool => value.as_bool().ok().map(Self::Bool),
            _ => value.as_int().ok().map(Self::Int),
        };
        literal.ok_or_else(|| {
            obstacle(format!("a case of type {} for {}", value.type_name(), named(ty)), position)
        })
    }

    /// Whether it is what a local has.
    fn is(self, local: Local) -> Expr {
        match self {
            Self::Bool(true) => get(local, Type::Bool),
            Self::Bool(false) => Expr { kind: Kind::Not(Box::new(get(local, Type::Bool))), ty: Type::Bool },
            Self::Int(value) => compared(Binary::Equal, local, value),
        }
    }
}

fn compared(operator: Binary, local: Local, with: i64) -> Expr {
    let with = super::body::int(with);
    Expr { kind: Kind::Binary(operator, Box::new(get(local, Type::Int)), Box::new(with), 0), ty: Type::Bool }
}

fn within(range: &RangeCase, local: Local) -> Vec<Expr> {
    let (first, end) = match range {
        RangeCase::ExclusiveInt(range, _) => (range.start, compared(Binary::Less, local, range.end)),
        RangeCase::InclusiveInt(range, _) => {
            (*range.start(), compared(Binary::LessEqual, local, *range.end()))
        }
    };
    vec![compared(Binary::GreaterEqual, local, first), end]
}

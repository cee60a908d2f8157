//! Loops.

use super::arguments::Arguments;
use super::body::{Body, LoopScope, Place, dropped, get, int, named, sequence, set, unified, unit};
use super::expression::boolean;
use super::obstacle;
use crate::ir::{Binary, Expr, Kind, Local, Loop, SiteKind, Type};
use caraway_loaders_script::Obstacle;
use rhai::{ASTFlags, Dynamic, FlowControl, Ident, Position};
use std::ops::{Range, RangeInclusive};

/// What a `for` goes over.
enum Over {
    /// From one int up to another.
    Range {
        first: Expr,
        end: Expr,
        is_inclusive: bool,
    },
    /// From one int to another by steps.
    Steps {
        first: Expr,
        end: Expr,
        step: Expr,
        position: Position,
    },
    Buffer(Expr),
}

/// What makes a `for` of a loop.
struct Course {
    /// Done before the loop.
    before: Vec<Expr>,
    condition: Expr,
    /// The variable's value at the head of the body.
    value: Expr,
    /// Done before the condition is looked at again.
    step: Expr,
}

impl Body<'_, '_> {
    /// `while` and `loop`, which is one that goes on for ever.
    pub(super) fn while_loop(
        &mut self,
        flow: &FlowControl,
        position: Position,
        is_wanted: bool,
    ) -> Result<Expr, Obstacle> {
        let is_endless = matches!(flow.expr, rhai::Expr::Unit(_) | rhai::Expr::BoolConstant(true, _));
        let condition = if is_endless { None } else { Some(self.condition(&flow.expr)?) };
        if condition.as_ref().is_some_and(|condition| condition.ty == Type::Never) {
            return Err(obstacle("a condition that leaves", position));
        }
        self.looped(is_wanted, !is_endless, position, |body| {
            let inner = body.block(flow.body.statements(), false)?;
            Ok(Loop { condition, body: inner, tail: None, step: None })
        })
    }

    /// `do`, with `while` or `until` after it.
    pub(super) fn do_loop(
        &mut self,
        flow: &FlowControl,
        flags: ASTFlags,
        position: Position,
        is_wanted: bool,
    ) -> Result<Expr, Obstacle> {
        let is_until = flags.contains(ASTFlags::NEGATED);
        self.looped(is_wanted, true, position, |body| {
            let inner = body.block(flow.body.statements(), false)?;
            let condition = body.condition(&flow.expr)?;
            if condition.ty == Type::Never {
                return Err(obstacle("a condition that leaves", position));
            }
            let tail = if is_until { not(condition) } else { condition };
            Ok(Loop { condition: None, body: inner, tail: Some(tail), step: None })
        })
    }

    /// `for`.
    pub(super) fn for_loop(
        &mut self,
        parts: &(Ident, Option<Ident>, FlowControl),
        position: Position,
        is_wanted: bool,
    ) -> Result<Expr, Obstacle> {
        let (variable, counter, flow) = parts;
        self.room(position)?;
        let over = match self.over(&flow.expr)? {
            Ok(over) => over,
            Err(end) => return Ok(end),
        };
        let ty = match &over {
            Over::Buffer(buffer) if buffer.ty == Type::Floats => Type::Float,
            _ => Type::Int,
        };
        let course = self.course(over);
        let (value, count) = (self.local(ty), self.local(Type::Int));
        let mut before = course.before;
        let mut head = vec![set(value, course.value)];
        let mut step = vec![course.step];
        let named_count = counter.as_ref().map(|counter| (counter, self.local(Type::Int)));
        if let Some((_, visible)) = &named_count {
            before.push(set(count, int(0)));
            head.push(set(*visible, get(count, Type::Int)));
            step.push(set(count, next(count)));
        }
        let whole = self.scoped(|body| {
            if let Some((counter, visible)) = &named_count {
                body.declare(&counter.name, Place::Local(*visible), false);
            }
            body.declare(&variable.name, Place::Local(value), false);
            body.looped(is_wanted, true, position, |body| {
                head.push(body.block(flow.body.statements(), false)?);
                let step = Some(sequence(step));
                Ok(Loop { condition: Some(course.condition), body: sequence(head), tail: None, step })
            })
        })?;
        before.push(whole);
        Ok(sequence(before))
    }

    fn over(&mut self, expression: &rhai::Expr) -> Result<Result<Over, Expr>, Obstacle> {
        let position = expression.position();
        let refused = |ty: Type| obstacle(format!("`for` over {}", named(ty)), position);
        let call = match expression {
            rhai::Expr::FnCall(call, _) if call.namespace.is_empty() => call,
            // What the optimizer has made of two literals.
            rhai::Expr::DynamicConstant(range, _) => {
                let ends = ends(range).ok_or_else(|| obstacle("`for` over a constant", position))?;
                let (first, end, is_inclusive) = ends;
                return Ok(Ok(Over::Range { first: int(first), end: int(end), is_inclusive }));
            }
            other => {
                let value = self.expression(other)?;
                return match value.ty {
                    Type::Never => Ok(Err(value)),
                    Type::Ints | Type::Floats => Ok(Ok(Over::Buffer(value))),
                    ty => Err(refused(ty)),
                };
            }
        };
        let is_inclusive = call.name == "..=";
        let is_range = is_inclusive || call.name == ".." || call.name == "range";
        if !is_range || self.session.source.has(&call.name) || !matches!(call.args.len(), 2 | 3) {
            return Err(obstacle(format!("`for` over what `{}` gives", call.name), position));
        }
        // A range that has a step is taken apart, also where the optimizer has put it together.
        let ends_of_constant = match &call.args[..] {
            [rhai::Expr::DynamicConstant(range, at), _] => range
                .read_lock::<Range<i64>>()
                .map(|range| [range.start, range.end].map(|end| constant(end, *at))),
            _ => None,
        };
        let args: Vec<&rhai::Expr> = match (call.name.as_str(), &call.args[..], &ends_of_constant) {
            ("range", [_, step], Some([first, end])) => vec![first, end, step],
            ("range", [rhai::Expr::FnCall(range, _), step], _)
                if range.name == ".." && range.args.len() == 2 =>
            {
                vec![&range.args[0], &range.args[1], step]
            }
            (_, args, _) => args.iter().collect(),
        };
        let values = match self.arguments(args, position)? {
            Arguments::Ends(end) => return Ok(Err(end)),
            Arguments::Values(values) => values,
        };
        if let Some(other) = values.iter().find(|value| value.ty != Type::Int) {
            return Err(refused(other.ty));
        }
        let mut values = values.into_iter();
        Ok(Ok(match (values.next(), values.next(), values.next()) {
            (Some(first), Some(end), None) => Over::Range { first, end, is_inclusive },
            (Some(first), Some(end), Some(step)) => Over::Steps { first, end, step, position },
            _ => return Err(refused(Type::Unit)),
        }))
    }

    fn course(&mut self, over: Over) -> Course {
        match over {
            Over::Range { first, end, is_inclusive } => self.range(first, end, is_inclusive),
            Over::Steps { first, end, step, position } => self.steps(first, end, step, position),
            Over::Buffer(buffer) => self.items(buffer),
        }
    }

    fn range(&mut self, first: Expr, end: Expr, is_inclusive: bool) -> Course {
        let (at, last) = (self.local(Type::Int), self.local(Type::Int));
        let mut before = vec![set(at, first), set(last, end)];
        let here = || get(at, Type::Int);
        if !is_inclusive {
            return Course {
                before,
                condition: compare(Binary::Less, here(), get(last, Type::Int)),
                value: here(),
                step: set(at, next(at)),
            };
        }
        // The last int may be the last that there is: so it is not compared with one beyond.
        let goes_on = self.local(Type::Bool);
        before.push(set(goes_on, compare(Binary::LessEqual, here(), get(last, Type::Int))));
        Course {
            before,
            condition: get(goes_on, Type::Bool),
            value: here(),
            step: sequence(vec![
                set(goes_on, compare(Binary::NotEqual, here(), get(last, Type::Int))),
                set(at, next(at)),
            ]),
        }
    }

    /// As Rhai's `StepRange`: a step that overflows ends the loop before the value that it came from.
    fn steps(&mut self, first: Expr, end: Expr, by: Expr, position: Position) -> Course {
        let [at, last, step, after] = [(); 4].map(|()| self.local(Type::Int));
        let [is_up, goes_on] = [(); 2].map(|()| self.local(Type::Bool));
        let read = |local: Local| get(local, Type::Int);
        let flag = |local: Local| get(local, Type::Bool);
        let fails = Expr { kind: Kind::Fail(self.site(position, SiteKind::Step)), ty: Type::Never };
        let zero = || compare(Binary::Equal, read(step), int(0));
        let advance = || Expr {
            kind: Kind::Binary(Binary::WrappingAdd, Box::new(read(at)), Box::new(read(step)), 0),
            ty: Type::Int,
        };
        // Whether the sum is on the side that the step points to: it is not where it went around.
        let is_ahead = || {
            either(
                flag(is_up),
                compare(Binary::Greater, read(after), read(at)),
                compare(Binary::Less, read(after), read(at)),
            )
        };
        let before = vec![
            set(at, first),
            set(last, end),
            set(step, by),
            Expr { kind: Kind::If(Box::new(zero()), Box::new(fails), Box::new(unit())), ty: Type::Unit },
            set(is_up, compare(Binary::Greater, read(step), int(0))),
            set(after, advance()),
            set(
                goes_on,
                all(vec![
                    is_ahead(),
                    either(
                        flag(is_up),
                        compare(Binary::Less, read(at), read(last)),
                        compare(Binary::Greater, read(at), read(last)),
                    ),
                ]),
            ),
        ];
        let within = either(
            flag(is_up),
            compare(Binary::Less, read(after), read(last)),
            compare(Binary::Greater, read(after), read(last)),
        );
        Course {
            before,
            condition: flag(goes_on),
            value: read(at),
            step: sequence(vec![
                // The next value is there if the last one was not at the end, and if one can go on from it.
                set(goes_on, within),
                set(at, read(after)),
                set(after, advance()),
                set(goes_on, all(vec![flag(goes_on), is_ahead()])),
            ]),
        }
    }

    /// The numbers of a buffer: as many as there were when the loop began.
    fn items(&mut self, buffer: Expr) -> Course {
        let (ty, item) = match buffer.ty {
            Type::Floats => (Type::Floats, Type::Float),
            _ => (Type::Ints, Type::Int),
        };
        let (all, at, len) = (self.local(ty), self.local(Type::Int), self.local(Type::Int));
        let length = Expr { kind: Kind::Len(Box::new(get(all, ty))), ty: Type::Int };
        let here = Kind::LoadAt(Box::new(get(all, ty)), Box::new(get(at, Type::Int)));
        Course {
            before: vec![set(all, buffer), set(at, int(0)), set(len, length)],
            condition: compare(Binary::Less, get(at, Type::Int), get(len, Type::Int)),
            value: Expr { kind: here, ty: item },
            step: set(at, next(at)),
        }
    }

    /// A loop. What `break` gives is its value; if it `can_end` otherwise, that gives nothing.
    fn looped(
        &mut self,
        is_wanted: bool,
        can_end: bool,
        position: Position,
        of: impl FnOnce(&mut Self) -> Result<Loop, Obstacle>,
    ) -> Result<Expr, Obstacle> {
        let value = if can_end { Type::Unit } else { Type::Never };
        self.loops.push(LoopScope { is_wanted, value, local: None, has_break: false });
        let inner = of(self)?;
        let Some(scope) = self.loops.pop() else {
            return Err(obstacle("a loop without an end", position));
        };
        let ty = if can_end || scope.has_break { Type::Unit } else { Type::Never };
        let whole = Expr { kind: Kind::Loop(Box::new(inner)), ty };
        Ok(match scope.local {
            Some(local) if is_wanted => sequence(vec![whole, get(local, scope.value)]),
            _ => whole,
        })
    }

    /// `break` and `continue`.
    pub(super) fn break_or_continue(
        &mut self,
        value: Option<&rhai::Expr>,
        is_break: bool,
        position: Position,
    ) -> Result<Expr, Obstacle> {
        let value = value.map_or_else(|| Ok(unit()), |value| self.expression(value))?;
        if value.ty == Type::Never {
            return Ok(value);
        }
        let jump = Expr { kind: if is_break { Kind::Break } else { Kind::Continue }, ty: Type::Never };
        let Some(scope) = self.loops.last_mut() else {
            return Err(obstacle("`break` or `continue` outside of a loop", position));
        };
        scope.has_break |= is_break;
        if !is_break || !scope.is_wanted {
            return Ok(sequence(vec![dropped(value), jump]));
        }
        scope.value = unified(scope.value, value.ty, "a loop that gives", position)?;
        if value.ty == Type::Unit {
            return Ok(sequence(vec![value, jump]));
        }
        let known = scope.local;
        let local = known.unwrap_or_else(|| self.local(value.ty));
        if let Some(scope) = self.loops.last_mut() {
            scope.local = Some(local);
        }
        Ok(sequence(vec![set(local, value), jump]))
    }
}

fn constant(value: i64, position: Position) -> rhai::Expr {
    rhai::Expr::IntegerConstant(value, position)
}

/// A range's first int, its last one, and whether that belongs to it.
fn ends(range: &Dynamic) -> Option<(i64, i64, bool)> {
    if let Some(range) = range.read_lock::<Range<i64>>() {
        return Some((range.start, range.end, false));
    }
    range.read_lock::<RangeInclusive<i64>>().map(|range| (*range.start(), *range.end(), true))
}

fn compare(operator: Binary, left: Expr, right: Expr) -> Expr {
    Expr { kind: Kind::Binary(operator, Box::new(left), Box::new(right), 0), ty: Type::Bool }
}

fn next(local: Local) -> Expr {
    let sum = Kind::Binary(Binary::WrappingAdd, Box::new(get(local, Type::Int)), Box::new(int(1)), 0);
    Expr { kind: sum, ty: Type::Int }
}

fn not(value: Expr) -> Expr {
    match value.kind {
        Kind::Bool(value) => boolean(!value),
        _ => Expr { kind: Kind::Not(Box::new(value)), ty: Type::Bool },
    }
}

fn all(parts: Vec<Expr>) -> Expr {
    Expr { kind: Kind::And(parts), ty: Type::Bool }
}

fn either(condition: Expr, then: Expr, otherwise: Expr) -> Expr {
    Expr { kind: Kind::If(Box::new(condition), Box::new(then), Box::new(otherwise)), ty: Type::Bool }
}

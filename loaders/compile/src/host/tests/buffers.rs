//! Numbers in buffers.

use super::{Both, LEVEL, binary, expr, function, get, int, shown, store};
use crate::ir::{Binary, Expr, Function, Kind, Loop, SiteKind, Type};

use caraway_loaders_core::buffer::{Floats, Ints};
use caraway_loaders_core::{Code, Error};
use caraway_loaders_script::Compiled;
use rhai::Dynamic;

fn load(buffer: usize, index: Expr, site: usize) -> Expr {
    let buffer = get(buffer, Type::Ints);
    expr(Kind::Load(buffer.into(), index.into(), site), Type::Int)
}

/// `b[i] = v`, then `b[j]`.
fn set_and_get() -> Both {
    let (b, i, v, j) = (0, 1, 2, 3);
    let body = vec![store(b, get(i, Type::Int), get(v, Type::Int), 0), load(b, get(j, Type::Int), 1)];
    let params = [Type::Ints, Type::Int, Type::Int, Type::Int];
    let f = function("f", &params, expr(Kind::Seq(body), Type::Int));
    let script = "fn f(b, i, v, j) { b[i] = v; b[j] }";
    let at = SiteKind::Index(Type::Ints);
    Both::new(script, vec![f], &[("b[i]", at.clone()), ("b[j]", at)])
}

fn numbers(len: i64) -> Ints {
    Ints::from((0..len).collect::<Vec<_>>())
}

fn content(buffer: &Ints) -> Vec<i64> {
    buffer.read().unwrap().to_vec()
}

#[test]
fn numbers_are_set_in_the_buffer_itself() {
    let both = set_and_get();
    for len in [0, 1, 7, 511, 512, 513, 5000] {
        let places = [0, 1, 6, 511, 512, 600, 4999, len - 1, len, -1, -7, -len, -len - 1, i64::MIN, i64::MAX];
        for i in places {
            for j in places {
                let (walked, compiled) = (numbers(len), numbers(len));
                let args = |buffer: &Ints| {
                    [Dynamic::from(buffer.clone()), i.into(), Dynamic::from(-5_i64), j.into()]
                };
                let by_rhai = without_positions(shown(both.walk("f", &args(&walked))));
                assert_eq!(
                    without_positions(shown(both.compiled("f", &args(&compiled)))),
                    by_rhai,
                    "{i} {j}"
                );
                assert_eq!(content(&walked), content(&compiled));
            }
        }
    }
}

/// Where in a chain Rhai says that an index is wrong, is for the front end to find out.
fn without_positions(mut text: String) -> String {
    while let Some(colon) = text.find("1:") {
        let end =
            text[colon + 2..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |end| colon + 2 + end);
        text.replace_range(colon..end, "_");
    }
    text
}

/// `fn f(a, b) { a[0] = 1; b[0] = 2; a[0] }`
#[test]
fn one_buffer_can_have_two_names() {
    let body = vec![store(0, int(0), int(1), 0), store(1, int(0), int(2), 0), load(0, int(0), 0)];
    let f = function("f", &[Type::Ints, Type::Ints], expr(Kind::Seq(body), Type::Int));
    let at = SiteKind::Index(Type::Ints);
    let both = Both::new("fn f(a, b) { a[0] = 1; b[0] = 2; a[0] }", vec![f], &[("a[0]", at)]);
    let one = Dynamic::from(numbers(3));
    assert_eq!(both.agree("f", &[one.clone(), one]), "Ok(2)");
    assert_eq!(both.agree("f", &[Dynamic::from(numbers(3)), Dynamic::from(numbers(3))]), "Ok(1)");
}

/// `for x in b { sum += x }`, with a look at the length for each.
fn sum() -> Function {
    let (b, i, sum) = (0, 1, 2);
    let set = |local, value: Expr| expr(Kind::Set(local, value.into()), Type::Unit);
    let len = expr(Kind::Len(get(b, Type::Ints).into()), Type::Int);
    let number = Kind::LoadAt(get(b, Type::Ints).into(), get(i, Type::Int).into());
    let inner = Loop {
        condition: Some(binary(Binary::Less, get(i, Type::Int), len, 0)),
        body: set(sum, binary(Binary::Add, get(sum, Type::Int), expr(number, Type::Int), 0)),
        tail: None,
        step: Some(set(i, binary(Binary::WrappingAdd, get(i, Type::Int), int(1), 0))),
    };
    let body = vec![expr(Kind::Loop(inner.into()), Type::Unit), get(sum, Type::Int)];
    let mut f = function("f", &[Type::Ints], expr(Kind::Seq(body), Type::Int));
    f.locals.extend([Type::Int, Type::Int]);
    f
}

#[test]
fn loops_over_buffers() {
    let script = "fn f(b) { let sum = 0; for x in b { sum += x } sum }";
    let both = Both::new(script, vec![sum()], &[("+=", SiteKind::Binary(Binary::Add))]);
    for len in [0, 1, 511, 512, 513, 10_000] {
        both.agree("f", &[Dynamic::from(numbers(len))]);
    }
}

#[test]
fn a_long_buffer_costs_as_much_as_is_used_of_it() {
    let both = set_and_get();
    let time = |len: i64| {
        let buffer = numbers(len);
        let call = |j: i64| {
            let args = [Dynamic::from(buffer.clone()), j.into(), j.into(), Dynamic::from(-j)];
            let start = std::time::Instant::now();
            drop(both.compiled("f", &args).unwrap());
            start.elapsed()
        };
        call(1);
        (2..200).map(call).min().unwrap()
    };
    let (short, long) = (time(1000), time(10_000_000));
    assert!(long < short * 20, "{short:?} {long:?}");
}

#[test]
fn what_others_set_stays() {
    let both = set_and_get();
    let buffer = numbers(1000);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (both, buffer) = (&both, &buffer);
            scope.spawn(move || {
                for i in (thread..1000).step_by(4) {
                    // Another call may have the buffer for a moment, as when Rhai walks it.
                    let args = [Dynamic::from(buffer.clone()), i.into(), Dynamic::from(-i), i.into()];
                    while let Err(error) = both.called("f", &args) {
                        assert_eq!(Error::raised_in(&error).unwrap().code(), Code::BufferBusy);
                    }
                }
            });
        }
    });
    assert_eq!(content(&buffer), (0..1000).map(|i: i64| -i).collect::<Vec<_>>());
}

#[test]
fn a_buffer_that_is_used_is_an_error_where_rhai_says_so() {
    let both = set_and_get();
    let buffer = numbers(3);
    let mut args = [Dynamic::from(buffer.clone()), 0.into(), 1.into(), 0.into()];
    let reading = buffer.read().unwrap();
    assert_eq!(
        without_positions(shown(both.walk("f", &args))),
        without_positions(shown(both.compiled("f", &args)))
    );
    drop(reading);
    // Rhai says it then.
    let _writing = buffer.write().unwrap();
    let mut args: Vec<_> = args.iter_mut().collect();
    assert!(both.compiled.function(0).call(&mut args, LEVEL).is_none());
}

#[test]
fn the_other_kind_of_buffer_is_left_to_rhai() {
    let both = set_and_get();
    let mut args = [Dynamic::from(Floats::from(vec![1.0])), 0.into(), 1.into(), 0.into()];
    let mut args: Vec<_> = args.iter_mut().collect();
    assert!(both.compiled.function(0).call(&mut args, LEVEL).is_none());
}

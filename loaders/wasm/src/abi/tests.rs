//! What goes by a plan against what goes by `Val`s, over types and values made at random.

use super::{Failure, Given, Plan, Scalars, Unfit};
use crate::lift::{Lifting, Sizes, lift};
use crate::lower::lower;
use crate::reflect::{self, Export, Outcome};
use crate::shape::Shape;
use crate::shim;
use caraway_loaders_core::bind::CallError;
use caraway_loaders_core::limits::Limits;
use rhai::{Array, Dynamic, Map};
use std::fmt::Write;
use wasmtime::component::{ComponentExportIndex, Func, InstancePre, Linker, Val};
use wasmtime::{Engine, Store};

/// How many components, and how many calls of each of their functions.
const COMPONENTS: u64 = 50;
const CALLS: usize = 12;

/// Numbers that are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// The text of a component, while its types are made.
#[derive(Default)]
struct Types {
    definitions: String,
    count: usize,
}

impl Types {
    /// A type at random, as other types refer to it.
    fn make(&mut self, random: &mut Random, depth: usize) -> String {
        const SCALARS: [&str; 13] =
            ["bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string"];
        if depth == 0 || random.one_in(4) {
            return (*random.pick(&SCALARS)).to_owned();
        }
        let mut inner = |random: &mut Random| self.make(random, depth - 1);
        let text = match random.below(9) {
            0 => format!("(list {})", inner(random)),
            1 => {
                let fields: Vec<String> = (0..1 + random.below(3)).map(|_| inner(random)).collect();
                format!("(tuple {})", fields.join(" "))
            }
            2 | 3 => {
                let fields =
                    (0..1 + random.below(4)).map(|i| format!("(field \"field-{i}\" {})", inner(random)));
                format!("(record {})", fields.collect::<Vec<_>>().join(" "))
            }
            4 => {
                let cases = (0..1 + random.below(4)).map(|i| match random.one_in(3) {
                    true => format!("(case \"case-{i}\")"),
                    false => format!("(case \"case-{i}\" {})", inner(random)),
                });
                format!("(variant {})", cases.collect::<Vec<_>>().join(" "))
            }
            5 => {
                let count = *random.pick(&[1, 3, 300]);
                format!("(enum {})", (0..count).map(|i| format!("\"name-{i}\" ")).collect::<String>())
            }
            6 => {
                let count = *random.pick(&[1, 8, 9, 17, 32]);
                format!("(flags {})", (0..count).map(|i| format!("\"flag-{i}\" ")).collect::<String>())
            }
            7 => format!("(option {})", inner(random)),
            _ => match random.below(4) {
                0 => "(result)".to_owned(),
                1 => format!("(result {})", inner(random)),
                2 => format!("(result (error {}))", inner(random)),
                _ => format!("(result {} (error {}))", inner(random), inner(random)),
            },
        };
        let index = self.count;
        self.count += 1;
        writeln!(self.definitions, "(type $defined{index} {text})").unwrap();
        writeln!(self.definitions, "(export $t{index} \"type-{index}\" (type $defined{index}))").unwrap();
        format!("$t{index}")
    }
}

/// What core functions take for one parameter of this shape.
fn words(shape: &Shape, to: &mut Vec<&'static str>) {
    fn joined(cases: Vec<Option<&Shape>>, to: &mut Vec<&'static str>) {
        let mut all: Vec<&'static str> = Vec::new();
        for shape in cases.into_iter().flatten() {
            let mut one = Vec::new();
            words(shape, &mut one);
            for (index, word) in one.into_iter().enumerate() {
                match all.get_mut(index) {
                    None => all.push(word),
                    Some(known) if *known == word => {}
                    Some(known) if matches!((&**known, word), ("i32", "f32") | ("f32", "i32")) => {
                        *known = "i32";
                    }
                    Some(known) => *known = "i64",
                }
            }
        }
        to.push("i32");
        to.extend(all);
    }
    match shape {
        Shape::Int(kind) if kind.is_64_bits() => to.push("i64"),
        Shape::Bool | Shape::Int(_) | Shape::Char | Shape::Enum(_) | Shape::Flags(_) => to.push("i32"),
        Shape::F32 => to.push("f32"),
        Shape::F64 => to.push("f64"),
        Shape::String | Shape::Bytes | Shape::List(_) => to.extend(["i32", "i32"]),
        Shape::Tuple(shapes) => shapes.iter().for_each(|shape| words(shape, to)),
        Shape::Record(def) => def.fields.iter().for_each(|field| words(&field.shape, to)),
        Shape::Variant(cases) => joined(cases.iter().map(|case| case.payload.as_ref()).collect(), to),
        Shape::Option { inner, .. } => joined(vec![None, Some(inner)], to),
        Shape::Result { ok, err } => joined(vec![ok.as_deref(), err.as_deref()], to),
        #[allow(unreachable_patterns, reason = "others are not made here")]
        _ => panic!("{shape:?}"),
    }
}

/// A component with functions over two types: `list` gives back a list; `words` gives back what it is called with,
/// bit by bit; `same` gives back its argument, if that is one word; and `read` has bytes read as its result. `words` takes `more` parameters, and `params` are the words of all.
fn component(
    types: &Types,
    a: &str,
    b: &str,
    more: usize,
    params: &[&str],
    one_word: Option<&str>,
    encoding: &str,
) -> String {
    let more: String = (0..more).map(|index| format!("(param \"p{index}\" u8) ")).collect();
    let mut keep = String::new();
    for (index, ty) in params.iter().enumerate() {
        let bits = match *ty {
            "i32" => format!("(i64.extend_i32_u (local.get {index}))"),
            "f32" => format!("(i64.extend_i32_u (i32.reinterpret_f32 (local.get {index})))"),
            "f64" => format!("(i64.reinterpret_f64 (local.get {index}))"),
            _ => format!("(local.get {index})"),
        };
        write!(keep, "(i64.store (i32.const {}) {bits})", 512 + 8 * index).unwrap();
    }
    let (takes, len) = match params.len() {
        0..=16 => (params.join(" "), params.len()),
        // In memory, where 40 words of it are looked at.
        _ => {
            keep = "(memory.copy (i32.const 512) (local.get 0) (i32.const 320))".to_owned();
            ("i32".to_owned(), 40)
        }
    };
    let options = format!("(memory $memory) (realloc $realloc) string-encoding={encoding}");
    let definitions = &types.definitions;
    let mut text = format!(
        r#"(component
        (core module $m
            (memory (export "memory") 4)
            (global $heap (mut i32) (i32.const 1024))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                (local $at i32)
                (local.set $at (i32.and
                    (i32.sub (i32.add (global.get $heap) (local.get 2)) (i32.const 1))
                    (i32.sub (i32.const 0) (local.get 2))))
                (global.set $heap (i32.add (local.get $at) (local.get 3)))
                (memory.copy (local.get $at) (local.get 0) (local.get 1))
                (local.get $at))
            (func $forget (export "forget") (param i32)
                (memory.fill (i32.const 1024) (i32.const 0)
                    (i32.sub (global.get $heap) (i32.const 1024)))
                (global.set $heap (i32.const 1024)))
            (func (export "pair") (param i32 i32) (result i32)
                (i32.store (i32.const 64) (local.get 0)) (i32.store (i32.const 68) (local.get 1)) (i32.const 64))
            (func (export "words") (param {takes}) (result i32)
                {keep}
                (i32.store (i32.const 64) (i32.const 512)) (i32.store (i32.const 68) (i32.const {len}))
                (i32.const 64))
            (func (export "first") (param i32 i32) (result i32) (local.get 0))
            {same})
        (core instance $i (instantiate $m))
        (alias core export $i "memory" (core memory $memory))
        (alias core export $i "realloc" (core func $realloc))
        {definitions}
        (func (export "list") (param "a" (list {a})) (result (list {a}))
            (canon lift (core func $i "pair") {options} (post-return (core func $i "forget"))))
        (func (export "words") (param "a" {a}) (param "b" {b}) {more}(result (list s64))
            (canon lift (core func $i "words") {options} (post-return (core func $i "forget"))))
        (func (export "read") (param "bytes" (list u8)) (result (tuple {a} {b} u8))
            (canon lift (core func $i "first") {options} (post-return (core func $i "forget"))))
        "#,
        same = one_word.map_or(String::new(), |word| format!(
            "(func (export \"same\") (param {word}) (result {word}) (local.get 0))"
        )),
    );
    if one_word.is_some() {
        write!(
            text,
            "(func (export \"same\") (param \"a\" {a}) (result {a}) (canon lift (core func $i \"same\")))"
        )
        .unwrap();
    }
    text.push(')');
    text
}

/// A value for a type, and now and then one that is none.
fn value(random: &mut Random, shape: &Shape, depth: usize) -> Dynamic {
    if random.one_in(60) {
        return random
            .pick(&[
                Dynamic::UNIT,
                Dynamic::from_int(-1),
                Dynamic::from_int(300),
                Dynamic::from_float(1e300),
                "name-0".into(),
                "case_1".into(),
                Dynamic::from_array(vec![Dynamic::UNIT]),
                Dynamic::from_map(Map::from([("ok".into(), Dynamic::UNIT)])),
                Dynamic::from(std::time::Duration::ZERO),
            ])
            .clone();
    }
    let single = |key: &str, value| Dynamic::from_map(Map::from([(key.into(), value)]));
    let len = if depth == 0 { 0 } else { random.below(4) };
    match shape {
        Shape::Bool => random.one_in(2).into(),
        Shape::Int(kind) => {
            let (least, greatest) = kind.range();
            let within = (random.below(200) as i64 - 100).clamp(least, greatest);
            (*random.pick(&[least, greatest, 0, within, within])).into()
        }
        Shape::F32 | Shape::F64 if random.one_in(4) => Dynamic::from_int(random.below(100) as i64),
        Shape::F32 | Shape::F64 => {
            (*random.pick(&[0.0, -0.0, 0.1, -1e30, f64::NAN, f64::INFINITY, f64::NEG_INFINITY])).into()
        }
        Shape::Char => (*random.pick(&['a', '\0', '\u{fc}', '\u{1f980}'])).into(),
        Shape::String => {
            (*random.pick(&["", "a", "\u{fc}\0", "\u{1f980}\u{fc}", "longer than is kept inline"])).into()
        }
        Shape::Bytes => Dynamic::from_blob((0..len as u8).collect()),
        Shape::List(item) => {
            Dynamic::from_array((0..len).map(|_| value(random, item, depth - 1)).collect::<Array>())
        }
        Shape::Tuple(shapes) => {
            Dynamic::from_array(shapes.iter().map(|shape| value(random, shape, depth)).collect::<Array>())
        }
        Shape::Record(def) => {
            let mut map = Map::new();
            for field in &def.fields {
                let left_out = matches!(field.shape, Shape::Option { .. }) && random.one_in(3);
                if !left_out && !random.one_in(100) {
                    map.insert(field.name.script.as_str().into(), value(random, &field.shape, depth));
                }
            }
            Dynamic::from_map(map)
        }
        Shape::Variant(cases) => {
            let case = random.pick(cases);
            match &case.payload {
                Some(shape) => single(&case.name.script, value(random, shape, depth)),
                None => case.name.script.as_str().into(),
            }
        }
        Shape::Enum(names) => random.pick(&names.names).script.as_str().into(),
        Shape::Flags(names) => {
            let flags = (0..random.below(4)).map(|_| random.pick(&names.names).script.as_str().into());
            Dynamic::from_array(flags.collect::<Array>())
        }
        Shape::Option { .. } if random.one_in(3) => Dynamic::UNIT,
        Shape::Option { inner, wrapped } => {
            let value = value(random, inner, depth);
            if *wrapped { Dynamic::from_array(vec![value]) } else { value }
        }
        Shape::Result { ok, err } => {
            let (key, shape) = if random.one_in(2) { ("ok", ok) } else { ("err", err) };
            let payload = shape.as_deref().map_or(Dynamic::UNIT, |shape| value(random, shape, depth));
            single(key, payload)
        }
        #[allow(unreachable_patterns, reason = "others are not made here")]
        _ => panic!("{shape:?}"),
    }
}

/// What a call came to, in words.
#[derive(Debug, PartialEq)]
enum Came {
    Unfit,
    To(String),
    Refused(String),
    Fault,
}

struct Guest<'a> {
    pre: &'a InstancePre<()>,
    export: &'a Export,
}

impl Guest<'_> {
    /// Calls the function itself.
    fn enter(&self, call: impl FnOnce(&mut Store<()>, Func) -> Came) -> Came {
        self.enter_at(self.export.index, call)
    }

    fn enter_at(&self, index: ComponentExportIndex, call: impl FnOnce(&mut Store<()>, Func) -> Came) -> Came {
        let mut store = Store::new(self.pre.engine(), ());
        store.set_hostcall_fuel(1 << 30);
        let instance = self.pre.instantiate(&mut store).unwrap();
        let function = instance.get_func(&mut store, index).unwrap();
        call(&mut store, function)
    }

    fn by_plan(&self, plan: &Plan, args: &[&mut Dynamic]) -> Came {
        let came = plan.prepare(args, |args| {
            self.enter(|store, function| {
                let entry = plan.entry(&function, store).unwrap();
                match plan.call(&entry, args, store) {
                    Ok(Given::Value(value)) => Came::To(format!("{value:?}")),
                    Ok(Given::Thrown(value)) => Came::To(format!("thrown {value:?}")),
                    Ok(Given::Nothing) => Came::Unfit,
                    Err(Failure::Refused(error)) => Came::Refused(error.message().to_owned()),
                    Err(Failure::Fault(_)) => Came::Fault,
                }
            })
        });
        match came {
            Ok(came) => came,
            Err(Unfit::Other) => Came::Unfit,
            Err(other) => panic!("{other:?}"),
        }
    }

    fn by_scalars(&self, plan: &Plan, scalars: &Scalars, args: &[&mut Dynamic]) -> Came {
        let Some(words) = scalars.lower(args) else { return Came::Unfit };
        self.enter_at(self.export.shim.unwrap(), |store, function| {
            let entry = plan.entry(&function, store).unwrap();
            match Plan::call_scalars(scalars, &entry, words, store) {
                Ok(word) => match scalars.lift(word.unwrap()) {
                    Ok(value) => Came::To(format!("{value:?}")),
                    Err(CallError::Error(error)) => Came::Refused(error.message().to_owned()),
                    Err(other) => panic!("{other:?}"),
                },
                Err(Failure::Refused(error)) => panic!("{error:?}"),
                Err(Failure::Fault(_)) => Came::Fault,
            }
        })
    }

    fn by_values(&self, args: &[&mut Dynamic]) -> Came {
        let lowered = self.export.params.iter().zip(args).map(|(shape, arg)| lower(shape, arg).ok());
        let Some(values) = lowered.collect::<Option<Vec<Val>>>() else { return Came::Unfit };
        self.enter(|store, function| {
            let mut results = [Val::Bool(false)];
            if function.call(store, &values, &mut results).is_err() {
                return Came::Fault;
            }
            let [result] = results;
            let sizes = Sizes::of(&Limits::PLUGIN);
            let lifted = match (&self.export.result, result) {
                (Outcome::Value(shape), value) => {
                    lift(shape, value, &Lifting::plain(sizes)).map(|value| format!("{value:?}"))
                }
                (Outcome::Fallible { ok, .. }, Val::Result(Ok(value))) => {
                    crate::lift::lift_optional(ok.as_ref(), value, &Lifting::plain(sizes))
                        .map(|value| format!("{value:?}"))
                }
                (Outcome::Fallible { err, .. }, Val::Result(Err(value))) => {
                    crate::lift::lift_optional(err.as_ref(), value, &Lifting::plain(sizes))
                        .map(|value| format!("thrown {value:?}"))
                }
                (outcome, value) => panic!("{outcome:?} {value:?}"),
            };
            match lifted {
                Ok(text) => Came::To(text),
                Err(error) => Came::Refused(error.message().to_owned()),
            }
        })
    }
}

fn load(engine: &Engine, text: &str) -> (InstancePre<()>, Vec<Export>) {
    let bytes = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let component = shim::compile(engine, &bytes).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    let exports = reflect::exports(engine, &component).unwrap();
    (Linker::new(engine).instantiate_pre(&component).unwrap(), exports)
}

#[test]
fn a_plan_does_what_values_do() {
    let engine = Engine::new(wasmtime::Config::new().concurrency_support(false)).unwrap();
    let (mut came, mut of_scalars) = ([0; 4], 0);
    for seed in 1..=COMPONENTS {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut types = Types::default();
        let (a, b) = (types.make(&mut random, 3), types.make(&mut random, 3));
        // Only a loaded component tells the shapes of the types; its functions depend on them.
        let (_, exports) = load(&engine, &component(&types, &a, &b, 16, &["i32"; 17], None, "utf8"));
        let shapes = exports.iter().find(|export| export.signature.name == "words").unwrap();
        let (mut params, mut first) = (Vec::new(), Vec::new());
        words(&shapes.params[0], &mut first);
        shapes.params[..2].iter().for_each(|shape| words(shape, &mut params));
        let one_word = match first.as_slice() {
            [word] => Some(*word),
            _ => None,
        };
        let encoding = *random.pick(&["utf8", "utf8", "utf16", "latin1+utf16"]);
        let text = component(&types, &a, &b, 0, &params, one_word, encoding);
        let (pre, exports) = load(&engine, &text);
        for export in &exports {
            let plan = Plan::new(export, Sizes::of(&Limits::PLUGIN), 1 << 20).unwrap();
            let guest = Guest { pre: &pre, export };
            for _ in 0..CALLS {
                let mut args: Vec<Dynamic> = if export.signature.name == "read" {
                    let bytes = (0..256).map(|_| *random.pick(&[0, 0, 0, 0, 1, 1, 2, 4, 255]));
                    vec![Dynamic::from_blob(bytes.collect())]
                } else {
                    export.params.iter().map(|shape| value(&mut random, shape, 3)).collect()
                };
                let args: Vec<&mut Dynamic> = args.iter_mut().collect();
                let (planned, expected) = (guest.by_plan(&plan, &args), guest.by_values(&args));
                // A plan stops at the first integer that is too large, before it sees what is broken after it.
                let stopped = matches!((&planned, &expected), (Came::Refused(_), Came::Fault));
                assert!(
                    stopped || planned == expected,
                    "{seed}: {} of {args:?} is {planned:?} and not {expected:?} in\n{text}",
                    export.signature
                );
                if let Some(scalars) = plan.scalars() {
                    assert_eq!(
                        guest.by_scalars(&plan, scalars, &args),
                        expected,
                        "{seed}: {args:?} in\n{text}"
                    );
                    of_scalars += 1;
                }
                came[match planned {
                    Came::Unfit => 0,
                    Came::To(_) => 1,
                    Came::Refused(_) => 2,
                    Came::Fault => 3,
                }] += 1;
            }
        }
    }
    assert!(came.iter().all(|count| *count > 0), "not all was tried: {came:?}");
    assert!(of_scalars > 0, "no function of a few scalars was tried");
}

#[test]
fn a_long_list_is_looked_at_while_it_is_copied() {
    let engine = Engine::new(wasmtime::Config::new().concurrency_support(false)).unwrap();
    let list = |item: &str| {
        format!(
            r#"(component
                (core module $m (memory (export "memory") 64) (global $next (mut i32) (i32.const 1024))
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                        (if (i32.eqz (local.get 0)) (then (local.set 0 (global.get $next))))
                        (global.set $next (i32.add (local.get 0) (local.get 3)))
                        (local.get 0))
                    (func (export "count") (param i32 i32) (result i64)
                        (i64.add (i64.extend_i32_u (local.get 0)) (i64.extend_i32_u (local.get 1)))))
                (core instance $i (instantiate $m))
                (func (export "count") (param "xs" (list {item})) (result s64)
                    (canon lift (core func $i "count") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))"#
        )
    };
    for (item, good, bad) in
        [("f64", Dynamic::from(0.5), Dynamic::from("x")), ("s64", Dynamic::from(7_i64), Dynamic::from(7.5))]
    {
        let (pre, exports) = load(&engine, &list(item));
        let plan = Plan::new(&exports[0], Sizes::of(&Limits::PLUGIN), 1 << 20).unwrap();
        let mut store = Store::new(&engine, ());
        let function = pre.instantiate(&mut store).unwrap().get_func(&mut store, exports[0].index).unwrap();
        let entry = plan.entry(&function, &mut store).unwrap();
        let mut call = |mut array: Dynamic| {
            let args: [&mut Dynamic; 1] = [&mut array];
            let called = plan.prepare(&args, |args| plan.call(&entry, args, &mut store));
            match called.unwrap() {
                Ok(Given::Value(value)) => Some(value.as_int().unwrap()),
                Ok(Given::Nothing) => None,
                _ => panic!("neither a value nor a misfit"),
            }
        };
        let whole: rhai::Array = vec![good.clone(); 10_000];
        for spoiler in [bad, good.clone().into_shared()] {
            let mut spoilt = whole.clone();
            spoilt[9_000] = spoiler;
            assert_eq!(call(spoilt.into()), None, "{item}");
        }
        // The room of both lists was given back, but for 8 bytes each, and the store is well.
        assert_eq!(call(whole.into()), Some(1024 + 2 * 8 + 10_000), "{item}");
    }
}

//! A plugin with something of everything.

#![allow(unreachable_pub)]

use caraway_plugin::prelude::*;

/// A point of the plane.
#[derive(Data, Debug, Clone, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
    /// What it is called.
    pub label: Option<String>,
}

mod elsewhere {
    use caraway_plugin::prelude::*;

    /// A tree, which names itself.
    #[derive(Data)]
    pub struct Tree {
        pub at: super::Point,
        pub r#type: Colour,
        pub children: Vec<Tree>,
        pub next: Option<Box<Tree>>,
    }

    #[derive(Data, Debug, Clone, Copy, PartialEq)]
    pub enum Colour {
        Red,
        DarkBlue = 1 << 3,
        HTTPGreen,
    }

    /// By another name.
    #[derive(Data, Debug, Clone, Copy, PartialEq)]
    pub struct Metres(pub f64);

    /// A class that has only functions.
    #[derive(Handle)]
    pub struct Ticket(pub i64);

    #[derive(Data, Debug, PartialEq)]
    pub enum Shape {
        Dot,
        Circle(Metres),
        Rect { w: f64, h: Option<f64> },
        Line(i64, Vec<i64>, Colour),
    }
}

/// Names that the macros use, too.
mod shadows {
    #[derive(caraway_plugin::Data)]
    pub struct Value(f64);

    #[derive(caraway_plugin::Data)]
    pub struct Option {
        pub fields: Value,
        pub value: Vec<Mismatch>,
    }

    #[derive(caraway_plugin::Data)]
    pub enum Mismatch {
        None,
        Some { value: Value, items: i64 },
        Ok(Data, Value),
    }

    #[derive(caraway_plugin::Data)]
    pub enum Data {
        Err,
    }

    #[allow(dead_code)]
    type Result = Option;
}

#[plugin(name = "everything", version = "1.2.3")]
pub mod everything {
    use super::elsewhere::{Colour, Metres, Shape, Ticket, Tree};
    use super::*;
    use std::collections::{BTreeMap, HashMap};
    use std::sync::Mutex;

    /// Adds two ints.
    ///
    /// And says when it overflows.
    pub fn add(a: i64, b: i64) -> Result<i64, String> {
        a.checked_add(b).ok_or_else(|| format!("{a} + {b} overflows"))
    }

    pub fn scale(x: f64, n: i64) -> f64 {
        x * n as f64
    }

    pub fn is_upper(c: char, strict: bool) -> bool {
        c.is_uppercase() || !strict && c.is_numeric()
    }

    pub fn next(c: char) -> Option<char> {
        char::from_u32(u32::from(c) + 1)
    }

    pub fn shift(c: char) -> char {
        char::from_u32(u32::from(c) + 1).unwrap_or(c)
    }

    pub fn half(x: f64) -> std::result::Result<f64, Error> {
        if x.is_nan() { Err("no number".into()) } else { Ok(x / 2.0) }
    }

    pub fn check(ok: bool) -> Result<(), &'static str> {
        if ok { Ok(()) } else { Err("not ok") }
    }

    pub fn nothing() {}

    pub fn longest<'a>(a: &'a str, b: &'a str) -> &'a str {
        if a.len() < b.len() { b } else { a }
    }

    type Text<'a> = &'a str;

    pub fn by_another_name(text: Text<'_>) -> Text<'_> {
        text
    }

    pub fn reverse(bytes: &[u8]) -> Vec<u8> {
        bytes.iter().rev().copied().collect()
    }

    pub fn count(xs: &[String], m: &HashMap<String, Value>) -> i64 {
        (xs.len() + m.len()) as i64
    }

    pub fn moved(mut point: Point, by: f64) -> Point {
        point.x += by;
        point
    }

    pub fn norm(point: &Point) -> f64 {
        (point.x * point.x + point.y * point.y).sqrt()
    }

    pub fn size(tree: Tree) -> i64 {
        let inside: i64 = tree.children.into_iter().map(size).sum();
        1 + inside + tree.next.map_or(0, |next| size(*next))
    }

    pub fn colour(at: i64) -> Option<Colour> {
        [Colour::Red, Colour::DarkBlue, Colour::HTTPGreen].get(at as usize).copied()
    }

    pub fn colours(of: BTreeMap<String, Colour>) -> Vec<Colour> {
        of.into_values().collect()
    }

    pub fn farthest(points: &[Point], one: &Metres, more: &[Metres]) -> f64 {
        let points = points.iter().map(|point| point.x);
        points.chain(more.iter().map(|metres| metres.0)).fold(one.0, f64::max)
    }

    pub fn sum(ints: &[i64], floats: &[f64], matrix: &[Vec<f64>]) -> f64 {
        ints.iter().map(|int| *int as f64).chain(floats.iter().copied()).chain(matrix.concat()).sum()
    }

    pub fn metres(xs: Vec<Metres>, one: Metres) -> Vec<Metres> {
        xs.into_iter().map(|x| Metres(x.0 + one.0)).collect()
    }

    pub fn shadowed(option: super::shadows::Option) -> super::shadows::Option {
        option
    }

    pub fn shape(shape: Shape) -> Shape {
        shape
    }

    pub fn shapes(shapes: Vec<Shape>) -> String {
        format!("{shapes:?}")
    }

    pub fn fill(xs: &mut [f64], ints: Buffer<i64>, factor: f64) -> Buffer<'static, f64> {
        for (x, int) in xs.iter_mut().zip(ints.iter()) {
            *x = *int as f64 * factor;
        }
        xs.to_vec().into()
    }

    pub fn count_up(n: i64, first: &mut [i64]) -> Buffer<'static, i64> {
        first[0] = n;
        Buffer::from((0..n).collect::<Vec<_>>())
    }

    pub fn find(xs: &[i64], likes: Callback<'_, fn(i64) -> bool>) -> Result<Option<i64>, CallbackError> {
        for x in xs {
            if likes.call(*x)? {
                return Ok(Some(*x));
            }
        }
        Ok(None)
    }

    #[allow(clippy::type_complexity)]
    pub fn join(
        names: Vec<String>,
        how: Callback<fn(String, Vec<i64>, Point, f64) -> String>,
    ) -> Result<String, Error> {
        let mut all = String::new();
        for name in names {
            let point = Point { x: 1.0, y: 2.0, label: None };
            all += &how.call((name, vec![1, 2], point, 0.5))?;
        }
        Ok(all)
    }

    pub fn each(f: Callback<fn(Value)>, then: Callback<fn() -> Vec<f64>>) -> Result<Vec<f64>, String> {
        f.call(Value::Unit).map_err(|error| format!("each: {error}"))?;
        then.call(()).map_err(|error| format!("then: {error}"))
    }

    pub fn in_threads(f: Callback<fn(i64) -> i64>) -> i64 {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|i| scope.spawn(move || f.call(i).unwrap_or(-100))).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
        })
    }

    pub fn context(before: i64, ctx: &Context, after: &mut [i64]) -> String {
        after[0] = before;
        ctx.log(Level::Warn, "said");
        ctx.info(format_args!("{before}"));
        format!("{} {} {:?} {}", ctx.name(), ctx.version(), ctx.config().get("depth"), ctx.interrupted())
    }

    #[derive(Data)]
    struct Settings {
        depth: i64,
        title: Option<String>,
    }

    pub fn settings(ctx: &Context) -> Result<String, Error> {
        let settings: Settings = ctx.settings()?;
        Ok(format!("{} {:?}", settings.depth, settings.title))
    }

    /// What `init` and `shutdown` have done.
    pub static STEPS: Mutex<Vec<String>> = Mutex::new(Vec::new());

    #[init]
    fn init(ctx: &Context) -> Result<(), String> {
        STEPS.lock().unwrap().push(format!("init {:?}", ctx.config()));
        match ctx.config().get("refuse").and_then(Value::as_str) {
            Some(why) => Err(why.to_owned()),
            None => Ok(()),
        }
    }

    #[shutdown]
    fn stop() {
        STEPS.lock().unwrap().push("shutdown".to_owned());
        if STEPS.lock().unwrap().len() > 3 {
            panic!("stopped too often");
        }
    }

    /// Counts.
    #[derive(Handle)]
    pub struct Counter {
        count: i64,
    }

    /// How many counters were dropped.
    pub static DROPPED: Mutex<Vec<i64>> = Mutex::new(Vec::new());

    impl Drop for Counter {
        fn drop(&mut self) {
            if self.count == 13 {
                panic!("thirteen");
            }
            DROPPED.lock().unwrap().push(self.count);
        }
    }

    impl Counter {
        /// A counter that has counted this far.
        pub fn new(start: i64) -> Result<Self, String> {
            if start < 0 { Err("negative".to_owned()) } else { Ok(Self { count: start }) }
        }

        pub fn zero() -> Self {
            Self { count: 0 }
        }

        pub fn limit(a: i64) -> i64 {
            a.max(100)
        }

        pub fn incr(&mut self, by: i64) -> i64 {
            self.count += by;
            self.count
        }

        /// How far it has counted.
        #[getter]
        pub fn count(&self) -> i64 {
            self.count
        }

        pub fn add(&mut self, other: &Counter) {
            self.count += other.count;
        }

        pub fn finish(self, ctx: &Context) -> i64 {
            ctx.debug("finished");
            self.count
        }

        pub fn call_back(&mut self, f: Callback<fn() -> i64>) -> Result<i64, CallbackError> {
            self.count += f.call(())?;
            Ok(self.count)
        }

        pub fn explode(&mut self) {
            self.count += 1;
            panic!("at {}", self.count);
        }

        pub(crate) fn value(&self) -> i64 {
            self.count
        }

        fn doubled(&self) -> Counter {
            Counter { count: self.count * 2 }
        }
    }

    impl std::fmt::Debug for Counter {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.value().fmt(f)
        }
    }

    pub fn total(a: &Counter, b: &mut Counter) -> i64 {
        b.count += 1;
        a.count + b.count
    }

    pub fn swallow(counter: Counter) -> Counter {
        counter.doubled()
    }

    pub fn ticket(number: i64) -> Ticket {
        Ticket(number)
    }

    pub fn number(ticket: &Ticket) -> i64 {
        ticket.0
    }

    pub fn boom(message: &str) -> i64 {
        panic!("{message}")
    }

    pub fn bomb() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropped")
            }
        }
        std::panic::panic_any(Bomb)
    }

    pub fn carried() {
        let payload = std::thread::spawn(|| panic!("carried")).join().unwrap_err();
        std::panic::resume_unwind(payload)
    }

    pub fn caught() -> i64 {
        std::panic::catch_unwind(|| panic!("caught")).map_or(1, |()| 0)
    }

    pub fn in_a_thread() {
        let _ = std::thread::spawn(|| panic!("alone")).join();
    }

    pub mod api {
        use super::super::Point;
        use caraway_plugin::prelude::*;

        /// Not the only class.
        #[derive(Handle)]
        pub struct DbConn(String);

        impl DbConn {
            pub fn open(name: String) -> Self {
                Self(name)
            }

            #[cfg(any())]
            pub fn absent(&self) {}

            #[getter]
            pub fn name(&self) -> &str {
                &self.0
            }
        }

        pub fn origin() -> Point {
            Point { x: 0.0, y: 0.0, label: Some("origin".to_owned()) }
        }

        #[cfg(any())]
        pub fn absent(x: Nonsense) {}
    }

    #[cfg(any())]
    pub mod absent {
        pub fn f() {}
    }

    #[cfg(any())]
    #[init]
    fn absent_init(ctx: i64) {}
}

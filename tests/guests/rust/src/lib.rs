//! The world of `../wit` in Rust, over the bindings that `wit_bindgen` makes when it is compiled.

wit_bindgen::generate!({ path: "../wit", world: "guest" });

use exports::caraway::guests::every_type::{
    Access, Color, Counter as Handle, CounterBorrow, Guest as EveryType, GuestCounter, Point, Shape,
};
use std::cell::Cell;

struct Here;

impl Guest for Here {
    fn add(a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }
}

struct Counter(Cell<i64>);

impl Counter {
    fn handle(start: i64) -> Handle {
        Handle::new(Self::new(start))
    }
}

impl GuestCounter for Counter {
    fn new(start: i64) -> Self {
        Self(Cell::new(start))
    }

    fn up(&self, by: i64) -> i64 {
        self.0.set(self.0.get().wrapping_add(by));
        self.0.get()
    }

    fn parse(text: String) -> Result<Handle, String> {
        text.parse().map(Self::handle).map_err(|_| text + " is no number")
    }
}

impl EveryType for Here {
    type Counter = Counter;

    fn ints(
        a: i8,
        b: u8,
        c: i16,
        d: u16,
        e: i32,
        f: u32,
        g: i64,
        h: u64,
    ) -> (i8, u8, i16, u16, i32, u32, i64, u64) {
        (a, b, c, d, e, f, g, h)
    }

    fn floats(a: f32, b: f64) -> (f32, f64) {
        (a, b)
    }

    fn truth(v: bool) -> bool {
        !v
    }

    fn letter(v: char) -> char {
        v
    }

    fn text(v: String) -> String {
        v
    }

    fn bytes(v: Vec<u8>) -> Vec<u8> {
        v
    }

    fn numbers(v: Vec<f64>) -> Vec<f64> {
        v
    }

    fn texts(v: Vec<String>) -> Vec<String> {
        v
    }

    fn pair(v: (String, i64)) -> (String, i64) {
        v
    }

    fn place(v: Point) -> Point {
        Point { x: v.y, y: v.x, ..v }
    }

    fn way(mut v: Vec<Point>) -> Vec<Point> {
        v.reverse();
        v
    }

    fn outline(v: Shape) -> Shape {
        v
    }

    fn next_color(v: Color) -> Color {
        match v {
            Color::Red => Color::Green,
            Color::Green => Color::DarkBlue,
            Color::DarkBlue => Color::Red,
        }
    }

    fn rights(v: Access) -> Access {
        v
    }

    fn maybe(v: Option<String>) -> Option<String> {
        v
    }

    fn perhaps(v: Option<Option<i64>>) -> Option<Option<i64>> {
        v
    }

    fn checked(v: i64) -> Result<i64, String> {
        if v < 0 { Err(format!("{v} is negative")) } else { Ok(v) }
    }

    fn outcomes(v: Vec<Result<String, Color>>) -> Vec<Result<String, Color>> {
        v
    }

    fn peek(v: CounterBorrow<'_>) -> i64 {
        v.get::<Counter>().0.get()
    }

    fn joined(a: Handle, b: Handle) -> Handle {
        let [a, b] = [a, b].map(Handle::into_inner::<Counter>);
        Counter::handle(a.0.get().wrapping_add(b.0.get()))
    }

    fn several(starts: Vec<i64>) -> Vec<Handle> {
        starts.into_iter().map(Counter::handle).collect()
    }

    fn nothing() {}
}

export!(Here);

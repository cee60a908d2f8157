#![allow(unused)]

use caraway_plugin::prelude::*;

struct Opaque;

#[plugin]
mod plugin {
    use super::*;

    pub fn small(x: i32) -> i64 {
        x.into()
    }

    pub fn own(x: Opaque) {}

    pub fn inside(x: Vec<Opaque>, y: Option<&str>) {}

    pub fn lent(x: &Opaque, y: &[i32]) {}

    pub fn changed(x: &mut Vec<f64>) {}
}

fn main() {}

#![allow(unused)]

use caraway_plugin::prelude::*;

#[plugin]
mod plugin {
    pub fn generic<T>(x: T) {}
}

fn main() {}

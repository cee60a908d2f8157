#![allow(unused)]

use caraway_plugin::prelude::*;

#[plugin]
mod plugin {
    use super::*;

    #[derive(Handle)]
    pub struct Counter;

    pub fn many() -> Vec<Counter> {
        vec![]
    }

    pub fn perhaps(counter: Option<&Counter>) {}
}

fn main() {}

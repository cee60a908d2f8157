#![allow(unused)]

use caraway_plugin::prelude::*;

#[plugin]
mod plugin {
    use super::*;

    pub fn f() {}

    #[init]
    fn init(settings: i64) {}

    #[shutdown]
    fn shutdown() -> i64 {
        1
    }
}

fn main() {}

#![allow(unused)]

use caraway_plugin::prelude::*;

#[plugin]
mod plugin {
    use super::*;

    #[derive(Handle)]
    pub struct Counter;

    pub fn counter() -> Counter {
        Counter
    }

    pub mod inner {
        use super::*;

        #[derive(Handle)]
        pub struct Counter;
    }
}

fn main() {}

#![allow(unused)]

use caraway_plugin::prelude::*;

#[plugin]
mod plugin {
    use super::*;

    #[derive(Handle)]
    pub struct Counter;

    impl Counter {
        pub fn boxed(self: Box<Self>) {}
    }
}

fn main() {}

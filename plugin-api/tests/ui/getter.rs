#![allow(unused)]

use caraway_plugin::prelude::*;

#[plugin]
mod plugin {
    use super::*;

    #[derive(Handle)]
    pub struct Counter;

    impl Counter {
        #[getter]
        pub fn count(&self, by: i64) -> i64 {
            by
        }
    }
}

fn main() {}

#![allow(unused)]

use caraway_plugin::prelude::*;
use std::rc::Rc;

#[plugin]
mod plugin {
    use super::*;

    #[derive(Handle)]
    pub struct Shared(Rc<i64>);

    pub fn shared() -> Shared {
        Shared(Rc::new(1))
    }
}

fn main() {}

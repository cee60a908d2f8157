#![allow(unused)]

use caraway_plugin::prelude::*;

struct Opaque;

#[plugin]
mod plugin {
    use super::*;

    pub fn small() -> u8 {
        0
    }

    pub fn inside() -> Result<Vec<Opaque>, String> {
        Ok(vec![])
    }

    pub fn error() -> Result<(), Opaque> {
        Err(Opaque)
    }
}

fn main() {}

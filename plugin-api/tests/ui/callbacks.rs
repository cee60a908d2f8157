#![allow(unused)]

use caraway_plugin::prelude::*;
use std::sync::Mutex;

static KEPT: Mutex<Option<Callback<'static, fn()>>> = Mutex::new(None);

#[plugin]
mod plugin {
    use super::*;

    pub fn five(f: Callback<fn(i64, i64, i64, i64, i64)>) {}

    pub fn keep(f: Callback<fn()>) {
        *KEPT.lock().unwrap() = Some(f);
    }
}

fn main() {}

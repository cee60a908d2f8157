#![allow(unused)]

use caraway_plugin::prelude::*;

#[derive(Data)]
struct Generic<T>(T);

#[derive(Data)]
struct Pair(i64, i64);

#[derive(Data)]
struct Nothing;

#[derive(Data)]
#[allow(non_camel_case_types)]
struct map {
    x: i64,
}

#[derive(Data)]
union Either {
    a: i64,
    b: f64,
}

#[derive(Data)]
enum Same {
    AB,
    Ab,
}

#[derive(Data)]
struct Field {
    at: usize,
}

#[derive(Handle)]
struct Borrowed<'a>(&'a str);

fn main() {}

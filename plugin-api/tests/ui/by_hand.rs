#![allow(unused)]

use caraway_plugin::export::{Mismatch, TypeName};
use caraway_plugin::prelude::*;

struct Celsius(f64);

impl Data for Celsius {
    const TYPE: TypeName = TypeName::new("float");

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        f64::from_value(value).map(Celsius)
    }

    fn into_value(self) -> Value {
        self.0.into()
    }
}

fn main() {}

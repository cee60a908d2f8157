//! Runs a program with `add`, `echo` and `sum` compiled into the host, as a module named `bench`: no plugin, no limits.

use rhai::module_resolvers::StaticModuleResolver;
use rhai::{Array, Engine, EvalAltResult, FuncRegistration, Module};
use std::error::Error;
use std::path::PathBuf;

fn sum(xs: &mut Array) -> Result<i64, Box<EvalAltResult>> {
    xs.iter()
        .try_fold(0, |sum: i64, x| Ok(sum.wrapping_add(x.as_int()?)))
        .map_err(|found: &str| format!("an element is no int but a {found}").into())
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = PathBuf::from(std::env::args_os().nth(1).ok_or("which program?")?);
    let mut module = Module::new();
    FuncRegistration::new("add").set_into_module(&mut module, |a: i64, b: i64| a.wrapping_add(b));
    FuncRegistration::new("echo").set_into_module(&mut module, |text: &str| text.to_owned());
    FuncRegistration::new("sum").set_into_module(&mut module, sum);
    module.build_index();
    let mut resolver = StaticModuleResolver::new();
    resolver.insert("bench", module);
    let mut engine = Engine::new();
    engine.set_module_resolver(resolver);
    Ok(engine.run_file(path)?)
}

//! Who calls the functions, and how.

use crate::Result;
use crate::guest::{COMPONENT, EXTISM, MANIFEST, MODULE};
use caraway::Runtime;
use extism::{Manifest, Plugin, Wasm};
use rhai::{AST, Engine, EvalAltResult, FnPtr, ImmutableString, Position, Scope};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The arguments of `echo`, and what it is called in the table.
pub const TEXTS: [(&str, usize); 2] = [("echo 10 B", 10), ("echo 10 kB", 10_000)];

/// Calls a function so many times.
pub type Calls = Box<dyn FnMut(usize) -> Result<()>>;

/// A way of calling: its name, and `add` and each `echo`.
pub type Side = (&'static str, Vec<Calls>);

/// extism from Rust, without a limit or with the one that Caraway has when nobody says otherwise.
pub fn extism(name: &'static str, timeout: Option<Duration>) -> Result<Side> {
    let wasm = wat::parse_str(EXTISM)?;
    let plugin = || {
        let manifest = Manifest::new([Wasm::data(wasm.clone())]);
        let manifest = match timeout {
            Some(timeout) => manifest.with_timeout(timeout),
            None => manifest,
        };
        Plugin::new(manifest, [], false)
    };
    let mut add = plugin()?;
    let mut calls: Vec<Calls> = vec![Box::new(move |times| {
        for i in 0..times as i64 {
            let mut input = [0; 16];
            input[..8].copy_from_slice(&i.to_le_bytes());
            input[8..].copy_from_slice(&1_i64.to_le_bytes());
            let sum: &[u8] = add.call("add", &input[..])?;
            same(i64::from_le_bytes(sum.try_into()?), i + 1)?;
        }
        Ok(())
    })];
    for (_, size) in TEXTS {
        let mut echo = plugin()?;
        let text = "x".repeat(size);
        calls.push(Box::new(move |times| {
            for _ in 0..times {
                let back: String = echo.call("echo", text.as_str())?;
                same(back.len(), size)?;
            }
            Ok(())
        }));
    }
    Ok((name, calls))
}

/// Puts Caraway's plugins into a folder: `component` and `core`.
pub fn write(folder: &Path) -> Result<()> {
    fs::write(folder.join("component.wasm"), wat::parse_str(COMPONENT)?)?;
    let module = folder.join("core");
    fs::create_dir(&module)?;
    fs::write(module.join("plugin.toml"), MANIFEST)?;
    Ok(fs::write(module.join("core.wasm"), wat::parse_str(MODULE)?)?)
}

fn engine(folder: &Path) -> Result<Engine> {
    let mut engine = Engine::new();
    engine.set_optimization_level(rhai::OptimizationLevel::None);
    Runtime::builder().plugin_path(folder).build()?.install(&mut engine)?;
    Ok(engine)
}

/// From a script, with the loop that makes the calls.
pub fn script(name: &'static str, folder: &Path, plugin: &str) -> Result<Side> {
    let side = |call: &str, text: String| -> Result<Calls> {
        let engine = engine(folder)?;
        let script = format!(r#"import "{plugin}" as m; for i in 0..times {{ {call} }}"#);
        let ast: AST = engine.compile(script)?;
        Ok(Box::new(move |times| {
            let mut scope = Scope::new();
            scope.push("times", times as i64).push("text", text.clone());
            Ok(engine.run_ast_with_scope(&mut scope, &ast).map_err(said)?)
        }))
    };
    let mut calls = vec![side("m::add(i, 1);", String::new())?];
    for (_, size) in TEXTS {
        calls.push(side("m::echo(text);", "x".repeat(size))?);
    }
    Ok((name, calls))
}

/// From Rust: the module that `import` gives, and a pointer to a function of it.
pub fn direct(name: &'static str, folder: &Path, plugin: &str) -> Result<Side> {
    let engine = || -> Result<Engine> {
        let mut engine = engine(folder)?;
        let module = engine.module_resolver().resolve(&engine, None, plugin, Position::NONE).map_err(said)?;
        engine.register_global_module(module);
        Ok(engine)
    };
    let (host, add, none) = (engine()?, FnPtr::new("add")?, AST::empty());
    let mut calls: Vec<Calls> = vec![Box::new(move |times| {
        for i in 0..times as i64 {
            let sum: i64 = add.call(&host, &none, (i, 1_i64))?;
            same(sum, i + 1)?;
        }
        Ok(())
    })];
    for (_, size) in TEXTS {
        let (host, echo, none) = (engine()?, FnPtr::new("echo")?, AST::empty());
        let text: ImmutableString = "x".repeat(size).into();
        calls.push(Box::new(move |times| {
            for _ in 0..times {
                let back: ImmutableString = echo.call(&host, &none, (text.clone(),))?;
                same(back.len(), size)?;
            }
            Ok(())
        }));
    }
    Ok((name, calls))
}

/// What a plugin's error says.
fn said(error: Box<EvalAltResult>) -> String {
    caraway::Error::raised_in(&error).map_or_else(|| error.to_string(), |error| error.to_string())
}

fn same<T: PartialEq>(a: T, b: T) -> Result<()> {
    if a == b { Ok(()) } else { Err("a wrong result".into()) }
}

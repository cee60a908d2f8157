//! How Rhai really behaves where Caraway depends on it.
//!
//! None of this is documented by Rhai, most of it is silent when it goes wrong, and several are a matter of
//! security. Each test is a fact that the loaders are built on: when one fails after an upgrade of Rhai, find
//! what was built on it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use rhai::module_resolvers::StaticModuleResolver;
use rhai::{
    CallFnOptions, Dynamic, Engine, EvalAltResult, FnPtr, FuncRegistration, Module, ModuleResolver,
    NativeCallContext, OptimizationLevel, Position, RhaiFunc, Scope, Shared,
};
use std::any::TypeId;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

type Native = fn(&mut [&mut Dynamic]) -> Result<Dynamic, Box<EvalAltResult>>;

fn method(function: Native) -> RhaiFunc {
    let func = Shared::new(move |_: Option<NativeCallContext>, args: &mut [&mut Dynamic]| function(args));
    RhaiFunc::Method { func, has_context: false, is_pure: true, is_volatile: true }
}

fn module_with(name: &str, types: &[TypeId], function: Native) -> Module {
    let mut module = Module::new();
    FuncRegistration::new(name).set_into_module_raw(&mut module, types, method(function));
    module.build_index();
    module
}

fn engine_with(modules: impl IntoIterator<Item = (&'static str, Module)>) -> Engine {
    let mut resolver = StaticModuleResolver::new();
    modules.into_iter().for_each(|(name, module)| resolver.insert(name, module));
    let mut engine = Engine::new();
    engine.set_module_resolver(resolver);
    engine
}

#[track_caller]
fn fails(engine: &Engine, script: &str, message: &str) {
    let error = engine.eval::<Dynamic>(script).unwrap_err().to_string();
    assert!(error.contains(message), "{script}: {error}");
}

/// Fact 1: a resolver is told the source of the importing script, also for imports inside functions.
#[test]
fn resolvers_learn_who_imports() {
    #[derive(Clone, Default)]
    struct Spy(Arc<Mutex<Vec<String>>>);
    impl ModuleResolver for Spy {
        fn resolve(
            &self,
            _: &Engine,
            source: Option<&str>,
            path: &str,
            _: Position,
        ) -> Result<Shared<Module>, Box<EvalAltResult>> {
            self.0.lock().unwrap().push(format!("{} imports {path}", source.unwrap_or("?")));
            Ok(Module::new().into())
        }
    }
    let spy = Spy::default();
    let mut engine = Engine::new();
    engine.set_module_resolver(spy.clone());
    let mut ast = engine.compile(r#"import "top" as t; fn f() { import "inner" as i; } f();"#).unwrap();
    ast.set_source("app");
    engine.run_ast(&ast).unwrap();
    assert_eq!(*spy.0.lock().unwrap(), ["app imports top", "app imports inner"]);
}

/// Fact 2: a module made from a script gives its own imports to whoever imports it.
#[test]
fn evaluated_modules_leak_their_imports() {
    let secret = module_with("open", &[], |_| Ok(Dynamic::from(1_i64)));
    let mut engine = engine_with([("std/fs", secret)]);
    let ast = engine.compile(r#"import "std/fs" as fs; fn harmless() { 0 }"#).unwrap();
    let module = Module::eval_ast_as_new(Scope::new(), &ast, &engine).unwrap();
    engine.set_module_resolver(StaticModuleResolver::new()).register_static_module("m", module.into());
    assert_eq!(engine.eval::<i64>("m::fs::open()").unwrap(), 1);
}

/// Fact 3: functions called on their own see neither the imports nor the constants of their top level, but
/// find both in static modules of their engine: the imports under their names, the constants as `global`.
#[test]
fn functions_find_static_modules() {
    let script = r#"const K = 40; import "num" as num; fn f() { num::two() + global::K }"#;
    let two = || module_with("two", &[], |_| Ok(Dynamic::from(2_i64)));
    let mut engine = engine_with([("num", two())]);
    let functions = engine.compile(script).unwrap().clone_functions_only();
    let call = |engine: &Engine| {
        let options = CallFnOptions::new().eval_ast(false);
        engine.call_fn_with_options::<i64>(options, &mut Scope::new(), &functions, "f", ())
    };
    assert!(matches!(*call(&engine).unwrap_err(), EvalAltResult::ErrorModuleNotFound(..)));
    engine.register_static_module("num", two().into());
    assert!(matches!(*call(&engine).unwrap_err(), EvalAltResult::ErrorVariableNotFound(..)));
    let mut constants = Module::new();
    constants.set_var("K", 40_i64);
    engine.register_static_module("global", constants.into());
    assert_eq!(call(&engine).unwrap(), 42);
}

/// Fact 4: argument 0 of a `Method` is the caller's own variable; later ones are copies.
#[test]
fn argument_0_is_the_callers_variable() {
    let take_both = module_with("take", &[TypeId::of::<i64>(); 2], |args| {
        *args[0] = Dynamic::UNIT;
        *args[1] = Dynamic::UNIT;
        Ok(Dynamic::UNIT)
    });
    let engine = engine_with([("m", take_both)]);
    let script = r#"import "m" as m; let a = 1; let b = 2; m::take(a, b); [a, b]"#;
    let values = engine.eval::<rhai::Array>(script).unwrap();
    assert!(values[0].is_unit() && values[1].is_int());
    // A pure `Method` is offered constants too.
    let constant = r#"import "m" as m; const A = 1; m::take(A, 2);"#;
    assert!(engine.run(constant).is_ok());
}

/// Fact 5: a closure is not found on another engine, and a pointer to a named function calls the other side's.
#[test]
fn closures_do_not_cross_engines() {
    let home = Engine::new();
    let away = Engine::new();
    let closure = home.eval::<FnPtr>("let k = 1; |x| x + k").unwrap();
    let ast = away.compile("fn helper(x) { \"other\" }").unwrap();
    let error = closure.call::<Dynamic>(&away, &ast, (1_i64,)).unwrap_err().to_string();
    assert!(error.contains("Function not found: anon$"), "{error}");
    let named = home.eval::<FnPtr>(r#"Fn("helper")"#).unwrap();
    assert_eq!(named.call::<String>(&away, &ast, (1_i64,)).unwrap(), "other");
}

/// Fact 6: with one Rust type for handles of all plugins, a method call runs the function of whichever plugin
/// was imported last.
#[test]
fn methods_of_one_type_are_shared() {
    #[derive(Clone)]
    struct Handle;
    let plugin = |who: Native| {
        let mut module = Module::new();
        FuncRegistration::new("make").set_into_module_raw(
            &mut module,
            [],
            method(|_| Ok(Dynamic::from(Handle))),
        );
        let types = [TypeId::of::<Handle>()];
        FuncRegistration::new("who").in_global_namespace().set_into_module_raw(
            &mut module,
            types,
            method(who),
        );
        module.build_index();
        module
    };
    let engine = engine_with([("a", plugin(|_| Ok("a".into()))), ("b", plugin(|_| Ok("b".into())))]);
    let script = r#"import "a" as a; import "b" as b; let h = a::make(); [h.who(), a::who(h)]"#;
    let who = engine.eval::<rhai::Array>(script).unwrap();
    assert_eq!((who[0].to_string(), who[1].to_string()), ("b".to_owned(), "a".to_owned()));
}

/// Fact 7: an entry that takes `Dynamic`s is found after those with the exact types, and a call that finds
/// none ends in an error with a position.
#[test]
fn exact_types_come_before_dynamic() {
    let mut module = Module::new();
    let exact = [TypeId::of::<i64>()];
    FuncRegistration::new("f").set_into_module_raw(&mut module, exact, method(|_| Ok("exact".into())));
    let any = [TypeId::of::<Dynamic>()];
    FuncRegistration::new("f").set_into_module_raw(&mut module, any, method(|_| Ok("any".into())));
    module.build_index();
    let engine = engine_with([("m", module)]);
    let eval = |call: &str| engine.eval::<String>(&format!(r#"import "m" as m; m::{call}"#)).unwrap();
    assert_eq!((eval("f(1)"), eval("f(1.0)")), ("exact".to_owned(), "any".to_owned()));
    fails(
        &engine,
        r#"import "m" as m; m::f(1, 2)"#,
        "Function not found: m::f (i64, i64) (line 1, position 21)",
    );
}

/// Fact 9: what runs natively is not counted, so `sleep` outlasts any deadline; only size limits stop `pad`.
#[test]
fn native_functions_ignore_progress() {
    let mut engine = Engine::new();
    let looks = Arc::new(AtomicUsize::new(0));
    let seen = looks.clone();
    engine.on_progress(move |_| {
        seen.fetch_add(1, Ordering::Relaxed);
        None
    });
    engine.run("let a = []; a.pad(100000, 0);").unwrap();
    assert!(looks.load(Ordering::Relaxed) < 100);
    engine.set_max_array_size(1000).set_max_string_size(1000);
    fails(&engine, "let a = []; a.pad(1000000000000, 0);", "too large");
    fails(&engine, "blob(1000000000000)", "too large");
    fails(&engine, r#"let s = "x"; s.pad(1000000000000, "y");"#, "too large");
}

/// Fact 10: size limits are per value, so many values go past any of them.
#[test]
fn size_limits_do_not_add_up() {
    let mut engine = Engine::new();
    engine.set_max_string_size(1000);
    let script = r#"let n = 0; for i in 0..100 { let s = "x"; s.pad(1000, "y"); n += s.len(); } n"#;
    assert_eq!(engine.eval::<i64>(script).unwrap(), 100_000);
}

/// Fact 11: under full optimisation a call with constant arguments runs when the script is compiled, unless
/// the function is volatile.
#[test]
fn volatile_functions_are_not_folded() {
    let calls = Arc::new(AtomicUsize::new(0));
    let mut engine = Engine::new();
    engine.set_optimization_level(OptimizationLevel::Full);
    for (name, volatile) in [("folded", false), ("kept", true)] {
        let calls = calls.clone();
        let count = move |_: i64| calls.fetch_add(1, Ordering::Relaxed) as i64;
        FuncRegistration::new(name).with_volatility(volatile).register_into_engine(&mut engine, count);
    }
    engine.compile("kept(1);").unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    engine.compile("folded(1);").unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

/// Fact 13: reserved words cannot follow `m::`, and Rhai itself knows which.
#[test]
fn rhai_knows_its_reserved_words() {
    let engine = Engine::new();
    for word in ["new", "go", "call", "match", "default", "print", "spawn", "eval", "var", "async", "package"]
    {
        assert!(engine.compile(format!("m::{word}(1)")).is_err(), "{word}");
        assert!(!rhai::is_valid_function_name(word), "{word}");
    }
    assert!(rhai::is_valid_function_name("mean"));
}

/// The callback for missing functions is asked after any failure of a function in the engine's own way of calling,
/// found or not, and not for functions of modules.
#[test]
fn missing_functions_are_asked_for_after_any_failure() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let mut engine = engine_with([("m", module_with("fails", &[], |_| Err("no".into())))]);
    engine.register_fn("fails", |_: i64| Err::<(), Box<EvalAltResult>>("no".into()));
    let calls = asked.clone();
    #[allow(deprecated)] // Rhai's mark for an interface that may change.
    engine.on_missing_function(move |name, _, is_method, _| {
        calls.lock().unwrap().push(format!("{name} {is_method}"));
        Ok(None)
    });
    for script in ["let x = 1; x.fails()", "fails(1)", "nothing(1)", r#"import "m" as m; m::fails()"#, "1.x"]
    {
        assert!(engine.eval::<()>(script).is_err(), "{script}");
    }
    assert_eq!(*asked.lock().unwrap(), ["fails true", "fails false", "nothing false"]);
}

/// Functions in the global namespace of a submodule are found on their own, but those that take anything only if
/// the module itself has one of that name and number of parameters that does, too.
#[test]
fn functions_of_submodules_that_take_anything_need_a_mark() {
    #[derive(Clone)]
    struct Nobody;
    let of = |types: &'static [TypeId], marked: bool| {
        let mut inner = Module::new();
        FuncRegistration::new("f").in_global_namespace().set_into_module_raw(
            &mut inner,
            types,
            method(|_| Ok("found".into())),
        );
        let mut module = Module::new();
        module.set_sub_module("no name for it", inner);
        if marked {
            let types = [TypeId::of::<Nobody>(), TypeId::of::<Dynamic>()];
            FuncRegistration::new("f").set_into_module_raw(
                &mut module,
                types,
                method(|_| Ok("marked".into())),
            );
        }
        module.build_index();
        // Other modules are asked, too, and their answer may be a false yes: so there are none.
        let mut engine = Engine::new_raw();
        engine.register_static_module("m", module.into());
        engine
    };
    let int = TypeId::of::<i64>();
    let exact = vec![int, int].leak();
    let any = vec![int, TypeId::of::<Dynamic>()].leak();
    let script = "let x = 1; x.f(2)";
    assert_eq!(of(exact, false).eval::<String>(script).unwrap(), "found");
    fails(&of(any, false), script, "Function not found: f (i64, i64)");
    assert_eq!(of(any, true).eval::<String>(script).unwrap(), "found");
}

/// A loop without a body drops the errors of its iterator and goes on.
#[test]
fn loops_without_a_body_drop_errors() {
    #[derive(Clone)]
    struct Failing;
    let mut module = Module::new();
    module.set_iter_result(TypeId::of::<Failing>(), |_| {
        Box::new(std::iter::repeat_with(|| Err("no".into())).take(3))
    });
    let mut engine = Engine::new();
    engine.register_global_module(module.into());
    let mut scope = Scope::new();
    scope.push("x", Failing);
    assert!(engine.run_with_scope(&mut scope, "for i in x {}").is_ok());
    assert!(engine.run_with_scope(&mut scope, "let n = 0; for i in x { n += 1; }").is_err());
}

/// `exit` inside a function that the host calls is not an error to the host but a result.
#[test]
fn exit_in_a_called_function_looks_like_a_result() {
    let engine = Engine::new();
    let ast = engine.compile("fn f() { exit(5); 1 }").unwrap();
    assert_eq!(engine.call_fn::<i64>(&mut Scope::new(), &ast, "f", ()).unwrap(), 5);
}

/// Fact 14: a parser whose engine has constants puts them in the place of parameters of the same name.
#[test]
fn constants_of_a_parser_replace_parameters() {
    let mut engine = Engine::new();
    let mut module = Module::new();
    module.set_var("X", 1_i64);
    engine.register_global_module(module.into());
    let parameter = "fn f(X) { X } f(2)";
    assert_eq!(engine.eval::<i64>(parameter).unwrap(), 1);
    let ast = Engine::new().compile(parameter).unwrap();
    assert_eq!(engine.eval_ast::<i64>(&ast).unwrap(), 2);
}

/// Fact 15: what is assigned inside a constant of a module is dropped; inside a constant of the script it is an
/// error, or a panic where the optimizer was quicker. `parse_text` refuses all of it.
#[test]
fn assignments_into_constants_are_dropped_or_panic() {
    let mut engine = Engine::new();
    let mut module = Module::new();
    module.set_var("X", rhai::Array::from([1_i64.into()]));
    engine.register_global_module(module.into());
    assert_eq!(engine.eval::<i64>("X[0] = 2; X[0]").unwrap(), 1);
    fails(&engine, "const M = #{a: #{b: 1}}; M.a.b = 2;", "Cannot modify constant M");
    let panics = std::panic::AssertUnwindSafe(|| engine.eval::<()>("const M = #{a: 1}; M.a = 2;"));
    assert!(std::panic::catch_unwind(panics).is_err());
}

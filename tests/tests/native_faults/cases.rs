// The cases, for a module that says whether plugins run in a worker.

use caraway::Code::{self, *};
use caraway_tests::build;
use caraway_tests::native::Native;
use rhai::Dynamic;
use std::sync::OnceLock;

/// `plugins/native-faults`, a plugin in Rust.
fn faults() -> Native {
    static LIBRARY: OnceLock<Vec<u8>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| build::cargo("native-faults", "faults", &[]));
    Native::new("faults", "0.1.0", library, "").in_worker(WORKER)
}

/// `plugins/c/liar.c`, whose results are not what its signatures say.
fn liar() -> Native {
    static LIBRARY: OnceLock<Vec<u8>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| build::cc("c/liar.c", &["-DNDEBUG"]));
    Native::new("liar", "1.0.0", library, "").in_worker(WORKER)
}

/// Each script fails so; the next call works.
#[track_caller]
fn each_fails(plugin: &Native, well: &str, cases: &[(&str, Code, &str)]) {
    for (script, code, message) in cases {
        let error = plugin.fails(script, *code, &[message]);
        assert!(error.location().is_some_and(|place| place.line == 2), "{script}: {error:?}");
        plugin.same(well, "7");
    }
}

#[test]
fn a_manifest_that_the_library_does_not_keep_is_refused_at_load() {
    let library = build::cc("c/liar.c", &[]);
    let functions = "functions = [
        { name = \"truht\", params = [{ name = \"x\", type = \"int\" }], returns = \"int\" },
        { name = \"truth\", params = [], returns = \"int\" },
        { name = \"twice\", params = [], returns = \"int\" },
    ]";
    let liar = Native::new("liar", "1.0.0", &library, functions).in_worker(WORKER);
    let error = liar.refused(SignatureMismatch, &["`truht(x: int) -> int`", "did you mean `truth`?"]);
    let others: Vec<&str> = error.others().iter().map(|error| error.message()).collect();
    for text in [
        "declares `truth() -> int`, but libplugin.so has `truth(x: int) -> int`",
        "declares `twice() -> int`, but libplugin.so has `twice() -> map<any>`",
        "exports `nested(depth: int) -> any`, which the manifest does not list",
    ] {
        assert!(others.iter().any(|message| message.contains(text)), "no {text:?} in {others:#?}");
    }
    assert_eq!(error.location().map(|place| place.line), Some(6), "{error:?}");
}

#[test]
fn wrong_calls_are_told_with_their_place() {
    let faults = faults();
    for (script, column, code, texts) in [
        ("m::text()", 4, UnknownFunction, &["faults::text", "text(x: string) -> string"][..]),
        ("m::text(\"a\", 2)", 4, UnknownFunction, &["faults::text", "text(x: string) -> string"]),
        ("m::txet(\"a\")", 4, UnknownFunction, &["txet", "text"]),
        ("1 + m::len(2)", 8, ArgumentType, &["argument 1 of `faults::len`: `x` must be string, found int"]),
        ("m::floats([1, \"2\"])", 4, ArgumentType, &["`x` must be float, found string at `[1]`"]),
    ] {
        let error = faults.fails(script, code, texts);
        let place = error.location().unwrap();
        assert_eq!((place.line, place.column), (2, column), "{script}: {error:?}");
    }
}

#[test]
fn results_of_another_type_are_errors() {
    each_fails(
        &liar(),
        "m::truth(7)",
        &[
            (
                "m::surrogate_text()",
                ResultType,
                "the result of `liar::surrogate_text` is a string that is not UTF-8",
            ),
            ("m::nowhere()", ResultType, "the result of `liar::nowhere` is a buffer of an impossible size"),
            ("m::wrapping()", ResultType, "the result of `liar::wrapping` is a buffer of an impossible size"),
            ("m::crooked()", ResultType, "the result of `liar::crooked` is a buffer of an impossible size"),
            (
                "m::crooked_buffer()",
                ResultType,
                "the result of `liar::crooked_buffer` is a buffer of an impossible",
            ),
            ("m::many()", ResultType, "`liar::many` cannot be read: the encoded value ends too early"),
            ("m::twice()", ResultType, "`liar::twice` cannot be read: the key \"k\" stands twice"),
            ("m::text_for_int()", ResultType, "the result of `liar::text_for_int` must be int, found string"),
            ("m::nested(129)", ResultType, "`liar::nested` cannot be read: values nest deeper than 128"),
            ("m::nested(100_000)", ResultType, "`liar::nested` cannot be read: values nest deeper than 128"),
        ],
    );
}

#[test]
fn values_at_the_edges_cross_both_ways() {
    let faults = faults();
    for value in ["0.0 / 0.0", "1.0 / 0.0", "-1.0 / 0.0", "-0.0", "4.9e-324", "1.7976931348623157e308"] {
        faults.same(&format!("m::float({value})"), value);
        faults.same(&format!("m::floats([{value}])"), &format!("[{value}]"));
        faults.same(&format!("m::any([{value}])"), &format!("[{value}]"));
    }
    for value in ["\"\"", "\"\\x00\"", "\"a\\x00b\"", "\"\\U0010ffff\\ufeff\\u202e\""] {
        faults.same(&format!("m::text({value})"), value);
        faults.same(&format!("m::any(#{{k: {value}}})"), &format!("#{{k: {value}}}"));
    }
    for value in [
        "0x7fffffffffffffff",
        "-9223372036854775807 - 1",
        "'\\x00'",
        "'\\U0010ffff'",
        "()",
        "blob()",
        "[]",
        "#{}",
    ] {
        faults.same(&format!("m::any({value})"), value);
    }
}

#[test]
fn strings_of_100_mb_cross_both_ways() {
    let faults = faults();
    faults.same("m::text_of(100_000_000).len", "100_000_000");
    let program = "let s = m::text_of(50_000_000); s += s;";
    faults.same(&format!("{program} m::len(s)"), "100_000_000");
    faults.same(&format!("{program} m::text(s).len"), "100_000_000");
    faults.same(&format!("{program} m::any([s])[0].len"), "100_000_000");
}

#[test]
fn values_that_nest_too_deep_are_refused_both_ways() {
    let deep = "`faults::nested` failed: values nest deeper than 128";
    let faults = faults();
    each_fails(
        &faults,
        "m::any(7)",
        &[("m::nested(129)", PluginFailed, deep), ("m::nested(100_000)", PluginFailed, deep)],
    );
    faults.same("let x = 1; for i in 0..128 { x = [x]; } m::any(x) == x", "true");
    faults.same(
        "let x = m::nested(128); let n = 0; while type_of(x) == \"array\" { x = x[0]; n += 1; } n",
        "128",
    );
    // Made here, since a script copies what it puts into an array.
    let refused = || {
        let nested = (0..100_000).fold(Dynamic::ONE, |inner, _| Dynamic::from_array(vec![inner]));
        let error = faults.runtime().call("faults", "any", vec![nested]).unwrap_err();
        assert_eq!(error.code(), ValueRefused, "{error:?}");
        assert!(error.message().contains("`x` nests deeper than 128 levels"), "{error:?}");
    };
    std::thread::scope(|scope| {
        let large = std::thread::Builder::new().stack_size(1 << 30);
        large.spawn_scoped(scope, refused).unwrap().join().unwrap();
    });
}

#[test]
fn panics_are_caught_and_told() {
    let faults = faults();
    each_fails(
        &faults,
        "m::any(7)",
        &[
            ("m::panics(\"Grüße\\x00\")", PluginCrashed, ": Grüße\\u{0}"),
            ("m::panics(\"Grüße\")", PluginCrashed, "`faults::panics` panicked at src/lib.rs:"),
            ("m::panics_again()", PluginCrashed, ": second"),
            ("m::panics_elsewhere()", PluginCrashed, ": the thread is fine"),
        ],
    );
    // Nobody waits for that thread but the plugin.
    let lines = faults.lines();
    let lines = lines.lock().unwrap();
    let elsewhere = |line: &String| line.starts_with("[error] faults: ") && line.ends_with(": elsewhere");
    assert_eq!(lines.iter().filter(|line| elsewhere(line)).count(), 1, "{lines:#?}");
}

#[test]
fn a_handle_survives_its_panics_and_not_its_end() {
    each_fails(
        &faults(),
        "let f = m::fuse(false); for i in 0..7 { f.burn(); } f.burns",
        &[
            ("m::fuse(true).burn()", PluginCrashed, "`faults::fuse::burn` panicked"),
            ("let f = m::fuse(false); f.quench(); f.burn()", PluginFailed, "the Fuse is closed"),
            ("let f = m::fuse(false); f.quench(); f.quench()", PluginFailed, "the Fuse is closed"),
            ("let f = m::fuse(false); f.quench(); f.burns", PluginFailed, "the Fuse is closed"),
            ("let f = m::fuse(true); f.quench()", PluginCrashed, "`faults::fuse::quench` panicked"),
        ],
    );
    faults().same("let f = m::fuse(true); for i in 0..3 { try { f.burn() } catch {} } f.burns", "3");
}

/// Both plugins have a class of this name, and each works with its own handles only.
#[test]
fn handles_of_another_plugin_are_refused() {
    let by_hand = build::rustc(&build::own_rustc(), "by-hand/plugin.rs", &[]);
    let both = Native::new("by-hand", "2.1.0", &by_hand, "").in_worker(WORKER).with(faults());
    for (script, texts) in [
        (
            "m::counter::incr(other::counter(5), 1)",
            [
                "argument 1 of `by-hand::counter::incr`",
                "`self` must be Counter of `by-hand`, found Counter of `faults`",
            ],
        ),
        (
            "other::counter::incr(m::counter(5), 1)",
            [
                "argument 1 of `faults::counter::incr`",
                "`self` must be Counter of `faults`, found Counter of `by-hand`",
            ],
        ),
        (
            "other::fuse::burn(m::counter(5))",
            [
                "argument 1 of `faults::fuse::burn`",
                "`self` must be Fuse of `faults`, found Counter of `by-hand`",
            ],
        ),
    ] {
        both.fails(script, ArgumentType, &texts);
    }
    // Without a module it is the handle that says whose method is meant.
    both.same("let a = m::counter(5); let b = other::counter(5); [a.incr(1), b.incr(1)]", "[6, 7]");
}

#[test]
fn values_stay_good_when_their_plugin_is_gone() {
    let plugin = faults();
    let armed = plugin.eval("m::fuse(true)").unwrap();
    let numbers = plugin.eval("m::numbers(3)").unwrap();
    let lines = plugin.lines();
    drop(plugin);
    assert!(lines.lock().unwrap().is_empty());
    let another = faults();
    let error = another.runtime().call("faults", "fuse::burn", vec![armed.clone()]).unwrap_err();
    assert_eq!(error.code(), ArgumentType, "{error:?}");
    assert_eq!(another.runtime().call("faults", "sum", vec![numbers]).unwrap().as_int(), Ok(3));
    drop(armed);
    let lines = lines.lock().unwrap();
    assert!(lines.iter().any(|line| line.contains("dropped while armed")), "{lines:?}");
}

#[test]
fn many_threads_call_one_plugin() {
    let faults = faults();
    let mut engine = rhai::Engine::new();
    faults.runtime().install(&mut engine).unwrap();
    let fuse: Dynamic = engine.eval("import \"faults\" as m; m::fuse(false)").unwrap();
    let program = "for i in 0..100 { fuse.burn(); m::text(`${i}`); try { m::panics(\"x\") } catch {} }";
    let program = engine.compile(format!("import \"faults\" as m; {program}")).unwrap();
    let scope_of = |fuse: &Dynamic| {
        let mut scope = rhai::Scope::new();
        scope.push_dynamic("fuse", fuse.clone());
        scope
    };
    std::thread::scope(|threads| {
        for _ in 0..32 {
            threads.spawn(|| engine.run_ast_with_scope(&mut scope_of(&fuse), &program).unwrap());
        }
    });
    assert_eq!(
        engine.eval_with_scope::<i64>(&mut scope_of(&fuse), "import \"faults\" as m; fuse.burns").unwrap(),
        3200
    );
}

#[test]
fn errors_pass_through_callbacks() {
    let faults = faults();
    for (script, code, message) in [
        ("m::apply(|x| m::panics(\"inner\"), 1)", PluginCrashed, "`faults::panics` panicked"),
        ("m::apply(|x| throw \"mine\", 1)", ScriptFailed, "mine"),
        (
            "m::apply(|x| \"text\", 1)",
            ArgumentType,
            "the result of the callback `f` of `faults::apply` must be int, found string",
        ),
        ("m::apply_and_panic(|x| x, 1)", PluginCrashed, "`faults::apply_and_panic` panicked"),
        (
            "m::apply(|x| m::apply_and_panic(|y| y, x), 1)",
            PluginCrashed,
            "`faults::apply_and_panic` panicked",
        ),
    ] {
        faults.fails(script, code, &[message]);
        faults.same("m::apply(|x| m::apply(|y| x + y, 3), 4)", "7");
    }
}

/// The libraries that this process itself has open, read from their files.
#[cfg(target_os = "linux")]
#[test]
fn libraries_of_the_system_are_no_plugins() {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut libraries: Vec<&str> = maps
        .split_whitespace()
        .filter(|word| word.starts_with('/') && word.contains(".so") && !word.starts_with("/memfd:"))
        .collect();
    libraries.dedup();
    assert!(libraries.iter().any(|path| path.contains("libc.so")), "{libraries:?}");
    for library in libraries {
        let bytes = std::fs::read(library).unwrap();
        Native::new("libc", "1.0.0", &bytes, "").in_worker(WORKER).refused(LoadFailed, &["exports no Caraway plugin"]);
    }
}

/// While another thread puts this and that in the library's place, each load gets one whole library or none.
#[test]
fn a_file_that_is_swapped_is_loaded_whole_or_refused() {
    let compile = |flags: &[&str]| {
        let flags = [&["-Copt-level=3", "-Cstrip=symbols"], flags].concat();
        build::rustc(&build::own_rustc(), "by-hand/plugin.rs", &flags)
    };
    let (old, new) = (compile(&[]), compile(&["--cfg", "later"]));
    let mut plugin = Native::new("by-hand", "2.1.0", &old, "").in_worker(WORKER);
    let file = plugin.library();
    let aside = file.with_extension("aside");
    let swap = || {
        let cuts = [new.len() - 1, new.len() / 2, 4096, 64, 0].map(|len| &new[..len]);
        for _ in 0..15 {
            for bytes in [&old[..], &new].into_iter().chain(cuts) {
                // Another file in its place; then the same one is written anew.
                std::fs::write(&aside, bytes).unwrap();
                std::fs::rename(&aside, &file).unwrap();
                std::fs::write(&file, bytes).unwrap();
            }
        }
    };
    std::thread::scope(|scope| {
        let swapping = scope.spawn(swap);
        while !swapping.is_finished() {
            plugin.restart();
            match plugin.eval("m::add(1, 2)") {
                Ok(value) => assert_eq!(value.as_int(), Ok(3)),
                Err(error) => assert_eq!(error.code(), LoadFailed, "{error:?}"),
            }
        }
    });
    std::fs::write(&file, &new).unwrap();
    plugin.restart();
    plugin.same("m::add(1, 2)", "3");
}

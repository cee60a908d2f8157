//! Engines that hold what runs on them.

use crate::{equal, guard, json, parsing, sort, text};
use caraway_loaders_core::budget;
use caraway_loaders_core::capability::{Access, Request};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::output::{Output, Stream};
use caraway_loaders_core::{Code, Error, ErrorValue, StandardPackage, escape, handle};
use rhai::{Dynamic, Engine, EvalAltResult, Module, NativeCallContext, Position};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// An engine with Rhai's standard package, every limit set, and nothing that blocks or escapes them.
///
/// What differs from [`Engine::new`]: no module resolver; `sleep` obeys the deadline; functions that make much
/// out of little, or take long with a large value, obey the limits; operations look at the [`budget`]; nothing is
/// printed until [`print_to`] says where.
pub fn engine(limits: &Limits, standard: &StandardPackage) -> Engine {
    let mut engine = Engine::new_raw();
    limits.apply(&mut engine);
    // `eval` parses on it, for as long as the script may run.
    parsing::watch(&mut engine, None);
    engine.register_global_module(standard.module());
    engine.on_progress(budget::tick);
    ErrorValue::register(&mut engine);
    guard::register(&mut engine);
    sort::register(&mut engine);
    equal::register(&mut engine);
    text::register(&mut engine);
    json::register(&mut engine);
    handle::find_methods(&mut engine);
    engine.register_fn("sleep", |context: NativeCallContext, seconds: i64| {
        sleep(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)), context.call_position())
    });
    engine.register_fn("sleep", |context: NativeCallContext, seconds: f64| {
        // What is too long for the clock is as long as can be.
        let longest = if seconds > 0.0 { Duration::MAX } else { Duration::ZERO };
        sleep(Duration::try_from_secs_f64(seconds).unwrap_or(longest), context.call_position())
    });
    engine
}

/// An engine that only parses: it has the limits on source text and no functions.
pub fn parser(limits: &Limits) -> Engine {
    let mut engine = Engine::new_raw();
    limits.apply(&mut engine);
    parsing::watch(&mut engine, Some(parsing::LONGEST));
    engine
}

/// Puts a constant into an engine, which scripts see at the top level and in functions.
pub fn constant(engine: &mut Engine, name: &str, value: Dynamic) {
    // Those of a global module are seen inside functions too.
    let mut module = Module::new();
    module.set_var(name, value);
    engine.register_global_module(module.into());
}

fn sleep(duration: Duration, position: Position) -> Result<(), Box<EvalAltResult>> {
    budget::sleep(duration).map_err(|expiry| expiry.terminate(position))
}

/// Makes `exit` an error: only a program may end the run.
pub fn forbid_exit(engine: &mut Engine) {
    fn refused(context: &NativeCallContext) -> Box<EvalAltResult> {
        Error::new(Code::PluginFailed, "a plugin cannot `exit`: only the program can")
            .hint("give back a value, or `throw` an error")
            .raise(context.call_position())
    }
    engine.register_fn("exit", |context: NativeCallContext| Err::<(), _>(refused(&context)));
    engine.register_fn("exit", |context: NativeCallContext, _: Dynamic| Err::<(), _>(refused(&context)));
}

/// Lets `print` and `debug` write to `output`, as far as `access` lets them. A refusal is told once, on
/// standard error, and what would have been printed is dropped.
pub fn print_to(engine: &mut Engine, output: Output, access: Arc<Access>) {
    let told = Arc::new(AtomicBool::new(false));
    let write = move |stream: Stream, text: &str| match access.check(&Request::Print(stream)) {
        Ok(()) => output.line(stream, text),
        Err(error) if !told.swap(true, Ordering::Relaxed) => {
            let hint = error.hint_text().map(|hint| format!(" (help: {hint})")).unwrap_or_default();
            output.line(Stream::Stderr, &format!("warning[{}]: {error}{hint}", error.code()));
        }
        Err(_) => {}
    };
    let print = write.clone();
    engine.on_print(move |text| print(Stream::Stdout, text));
    engine.on_debug(move |text, source, position| {
        let place = match (source, position.line()) {
            (Some(source), Some(line)) => format!("{}:{line}: ", escape(source)),
            _ => String::new(),
        };
        // A character is shown as it is, by Rhai.
        write(Stream::Stderr, &format!("{place}{}", escape(text)));
    });
}

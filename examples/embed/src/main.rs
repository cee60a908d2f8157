//! A host program with plugins of its own: run it with
//! `cargo run -p caraway-example-embed`.

use caraway::{Limits, Output, Runtime};
use rhai::Engine;
use std::path::Path;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // First of all: native plugins that want a sandbox run in processes of their own, which are this program again.
    let workers = caraway::worker::maybe_run()?;
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");

    // A runtime knows where plugins are and what they may do; here, nothing.
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_secs(5));
    let runtime = Runtime::builder()
        .plugin_path(&plugins)
        .workers(workers)
        .plugin_limits(limits)
        .output(Output::new(|_, line| println!("script: {line}")))
        .build()?;

    // Run a script.
    let value = runtime.eval(
        r#"
        import "stats" as stats;
        let xs = [181, 186, 195, 193, 190];
        print(`mean of ${xs.len()} values`);
        stats::mean(xs)
        "#,
    )?;
    println!("mean: {value}");

    // Call one function, without a script.
    let xs: rhai::Array = [3, 1, 2].into_iter().map(|x: i64| x.into()).collect();
    println!("median: {}", runtime.call("stats", "median", vec![xs.into()])?);

    // Errors are values with a code, a message, a place and a hint.
    if let Err(error) = runtime.eval(r#"import "stats" as stats; stats::maen([1])"#) {
        println!("{}: {} ({})", error.code(), error, error.hint_text().unwrap_or("no hint"));
    }

    // Or bring an engine of your own: `import` finds plugins there too.
    let mut engine = Engine::new();
    engine.register_fn("host_version", || "1.0");
    runtime.install(&mut engine)?;
    let text =
        engine.eval::<String>(r#"import "stats" as stats; `${host_version()}: ${stats::mean([1, 2])}`"#)?;
    println!("{text}");
    Ok(())
}

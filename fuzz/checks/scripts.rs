//! Programs: whatever they do, they end, with a value or an error that is no bug of ours.

use caraway::{Code, Limits, Output, Runtime};
use std::time::{Duration, Instant};

/// Checks one input.
pub(crate) fn check(bytes: &[u8]) {
    thread_local!(static RUNTIME: Runtime = runtime());
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let start = Instant::now();
    let outcome = RUNTIME.with(|runtime| runtime.eval(text));
    let took = start.elapsed();
    assert!(took < Duration::from_secs(20), "{text:?} took {took:?}");
    if let Err(error) = outcome {
        assert!(error.code() != Code::Internal, "{text:?}: {error}");
        // The value of the program has no place, and neither has a limit that is found at its end.
        let of_value = matches!(error.code(), Code::CallbackExpired | Code::ValueRefused);
        let placed = error.location().is_some() || of_value || error.code().exit_code() == 7;
        assert!(placed, "{text:?}: {error}");
    }
}

fn runtime() -> Runtime {
    let mut limits = Limits::PROGRAM;
    limits.timeout = Some(Duration::from_millis(200));
    limits.operations = Some(20_000);
    limits.memory = Some(64 << 20);
    let builder =
        Runtime::builder().program_limits(limits).plugin_limits(limits).output(Output::new(|_, _| {}));
    builder.build().unwrap_or_else(|error| panic!("{error}"))
}

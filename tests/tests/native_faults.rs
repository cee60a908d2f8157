//! Native code that goes wrong without ending the process, and values at the edges: in the host's process and in a
//! worker, with the same outcome. What ends the process is in `interpreter/tests/native.rs` and `worker.rs`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod in_process {
    const WORKER: Option<&str> = None;
    include!("native_faults/cases.rs");
}

mod in_a_worker {
    const WORKER: Option<&str> = Some(env!("CARGO_BIN_EXE_caraway-worker"));
    include!("native_faults/cases.rs");
}

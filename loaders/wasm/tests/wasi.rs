//! What a component reaches through WASI: nothing that was not granted, and nothing for longer than it may.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use caraway_loaders_core::Code;
use caraway_loaders_core::capability::{Access, Asks, Grants};
use caraway_loaders_core::limits::Limits;
use common::{Bench, engine, fails, shown};
use std::path::Path;
use std::time::{Duration, Instant};

/// A component that prints, sleeps, exits and looks around.
const GUEST: &str = r#"(component
    (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
    (alias export $error "error" (type $io-error))
    (import "wasi:io/poll@0.2.0" (instance $poll
        (export "pollable" (type $pollable (sub resource)))
        (export "[method]pollable.block" (func (param "self" (borrow $pollable))))
        (export "[method]pollable.ready" (func (param "self" (borrow $pollable)) (result bool)))))
    (alias export $poll "pollable" (type $pollable))
    (import "wasi:io/streams@0.2.0" (instance $streams
        (alias outer 1 $io-error (type $outer-error))
        (export "error" (type $e (eq $outer-error)))
        (export "output-stream" (type $out (sub resource)))
        (type $stream-error' (variant (case "last-operation-failed" (own $e)) (case "closed")))
        (export "stream-error" (type $stream-error (eq $stream-error')))
        (export "[method]output-stream.blocking-write-and-flush" (func
            (param "self" (borrow $out)) (param "contents" (list u8))
            (result (result (error $stream-error)))))))
    (alias export $streams "output-stream" (type $output))
    (import "wasi:cli/stdout@0.2.0" (instance $stdout
        (alias outer 1 $output (type $o'))
        (export "output-stream" (type $o (eq $o')))
        (export "get-stdout" (func (result (own $o))))))
    (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
        (alias outer 1 $pollable (type $p'))
        (export "pollable" (type $p (eq $p')))
        (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
    (import "wasi:cli/exit@0.2.0" (instance $exit
        (export "exit" (func (param "status" (result))))))
    (import "wasi:cli/environment@0.2.0" (instance $environment
        (export "get-environment" (func (result (list (tuple string string)))))
        (export "get-arguments" (func (result (list string))))))
    (import "wasi:filesystem/types@0.2.0" (instance $files
        (export "descriptor" (type (sub resource)))))
    (alias export $files "descriptor" (type $descriptor))
    (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
        (alias outer 1 $descriptor (type $d'))
        (export "descriptor" (type $d (eq $d')))
        (export "get-directories" (func (result (list (tuple (own $d) string)))))))

    (core module $memory
        (memory (export "memory") 1)
        (global $heap (mut i32) (i32.const 4096))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
            (global.set $heap (i32.add (local.get $at) (local.get 3)))
            (local.get $at)))
    (core instance $mem (instantiate $memory))
    (core func $get-stdout (canon lower (func $stdout "get-stdout")))
    (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
        (memory (core memory $mem "memory")) (realloc (core func $mem "realloc"))))
    (core func $subscribe (canon lower (func $clock "subscribe-duration")))
    (core func $block (canon lower (func $poll "[method]pollable.block")))
    (core func $ready (canon lower (func $poll "[method]pollable.ready")))
    (core func $drop-pollable (canon resource.drop $pollable))
    (core func $exit-with (canon lower (func $exit "exit")))
    (core func $env (canon lower (func $environment "get-environment")
        (memory (core memory $mem "memory")) (realloc (core func $mem "realloc"))))
    (core func $args (canon lower (func $environment "get-arguments")
        (memory (core memory $mem "memory")) (realloc (core func $mem "realloc"))))
    (core func $directories (canon lower (func $preopens "get-directories")
        (memory (core memory $mem "memory")) (realloc (core func $mem "realloc"))))

    (core module $main
        (import "wasi" "memory" (memory 1))
        (import "wasi" "get-stdout" (func $get-stdout (result i32)))
        (import "wasi" "write" (func $write (param i32 i32 i32 i32)))
        (import "wasi" "subscribe" (func $subscribe (param i64) (result i32)))
        (import "wasi" "block" (func $block (param i32)))
        (import "wasi" "ready" (func $ready (param i32) (result i32)))
        (import "wasi" "drop-pollable" (func $drop-pollable (param i32)))
        (import "wasi" "exit" (func $exit (param i32)))
        (import "wasi" "env" (func $env (param i32)))
        (import "wasi" "args" (func $args (param i32)))
        (import "wasi" "directories" (func $directories (param i32)))
        (func (export "print") (param i32 i32) (call $write (call $get-stdout) (local.get 0) (local.get 1) (i32.const 64)))
        (func (export "sleep") (param i64) (local $p i32)
            (local.set $p (call $subscribe (local.get 0)))
            (call $block (local.get $p))
            (call $drop-pollable (local.get $p)))
        (func (export "over") (param i64) (result i32) (call $ready (call $subscribe (local.get 0))))
        (func (export "leave") (call $exit (i32.const 1)))
        (func (export "sees") (result i32)
            (call $env (i32.const 64)) (call $args (i32.const 72)) (call $directories (i32.const 80))
            (i32.add (i32.load (i32.const 68)) (i32.add (i32.load (i32.const 76)) (i32.load (i32.const 84))))))
    (core instance $i (instantiate $main (with "wasi" (instance
        (export "memory" (memory $mem "memory"))
        (export "get-stdout" (func $get-stdout))
        (export "write" (func $write))
        (export "subscribe" (func $subscribe))
        (export "block" (func $block))
        (export "ready" (func $ready))
        (export "drop-pollable" (func $drop-pollable))
        (export "exit" (func $exit-with))
        (export "env" (func $env))
        (export "args" (func $args))
        (export "directories" (func $directories))))))
    (func (export "say") (param "text" string) (canon lift (core func $i "print")
        (memory (core memory $mem "memory")) (realloc (core func $mem "realloc"))))
    (func (export "sleep") (param "nanoseconds" u64) (canon lift (core func $i "sleep")))
    (func (export "over") (param "nanoseconds" u64) (result bool) (canon lift (core func $i "over")))
    (func (export "leave") (canon lift (core func $i "leave")))
    (func (export "sees") (result u32) (canon lift (core func $i "sees"))))"#;

fn access(asks: bool, grants: &[&str]) -> Access {
    let folder = Path::new("/nowhere");
    let mut asked = Asks::default();
    if asks {
        asked.add("io", None).unwrap();
    }
    let mut granted = Grants::new(folder);
    for grant in grants {
        granted.allow(grant, folder).unwrap();
    }
    Access::plugin("m", &asked, &granted, folder)
}

#[test]
fn printing_needs_to_be_asked_for_and_granted() {
    // A line that was begun is printed when the call returns.
    let all = ["one", "two", "th", "ree"];
    for (asks, grants, lines) in
        [(false, &[][..], &[][..]), (true, &[], &[]), (false, &["io"], &[]), (true, &["io"], &all)]
    {
        let bench = Bench::new();
        let bound = bench.load_with(bench.plugin("m", GUEST), Limits::PLUGIN, access(asks, grants)).unwrap();
        shown(&engine(&bound), r#"m::say("one\ntwo\nth"); m::say("ree\n")"#);
        let printed: Vec<String> = std::mem::take(&mut *bench.printed.lock().unwrap());
        assert_eq!(printed, lines, "asks: {asks}, grants: {grants:?}");
    }
}

#[test]
fn nothing_of_the_host_is_seen() {
    let bench = Bench::new();
    assert_eq!(shown(&bench.engine(GUEST), "m::sees()"), "0");
}

#[test]
fn sleeping_obeys_the_deadline() {
    let bench = Bench::new();
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(30));
    let engine = bench.engine_with(GUEST, limits);
    for nanoseconds in ["60000000000", "9223372036854775807"] {
        let start = Instant::now();
        fails(&engine, &format!("m::sleep({nanoseconds})"), Code::Deadline, "longer than its limit of 30ms");
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    }
    assert_eq!(shown(&engine, "m::sleep(1000000); [m::over(0), m::over(60000000000)]"), "[true, false]");
}

#[test]
fn exit_ends_the_call_and_not_the_host() {
    let bench = Bench::new();
    let engine = bench.engine(GUEST);
    fails(&engine, "m::leave()", Code::PluginCrashed, "`m::leave` called `exit(1)`");
    assert_eq!(shown(&engine, "m::over(0)"), "true");
}

#[test]
fn a_component_is_not_entered_twice_by_one_thread() {
    use caraway_loaders_core::loader::Loader;
    use caraway_loaders_core::output::Output;
    use std::sync::{Arc, Mutex};

    // The host's output calls the plugin that prints to it.
    let bench = Bench::new();
    let engine: Arc<Mutex<Option<rhai::Engine>>> = Arc::default();
    let found = Arc::new(Mutex::new(Vec::new()));
    let (inner, kept) = (engine.clone(), found.clone());
    let mut request = bench.request(bench.plugin("m", GUEST), Limits::PLUGIN, access(true, &["io"]));
    request.output = Output::new(move |_, _| {
        let engine = inner.lock().unwrap();
        let error = common::failure(engine.as_ref().unwrap(), "m::over(0)");
        kept.lock().unwrap().push((error.code(), error.message().to_owned()));
    });
    let bound = bench.loader.load(&request).unwrap();
    *engine.lock().unwrap() = Some(common::engine(&bound));
    shown(&common::engine(&bound), r#"m::say("x\n")"#);
    let message = "`m::over` was called while a function of `m` was running";
    assert_eq!(*found.lock().unwrap(), [(Code::Limit, message.to_owned())]);
}

const UDP: &str = r#"(component
    (import "wasi:sockets/udp@0.2.0" (instance $udp (export "udp-socket" (type (sub resource)))))
    (alias export $udp "udp-socket" (type $socket))
    (import "wasi:sockets/udp-create-socket@0.2.0" (instance $create
        (alias outer 1 $socket (type $socket'))
        (export "udp-socket" (type $socket (eq $socket')))
        (type $family' (enum "ipv4" "ipv6"))
        (export "ip-address-family" (type $family (eq $family')))
        (type $code' (enum "unknown" "access-denied" "not-supported" "invalid-argument" "out-of-memory" "timeout"
            "concurrency-conflict" "not-in-progress" "would-block" "invalid-state" "new-socket-limit"
            "address-not-bindable" "address-in-use" "remote-unreachable" "connection-refused" "connection-reset"
            "connection-aborted" "datagram-too-large" "name-unresolvable" "temporary-resolver-failure"
            "permanent-resolver-failure"))
        (export "error-code" (type $code (eq $code')))
        (export "create-udp-socket" (func (param "address-family" $family)
            (result (result (own $socket) (error $code)))))))
    (core module $memory (memory (export "memory") 1))
    (core instance $mem (instantiate $memory))
    (core func $create (canon lower (func $create "create-udp-socket") (memory (core memory $mem "memory"))))
    (core module $main
        (import "wasi" "memory" (memory 1))
        (import "wasi" "create" (func $create (param i32 i32)))
        (func (export "open") (result i32)
            (call $create (i32.const 0) (i32.const 16))
            (i32.add
                (i32.mul (i32.const 100) (i32.load8_u (i32.const 16)))
                (i32.load8_u (i32.const 20)))))
    (core instance $i (instantiate $main (with "wasi" (instance
        (export "memory" (memory $mem "memory")) (export "create" (func $create))))))
    (func (export "open") (result s32) (canon lift (core func $i "open"))))"#;

#[test]
fn sockets_are_refused_within_a_runtime_too() {
    let engine = Bench::new().engine(UDP);
    let opened = || assert_eq!(shown(&engine, "m::open()"), "101", "an error, the second one");
    opened();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async { opened() });
}

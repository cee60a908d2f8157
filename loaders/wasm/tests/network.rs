//! The network: connections to what both keys open, for no longer than a call may take. All servers are on this machine.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use caraway_loaders_core::Code;
use caraway_loaders_core::capability::{Access, Asks, Grants};
use caraway_loaders_core::limits::Limits;
use common::{Bench, engine, fails, shown};
use rhai::Engine;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Hands everything on to WASI: handles are numbers, error codes are thrown as numbers.
const GUEST: &str = include_str!("guests/sockets.wat");

const ACCESS_DENIED: &str = "1";
const INVALID_ARGUMENT: &str = "3";
const NOT_IN_PROGRESS: &str = "7";
const NEW_SOCKET_LIMIT: &str = "10";
const CONNECTION_REFUSED: &str = "14";

/// What scripts are written with. Streams are `[input, output]`.
const HELP: &str = r#"
    fn to(port) { let s = m::socket(0); m::connect(s, 127, 0, 0, 1, port); m::finish(s) }
    fn say(streams, text) { m::write(streams[1], text.to_blob()); m::read(streams[0], 100).as_string() }
    fn addresses(name) {
        let lookup = m::look_up(name); let all = []; let next = m::next(lookup);
        while next != () { all.push(next); next = m::next(lookup); }
        all
    }
"#;

/// A server that answers each connection with `answer`, until it gives up.
fn server(answer: impl Fn(std::net::TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            answer(stream);
        }
    });
    port
}

/// A server that answers what is said to it.
fn echo() -> u16 {
    server(|mut stream| {
        let mut buffer = [0; 1000];
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            stream.write_all(&buffer[..read]).unwrap();
        }
    })
}

/// A server that takes connections and never says anything.
fn silent() -> u16 {
    server(|stream| {
        thread::spawn(move || {
            thread::sleep(Duration::from_secs(60));
            drop(stream);
        });
    })
}

/// `PORT` stands for the port in what is asked for, allowed and denied.
struct Keys<'a> {
    asks: Option<&'a [&'a str]>,
    allow: &'a [&'a str],
    deny: &'a [&'a str],
}

impl Keys<'_> {
    fn access(&self, port: u16) -> Access {
        let folder = Path::new("/nowhere");
        let with_port = |text: &&str| text.replace("PORT", &port.to_string());
        let (mut asks, mut grants) = (Asks::default(), Grants::new(folder));
        let hosts = self.asks.map(|hosts| hosts.iter().map(with_port).collect::<Vec<_>>());
        asks.add("network", hosts.map(|hosts| serde_json::json!({"hosts": hosts})).as_ref()).unwrap();
        self.allow.iter().for_each(|text| grants.allow(&with_port(text), folder).unwrap());
        self.deny.iter().for_each(|text| grants.deny(&with_port(text), folder).unwrap());
        Access::plugin("m", &asks, &grants, folder)
    }
}

/// Asks for everything.
fn keys<'a>(allow: &'a [&'a str]) -> Keys<'a> {
    Keys { asks: None, allow, deny: &[] }
}

fn load(bench: &Bench, keys: &Keys<'_>, port: u16) -> Engine {
    load_for(bench, keys, port, Duration::from_secs(10))
}

fn load_for(bench: &Bench, keys: &Keys<'_>, port: u16, timeout: Duration) -> Engine {
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(timeout);
    engine(&bench.load_with(bench.plugin("m", GUEST), limits, keys.access(port)).unwrap())
}

/// What a script gives, or what it throws.
#[track_caller]
fn gives(engine: &Engine, script: &str, expected: &str) {
    let body = format!("{HELP} let out = (); try {{ out = {{ {script} }} }} catch (e) {{ out = e }} out");
    assert_eq!(shown(engine, &body), expected, "{script}");
}

#[test]
fn connecting_needs_to_be_asked_for_and_granted() {
    let port = echo();
    let address = "127.0.0.1:PORT";
    for (asks, allow, deny, open) in [
        (Some(&[address][..]), &["network=127.0.0.1:PORT"][..], &[][..], true),
        (None, &["m:network=127.0.0.1:PORT"], &[], true),
        (Some(&[address]), &["network"], &[], true),
        (None, &["network"], &[], false),
        (None, &[], &[], false),
        (Some(&[]), &["network"], &[], false),
        (Some(&["127.0.0.1:1"]), &["network"], &[], false),
        (None, &["n:network=127.0.0.1:PORT"], &[], false),
        (None, &["network=127.0.0.1:1"], &[], false),
        (None, &["network=127.0.0.2:PORT"], &[], false),
        (None, &["network=localhost:PORT"], &[], false),
        (None, &["network"], &["network=127.0.0.1:PORT"], false),
    ] {
        let bench = Bench::new();
        let engine = load(&bench, &Keys { asks, allow, deny }, port);
        let expected = if open { "\"hello\"" } else { ACCESS_DENIED };
        gives(&engine, &format!("say(to({port}), \"hello\")"), expected);
        let told = bench.printed.lock().unwrap().len();
        assert_eq!(told, usize::from(!open), "{asks:?} {allow:?} {deny:?}");
    }
}

#[test]
fn a_name_leads_to_its_addresses_at_the_ports_that_are_granted() {
    let (port, other) = (echo(), echo());
    let bench = Bench::new();
    let engine = load(&bench, &keys(&["network=localhost:PORT"]), port);
    let hello = format!("say(to({port}), \"hello\")");
    gives(&engine, &hello, ACCESS_DENIED);
    gives(&engine, "addresses(\"localhost\").contains(#{v4: [127, 0, 0, 1]})", "true");
    gives(&engine, &hello, "\"hello\"");
    gives(&engine, &format!("to({other})"), ACCESS_DENIED);
    gives(&engine, "m::look_up(\"other.example\")", ACCESS_DENIED);
    for name in ["", "a b", "a/b", "a\\0b", "http://localhost"] {
        gives(&engine, &format!("m::look_up(\"{}\")", name.replace("\\0", "\\x00")), INVALID_ARGUMENT);
    }
    gives(&engine, "addresses(\"127.0.0.2\")", r#"[#{"v4": [127, 0, 0, 2]}]"#);
    gives(&engine, "addresses(\"[::1]\")", r#"[#{"v6": [0, 0, 0, 0, 0, 0, 0, 1]}]"#);
    gives(&engine, &format!("let s = m::socket(0); m::connect(s, 127, 0, 0, 2, {port})"), ACCESS_DENIED);
}

#[test]
fn the_operator_is_told_which_flag_opens_a_host_once() {
    let port = echo();
    let bench = Bench::new();
    let engine = load(&bench, &Keys { asks: Some(&["a.example:443"]), allow: &[], deny: &[] }, port);
    for _ in 0..3 {
        gives(&engine, "m::look_up(\"a.example\")", ACCESS_DENIED);
        gives(&engine, &format!("to({port})"), ACCESS_DENIED);
    }
    let line = format!("{{\"network\":{{\"hosts\":[\"127.0.0.1:{port}\"]}}}}");
    assert_eq!(
        *bench.printed.lock().unwrap(),
        [
            "[warn] m: plugin `m` may not connect to `a.example:443`: it is not granted; run with \
             `--allow m:network=a.example:443`"
                .to_owned(),
            format!(
                "[warn] m: plugin `m` may not connect to `127.0.0.1:{port}`: its manifest does not ask for it; add \
                 `{line}` to `capabilities` in the manifest of `m` and run with `--allow m:network=127.0.0.1:{port}`"
            ),
        ]
    );
}

#[test]
fn a_server_that_never_answers_is_waited_for_until_the_deadline() {
    let port = silent();
    let bench = Bench::new();
    let timeout = Duration::from_millis(300);
    let engine = load_for(&bench, &keys(&["network=127.0.0.1:PORT"]), port, timeout);
    let start = Instant::now();
    fails(
        &engine,
        &format!("{HELP} m::read(to({port})[0], 1)"),
        Code::Deadline,
        "longer than its limit of 300ms",
    );
    assert!(start.elapsed() < timeout + Duration::from_secs(1), "{:?}", start.elapsed());
    gives(
        &engine,
        &format!(
            "m::remote({{ let s = m::socket(0); m::connect(s, 127, 0, 0, 1, {port}); m::finish(s); s }})"
        ),
        &{ format!("#{{\"v4\": [{port}, [127, 0, 0, 1]]}}") },
    );
}

#[test]
fn a_server_that_never_reads_is_waited_for_until_the_deadline() {
    let port = silent();
    let bench = Bench::new();
    let timeout = Duration::from_millis(300);
    let engine = load_for(&bench, &keys(&["network=127.0.0.1:PORT"]), port, timeout);
    let start = Instant::now();
    let flood = format!("{HELP} let s = to({port}); let part = blob(4096); loop {{ m::write(s[1], part) }}");
    // Each call is one of its own: the one that waits is stopped.
    fails(&engine, &flood, Code::Deadline, "longer than its limit of 300ms");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn what_was_written_arrives() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let port = server(move |mut stream| {
        thread::sleep(Duration::from_millis(50));
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        sender.send(all.len()).unwrap();
        stream.write_all(b"done").unwrap();
    });
    let bench = Bench::new();
    let engine = load(&bench, &keys(&["network=127.0.0.1:PORT"]), port);
    let script = format!(
        "let s = m::socket(0); m::connect(s, 127, 0, 0, 1, {port}); let t = m::finish(s);
         let part = blob(4096); for i in 0..200 {{ m::write(t[1], part) }}
         m::shutdown(s, 1);
         let wrote = (); try {{ m::write(t[1], part) }} catch (e) {{ wrote = e[0] }}
         let answer = m::read(t[0], 10).as_string();
         let end = (); try {{ m::read(t[0], 10) }} catch (e) {{ end = e[0] }}
         m::close(s, t[0], t[1]);
         [wrote, answer, end]"
    );
    gives(&engine, &script, r#"[1, "done", 1]"#);
    assert_eq!(receiver.recv().unwrap(), 200 * 4096);
}

#[test]
fn nothing_listens_and_nothing_is_bound() {
    let port = echo();
    let bench = Bench::new();
    let engine = load(&bench, &keys(&["network=127.0.0.1:PORT"]), port);
    gives(&engine, "m::bind(m::socket(0), 0)", ACCESS_DENIED);
    gives(&engine, "m::listen(m::socket(0))", ACCESS_DENIED);
    gives(&engine, "m::finish(m::socket(0))", NOT_IN_PROGRESS);
    gives(&engine, &format!("m::connect_mapped(m::socket(1), {port})"), INVALID_ARGUMENT);
    gives(&engine, &format!("m::connect(m::socket(1), 127, 0, 0, 1, {port})"), INVALID_ARGUMENT);
    gives(&engine, &format!("m::connect(m::socket(0), 0, 0, 0, 0, {port})"), INVALID_ARGUMENT);
    gives(&engine, "m::connect(m::socket(0), 127, 0, 0, 1, 0)", INVALID_ARGUMENT);
    gives(&engine, "m::hops(m::socket(0), 7)", "7");
    gives(&engine, "m::hops(m::socket(0), 0)", INVALID_ARGUMENT);
}

#[test]
fn a_port_that_nobody_listens_at() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let bench = Bench::new();
    gives(
        &load(&bench, &keys(&["network=127.0.0.1:PORT"]), port),
        &format!("to({port})"),
        CONNECTION_REFUSED,
    );
}

#[test]
fn the_number_of_sockets_is_limited() {
    let bench = Bench::new();
    let engine = load(&bench, &keys(&[]), 1);
    gives(&engine, "for i in 0..128 { m::socket(0) } m::socket(0)", NEW_SOCKET_LIMIT);
}

#[test]
fn a_host_in_a_runtime_has_the_network_too() {
    let port = echo();
    let bench = Bench::new();
    let engine = load(&bench, &keys(&["network=localhost:PORT"]), port);
    let script = format!("addresses(\"localhost\"); say(to({port}), \"hello\")");
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(async { gives(&engine, &script, "\"hello\"") });
}

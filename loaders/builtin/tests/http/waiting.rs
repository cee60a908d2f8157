//! Servers that keep a script waiting.

use crate::request;
use crate::server::{Server, path};
use crate::support::Bench;
use caraway_loaders_core::Code::{Deadline, Interrupted};
use caraway_loaders_core::budget::{Cancel, Meter};
use caraway_loaders_core::limits::Limits;
use rhai::Engine;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Servers that keep a request waiting, each in another state of it.
fn slow() -> Server {
    Server::new(|request, stream| {
        let pause = || std::thread::sleep(Duration::from_millis(10));
        let drip = |stream: &mut TcpStream, part: &[u8]| {
            while stream.write_all(part).is_ok() {
                pause()
            }
        };
        match path(request) {
            "/never" => std::thread::sleep(Duration::from_secs(60)),
            "/headers" => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
                drip(stream, b"x");
            }
            "/body" => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n");
                drip(stream, b"x");
            }
            _ => drip(stream, b"HTTP/1.1 102 Processing\r\n\r\n"),
        }
        false
    })
}

/// A port whose connections wait to be accepted, and where nobody reads.
fn deaf() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Scripts that wait for servers in each state of a request, and catch what they can.
fn waiting(run: impl Fn(&Engine, &str)) {
    let server = slow();
    let (_kept, port) = deaf();
    let bench = Bench::new(&[&server.grant(), &format!("network=127.0.0.1:{port}")]);
    let deaf = format!("127.0.0.1:{port}");
    let mut scripts: Vec<String> = ["/never", "/headers", "/body", "/interim"]
        .iter()
        .map(|path| request("GET", &server.url(path), "OPTIONS"))
        .collect();
    scripts.push(request("GET", &format!("https://{deaf}/"), "OPTIONS"));
    let sending = request("POST", &format!("http://{deaf}/"), "OPTIONS");
    scripts.push(sending.replace("OPTIONS", "OPTIONS + #{body: blob(16000000, 0x61)}"));
    let engine = bench.engine();
    for script in scripts {
        let began = Instant::now();
        run(&engine, &script);
        assert!(began.elapsed() < Duration::from_secs(5), "{script} took {:?}", began.elapsed());
    }
}

#[test]
fn the_limit_of_whoever_called_ends_it() {
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(100));
    let meter = Meter::plugin("waits", &limits);
    waiting(|engine, script| {
        let frame = meter.enter().unwrap();
        let script = format!("try {{ {} }} catch {{ }}", script.replace("OPTIONS", "#{}"));
        let error = engine.run(&script).unwrap_err();
        let error = frame.settle(error).unwrap();
        assert_eq!(
            (error.code(), error.message()),
            (Deadline, "`waits` ran longer than its limit of 100ms"),
            "{script}"
        );
    });
}

#[test]
fn its_own_time_ends_it() {
    waiting(|engine, script| {
        let script = script.replace("OPTIONS", "#{timeout: 0.1}");
        let script = format!("let m = \"\"; try {{ {script} }} catch (e) {{ m = e.code + e.message }} m");
        let caught = engine.eval::<String>(&script).unwrap();
        assert!(
            caught.starts_with("E0701http") && caught.ends_with(" took longer than 100ms"),
            "{script}: {caught}"
        );
    });
}

#[test]
fn whoever_interrupts_ends_it() {
    waiting(|engine, script| {
        let cancel = Cancel::default();
        let frame = Meter::program(&Limits::PROGRAM, cancel.clone()).enter().unwrap();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            cancel.cancel();
        });
        let error = engine.run(&script.replace("OPTIONS", "#{}")).unwrap_err();
        assert_eq!(frame.settle(error).unwrap().code(), Interrupted, "{script}");
    });
}

//! Requests to names whose addresses are made up. The servers are on this machine.

use super::*;
use caraway_loaders_core::Code::{self, Deadline, Denied, Io};
use caraway_loaders_core::bind::CallError;
use caraway_loaders_core::budget::{Cancel, Meter};
use caraway_loaders_core::capability::{Access, Grants};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::network::{Gate, Resolve};
use rhai::Engine;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Gives each answer once.
struct Answers(Mutex<VecDeque<&'static [&'static str]>>);

impl Resolve for Answers {
    fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let answer = self.0.lock().unwrap().pop_front().ok_or(io::ErrorKind::NotFound)?;
        Ok(answer.iter().map(|address| address.parse().unwrap()).collect())
    }
}

/// Knows no end.
struct Never;

impl Resolve for Never {
    fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        loop {
            std::thread::park();
        }
    }
}

/// A server that answers one request on each connection.
fn server() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    port
}

/// The program's client.
fn client(allow: &[&str], port: u16, resolver: Arc<dyn Resolve>) -> Client {
    let folder = Path::new("/here");
    let mut grants = Grants::new(folder);
    for text in allow {
        grants.allow(&text.replace("PORT", &port.to_string()), folder).unwrap();
    }
    Client::with_gate(Gate::with_resolver(&Arc::new(Access::program(&grants, folder)), resolver))
}

fn get(client: &Client, url: &str, options: Options) -> Result<(), CallError> {
    client.send(Method::Get, Address::parse(url).unwrap(), options, &Engine::new_raw()).map(drop)
}

#[track_caller]
fn error(result: Result<(), CallError>) -> Error {
    match result {
        Err(CallError::Error(error)) => error,
        Err(CallError::Expired(expiry)) => expiry.error().clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_connected_to_is_what_was_checked() {
    let here: &'static [&'static str] = &["127.0.0.1"];
    let private: &'static [&'static str] = &["10.0.0.1", "169.254.169.254", "fd00::1", "::ffff:127.0.0.1"];
    let name = "network=a.example:PORT";
    let port = server();
    for (allow, answers, expected) in [
        // A name server that changes its answer opens nothing that is not public.
        (&[name][..], &[here, private][..], &[Some(Denied), Some(Denied)][..]),
        (&[name, "network=127.0.0.1:PORT"], &[here, &["10.0.0.1"], here], &[None, Some(Denied), None]),
        (&[name, "network=localhost:PORT"], &[&["10.0.0.1", "127.0.0.1"]], &[None]),
        (&[name, "network=127.0.0.1:1"], &[here], &[Some(Denied)]),
        (&["network"], &[here], &[Some(Denied)]),
        (&["network=b.example:PORT"], &[here], &[Some(Denied)]),
        (&[name], &[&[]], &[Some(Io)]),
    ] {
        let resolver = Arc::new(Answers(Mutex::new(answers.iter().copied().collect())));
        let client = client(allow, port, resolver);
        for expected in expected {
            let result = get(&client, &format!("http://a.example:{port}/"), Options::default());
            match expected {
                None => result.unwrap(),
                Some(code) => assert_eq!(error(result).code(), *code, "{allow:?} {answers:?}"),
            }
        }
    }
}

#[test]
fn a_refusal_names_the_flag() {
    let resolver = Arc::new(Answers(Mutex::new(VecDeque::from([&["10.0.0.1"][..]]))));
    let client = client(&["network=a.example:80"], 0, resolver);
    let refused = error(get(&client, "http://a.example/", Options::default()));
    assert_eq!(
        (refused.message(), refused.hint_text()),
        (
            "the program may not connect to `a.example`: its address 10.0.0.1 is not public, and must be granted itself",
            Some("run with `--allow network=10.0.0.1:80`")
        )
    );
}

#[test]
fn a_lookup_without_end_is_waited_for_no_longer_than_it_may() {
    let client = client(&["network=a.example:80"], 0, Arc::new(Never));
    let began = Instant::now();
    let options = Options { timeout: Duration::from_millis(50), ..Options::default() };
    let late = error(get(&client, "http://a.example/", options));
    assert_eq!((late.code(), late.message()), (Deadline, "http://a.example/ took longer than 50ms"));

    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(50));
    let frame = Meter::plugin("waits", &limits).enter().unwrap();
    let late = error(get(&client, "http://a.example/", Options::default()));
    assert_eq!((late.code(), late.message()), (Deadline, "`waits` ran longer than its limit of 50ms"));
    drop(frame);

    let cancel = Cancel::default();
    let _frame = Meter::program(&Limits::PROGRAM, cancel.clone()).enter().unwrap();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        cancel.cancel();
    });
    assert_eq!(error(get(&client, "http://a.example/", Options::default())).code(), Code::Interrupted);
    assert!(began.elapsed() < Duration::from_secs(10));
}

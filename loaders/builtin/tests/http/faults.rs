//! Servers that do not speak HTTP as they should.

use crate::server::{Server, path};
use crate::support::Bench;
use crate::{bench, request};
use caraway_loaders_core::Code::Io;
use std::io::{Read, Write};
use std::net::TcpListener;

#[test]
fn servers_that_misbehave() {
    let closed = { TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port() };
    let server = Server::new(|request, stream| {
        let _ = match path(request) {
            "/ssh" => stream.write_all(b"SSH-2.0-x\r\n\r\n"),
            "/part" => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"),
            "/chunk" => stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
            "/twice" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab")
            }
            "/status" => stream.write_all(b"HTTP/1.1 099 x\r\n\r\n"),
            "/head" => stream.write_all(b"HTTP/1.1 200 OK\r\nx"),
            _ => Ok(()),
        };
        false
    });
    let bench = Bench::new(&[&server.grant(), &format!("network=127.0.0.1:{closed}")]);
    for path in ["/ssh", "/part", "/chunk", "/twice", "/status", "/head", "/nothing"] {
        let error = bench.fails(&format!("http::get({:?})", server.url(path)), Io, &server.url(path));
        assert!(error.message().len() < 200, "{error}");
    }
    bench.fails(&format!("http::get(\"http://127.0.0.1:{closed}/\")"), Io, "cannot be connected to");
    // TLS where there is none.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            let _ = stream.read(&mut [0; 4096]);
        }
    });
    let bench = Bench::new(&[&format!("network=127.0.0.1:{port}")]);
    bench.fails(&format!("http::get(\"https://127.0.0.1:{port}/\")"), Io, "did not prove who it is");
}

/// How many broken answers are tried. The first 200,000 of them found nothing.
const BROKEN: u64 = 1000;

#[test]
fn broken_answers_are_errors() {
    const ANSWERS: [&str; 5] = [
        "HTTP/1.1 200 OK\r\ncontent-length: 12\r\nx: y\r\n\r\nhello, world",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nx: y\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 Not Found\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /next?a#b\r\nSet-Cookie: a=b\r\ncontent-length: 1\r\n\r\nx",
        "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n",
    ];
    let state = std::sync::atomic::AtomicU64::new(1);
    let server = Server::new(move |_, stream| {
        // Numbers that look like random ones, the same in each run.
        let mut seed = state.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut next = |most: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % most
        };
        let mut answer = ANSWERS[next(ANSWERS.len())].as_bytes().to_vec();
        for _ in 0..1 + next(3) {
            let at = next(answer.len());
            match next(5) {
                0 => answer[at] = next(256) as u8,
                1 => drop(answer.remove(at)),
                2 => answer.insert(at, b"\r\n:;0 9f\0"[next(9)]),
                3 => answer.truncate(at.max(1)),
                _ => {
                    let end = at + next(answer.len() - at);
                    let part = answer[at..=end].to_vec();
                    answer.splice(at..at, part);
                }
            }
        }
        let _ = stream.write_all(&answer);
        // The end: what is still missing does not come.
        false
    });
    let engine = bench(&[&server]).engine();
    let script = request("GET", &server.url("/"), "#{redirects: 3, timeout: 10, max_bytes: 1000}");
    let mut answered = 0;
    for _ in 0..BROKEN {
        answered += u64::from(engine.run(&script).is_ok());
    }
    assert!(answered > 0 && answered < BROKEN, "{answered}");
}

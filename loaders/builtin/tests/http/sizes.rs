//! How much is received.

use crate::server::{Server, path, send};
use crate::{bench, request, support};
use caraway_loaders_core::Code::{Deadline, Memory};
use std::io::Write;

#[test]
fn sizes_are_bounded() {
    let server = Server::new(|request, stream| match path(request) {
        "/announced" => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n").is_ok(),
        "/endless" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            while stream.write_all(&[b'x'; 4096]).is_ok() {}
            false
        }
        "/chunks" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
            while stream.write_all(b"4\r\nxxxx\r\n").is_ok() {}
            false
        }
        "/headers" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ");
            while stream.write_all(&[b'x'; 4096]).is_ok() {}
            false
        }
        "/many" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
            while stream.write_all(b"x: y\r\n").is_ok() {}
            false
        }
        "/interim" => {
            while stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n").is_ok() {}
            false
        }
        "/trailers" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ");
            while stream.write_all(&[b'x'; 4096]).is_ok() {}
            false
        }
        _ => send(stream, "200 OK", "", b"12345"),
    });
    let bench = bench(&[&server]);
    let limited = |path: &str, most: u64| {
        request("GET", &server.url(path), &format!("#{{max_bytes: {most}, timeout: 10}}"))
    };
    bench.gives(&format!("http::text({})", limited("/five", 5)), "\"12345\"");
    for (path, most, code, message) in [
        ("/five", 4, Memory, "/five answers with more than 4 bytes"),
        ("/announced", i64::MAX as u64, Memory, "answers with more than"),
        ("/endless", 100_000, Memory, "answers with more than 100000 bytes"),
        ("/chunks", 100_000, Memory, "answers with more than 100000 bytes"),
        ("/headers", 5, Memory, "answers with more than 65536 bytes of headers"),
        ("/many", 5, Memory, "answers with more than 128 headers"),
        ("/trailers", 5, Memory, "answers with more than 65536 bytes of headers"),
    ] {
        bench.fails(&limited(path, most), code, message);
    }
    let script = request("GET", &server.url("/interim"), "#{timeout: 0.2}");
    bench.fails(&script, Deadline, "/interim took longer than 200ms");
    // What the engine may hold is less.
    let mut small = support::Bench::new(&[&server.grant()]);
    small.limits.array_size = Some(4);
    small.fails(&format!("http::get({:?})", server.url("/five")), Memory, "answers with more than 4 bytes");
}

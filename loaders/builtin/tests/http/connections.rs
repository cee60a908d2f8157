//! Which connections are used again.

use crate::server::Server;
use crate::support::Bench;
use crate::{bench, echo};
use std::io::Write;

#[test]
fn connections_are_used_again_by_one_importer_alone() {
    let server = echo();
    let bench = bench(&[&server]);
    let get = format!("http::get({:?})", server.url("/"));
    let first = bench.engine();
    for _ in 0..5 {
        first.run(&get).unwrap();
    }
    assert_eq!(server.connections(), 1);
    bench.engine().run(&get).unwrap();
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_connection_with_more_than_the_answer_is_not_used_again() {
    let server = Server::new(|_, stream| {
        let answer = |body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{body}");
        stream.write_all([answer("a"), answer("b")].concat().as_bytes()).is_ok()
    });
    let bench = bench(&[&server]);
    let get = format!("http::text(http::get({:?}))", server.url("/"));
    bench.gives(&format!("[{get}, {get}, {get}]"), "[\"a\", \"a\", \"a\"]");
}

#[test]
fn threads_share_a_client() {
    let server = echo();
    let bench = Bench::new(&[&format!("network=localhost:{}", server.port)]);
    let engine = bench.engine();
    std::thread::scope(|scope| {
        for thread in 0..32 {
            let (engine, port) = (&engine, server.port);
            scope.spawn(move || {
                for call in 0..20 {
                    let script =
                        format!("http::text(http::get(\"http://localhost:{port}/{thread}-{call}\"))");
                    let text = engine.eval::<String>(&script).unwrap();
                    assert!(text.starts_with(&format!("GET /{thread}-{call} ")), "{text}");
                }
            });
        }
    });
}

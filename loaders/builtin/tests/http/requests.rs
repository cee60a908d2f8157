//! What is sent, what is answered, and what is neither.

use crate::server::{Server, path, send};
use crate::support::Bench;
use crate::{bench, echo, request};
use caraway_loaders_core::Code::{ArgumentType, PluginFailed, ValueRefused};
use std::io::Write;

#[test]
fn requests_and_answers() {
    let server = Server::new(|request, stream| match path(request) {
        "/text" => send(stream, "200 OK", "", "\u{feff}gr\u{fc}\u{df}e".as_bytes()),
        "/bytes" => send(stream, "200 OK", "", b"\xff\x00"),
        "/json" => send(
            stream,
            "201 Created",
            "X-A: 1\r\nx-a: 2\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n",
            b"{\"a\":[1]}",
        ),
        "/chunks" => {
            stream
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n")
                .unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
            stream.write_all(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n").is_ok()
        }
        "/close" => {
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nto the end").unwrap();
            false
        }
        "/none" => stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").is_ok(),
        "/gone" => send(stream, "404 Not Found", "", b"gone"),
        // Of the file that a GET would give.
        "/head" => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n").is_ok(),
        "/packed" => send(stream, "200 OK", "content-encoding: gzip\r\n", b"\x1f\x8b"),
        other => panic!("{other}"),
    });
    let bench = bench(&[&server]);
    let get = |path: &str| format!("http::get({:?})", server.url(path));
    for (script, expected) in [
        (format!("http::text({})", get("/text")), "\"gr\u{fc}\u{df}e\""),
        (format!("{}.body", get("/bytes")), "[ff00]"),
        (
            format!("let r = {}; [r.status, r.ok, json::parse(http::text(r)).a]", get("/json")),
            "[201, true, [1]]",
        ),
        (
            format!("let r = {}; [r.headers[\"x-a\"], r.headers[\"set-cookie\"]]", get("/json")),
            "[\"1, 2\", \"a=1\\nb=2\"]",
        ),
        (format!("http::text({})", get("/chunks")), "\"abcde\""),
        (format!("http::text({})", get("/close")), "\"to the end\""),
        (format!("let r = {}; [r.status, r.body.len()]", get("/none")), "[204, 0]"),
        (format!("let r = {}; [r.status, r.ok, http::text(r)]", get("/gone#x")), "[404, false, \"gone\"]"),
        (format!("{}.body.len()", request("HEAD", &server.url("/head"), "#{}")), "0"),
        (format!("{}.body", get("/packed")), "[1f8b]"),
        (format!("{}.url == {:?}", get("/text#part"), server.url("/text")), "true"),
    ] {
        bench.gives(&format!("{{ {script} }}"), expected);
    }
    bench.fails(
        &format!("http::text({})", get("/bytes")),
        PluginFailed,
        "the body is not UTF-8, from byte 0",
    );
    let strict = request("GET", &server.url("/gone"), "#{require_ok: true}");
    bench.fails(&strict, PluginFailed, "/gone answers with the status 404 (Not Found)");
    for script in ["http::text(#{})", "http::text(#{body: \"x\"})"] {
        bench.fails(script, ArgumentType, "argument 1 of `std/http::text`: `response` has ");
    }
}

#[test]
fn what_is_sent() {
    let server = echo();
    let bench = bench(&[&server]);
    let sent = |method: &str, options: &str| {
        let script = format!("http::text({})", request(method, &server.url("/a b?c=d e"), options));
        bench.run(&script).unwrap().into_string().unwrap().to_ascii_lowercase()
    };
    let plain = sent("GET", "#{}");
    assert!(plain.starts_with("get /a%20b?c=d%20e http/1.1\r\n"), "{plain}");
    let version = env!("CARGO_PKG_VERSION");
    for line in [
        &format!("host: 127.0.0.1:{}", server.port),
        "accept: */*",
        "accept-encoding: identity",
        &format!("user-agent: caraway/{version}"),
    ] {
        assert_eq!(plain.matches(&format!("\r\n{line}\r\n")).count(), 1, "{line} in {plain}");
    }
    for (method, options, parts) in [
        ("POST", "#{body: \"h\u{e9}\"}", &["content-length: 3\r\n", "\r\n\r\nh\u{e9}"][..]),
        ("PUT", "#{body: blob(2, 0x61)}", &["content-length: 2\r\n", "\r\n\r\naa"]),
        ("DELETE", "#{body: \"x\"}", &["delete /", "\r\n\r\nx"]),
        ("PATCH", "#{}", &["patch /"]),
        ("OPTIONS", "#{body: ()}", &["options /"]),
        (
            "GET",
            "#{headers: #{\"X-Key\": \"a:b c\", \"User-Agent\": \"me\"}}",
            &["\r\nx-key: a:b c\r\n", "\r\nuser-agent: me\r\n"],
        ),
    ] {
        let sent = sent(method, options);
        for part in parts {
            assert!(sent.contains(part), "{method} {options}: {sent}");
        }
    }
}

#[test]
fn options_that_make_no_sense() {
    let bench = Bench::new(&[]);
    for (options, code, message, hint) in [
        (
            "#{timout: 1}",
            ArgumentType,
            "`options` has `timout`, which is no option",
            "did you mean `timeout`?",
        ),
        ("#{json: 1}", ArgumentType, "has `json`, which is no option", "the options are headers, body,"),
        ("#{timeout: \"1\"}", ArgumentType, "must have float as `timeout`, found string", ""),
        ("#{timeout: 0}", ValueRefused, "has 0 seconds as `timeout`", ""),
        ("#{timeout: -1.5}", ValueRefused, "has -1.5 seconds as `timeout`", ""),
        ("#{timeout: 0.0 / 0.0}", ValueRefused, "has NaN seconds as `timeout`", ""),
        ("#{timeout: 1e300}", ValueRefused, "seconds as `timeout`", ""),
        ("#{max_bytes: -1}", ValueRefused, "has -1 as `max_bytes`", ""),
        ("#{max_bytes: 1.0}", ArgumentType, "must have int as `max_bytes`, found float", ""),
        ("#{redirects: 31}", ValueRefused, "has 31 as `redirects`, which must be 0 to 30", ""),
        ("#{require_ok: 1}", ArgumentType, "must have bool as `require_ok`, found int", ""),
        ("#{body: #{}}", ArgumentType, "must have string or bytes as `body`, found map", "`json::stringify`"),
        ("#{body: \"x\"}", ValueRefused, "has a `body`, which GET and HEAD requests do not have", "use POST"),
        ("#{headers: []}", ArgumentType, "must have map<string> as `headers`, found array", ""),
        ("#{headers: #{a: 1}}", ArgumentType, "must have string as `headers.a`, found int", ""),
        ("#{headers: #{a: \"\", A: \"\"}}", ValueRefused, "has the header `a` twice", ""),
        (
            "#{headers: #{\"a b\": \"\"}}",
            ValueRefused,
            "has `a b` in `headers`, which is no header's name",
            "",
        ),
        ("#{headers: #{\"\": \"\"}}", ValueRefused, "which is no header's name", ""),
        ("#{headers: #{\"a\\r\\nb\": \"\"}}", ValueRefused, "which is no header's name", ""),
        ("#{headers: #{\"a:\": \"\"}}", ValueRefused, "which is no header's name", ""),
        (
            "#{headers: #{a: \"secret\\r\\nb: c\"}}",
            ValueRefused,
            "a value for the header `a` that is not printable",
            "",
        ),
        ("#{headers: #{a: \"secret\\n\"}}", ValueRefused, "not printable", ""),
        ("#{headers: #{a: \"secret\\x00\"}}", ValueRefused, "not printable", ""),
        ("#{headers: #{a: \"\u{e9}\"}}", ValueRefused, "not printable", ""),
        (
            "#{headers: #{Host: \"b.example\"}}",
            ValueRefused,
            "has the header `host`, which is not for scripts",
            "",
        ),
        (
            "#{headers: #{\"Transfer-Encoding\": \"chunked\"}}",
            ValueRefused,
            "`transfer-encoding`, which is not",
            "",
        ),
        ("#{headers: #{\"content-length\": \"1\"}}", ValueRefused, "`content-length`, which is not", ""),
        (
            "{ let t = \"x\"; t.pad(20000, \"x\"); #{headers: #{a: t}} }",
            ValueRefused,
            "more than 16384 bytes of `headers`",
            "",
        ),
    ] {
        let error = bench.fails(&request("GET", "http://a.example/", options), code, message);
        assert!(error.message().starts_with("argument 3 of `std/http::request`: `options` "), "{error}");
        assert!(error.hint_text().unwrap_or_default().contains(hint), "{options}: {:?}", error.hint_text());
        assert!(!error.message().contains("secret"));
    }
    for (method, hint) in [
        ("get", "`GET`"),
        ("PSOT", "`POST`"),
        ("CONNECT", "they are"),
        ("GET /\r\n", "they are"),
        ("", "they are"),
    ] {
        let error =
            bench.fails(&request(method, "http://a.example/", "#{}"), ValueRefused, "no method of a request");
        assert!(error.hint_text().unwrap().contains(hint), "{method:?}: {:?}", error.hint_text());
    }
    for url in ["file:///etc/passwd", "http://a.example/\\r\\nx: y", "//a.example"] {
        bench.fails(&format!("http::get(\"{url}\")"), ValueRefused, "");
    }
}

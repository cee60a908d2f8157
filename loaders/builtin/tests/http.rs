//! `std/http`, with servers on this machine.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

#[path = "support/server.rs"]
mod server;
mod support;

use caraway_loaders_core::Code::{
    ArgumentType, Deadline, Denied, Interrupted, Io, Memory, PluginFailed, ValueRefused,
};
use caraway_loaders_core::budget::{Cancel, Meter};
use caraway_loaders_core::capability::Asks;
use caraway_loaders_core::limits::Limits;
use rhai::Engine;
use serde_json::json;
use server::{Server, path, send};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};
use support::Bench;

/// Sends a request back as the body.
fn echo() -> Server {
    Server::new(|request, stream| send(stream, "200 OK", "Content-Type: text/plain\r\n", request.as_bytes()))
}

fn bench(servers: &[&Server]) -> Bench {
    let grants: Vec<String> = servers.iter().map(|server| server.grant()).collect();
    Bench::new(&grants.iter().map(String::as_str).collect::<Vec<_>>())
}

/// `request("METHOD", "URL", OPTIONS)`.
fn request(method: &str, url: &str, options: &str) -> String {
    format!("http::request({method:?}, {url:?}, {options})")
}

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
fn hosts_must_be_granted() {
    let (server, other) = (echo(), echo());
    let get = format!("http::get({:?})", server.url("/"));
    let message = format!("the program may not connect to `127.0.0.1:{}`: it is not granted", server.port);
    for allow in [None, Some(other.grant()), Some(format!("network=localhost:{}", server.port))] {
        let error =
            Bench::new(&allow.iter().map(String::as_str).collect::<Vec<_>>()).fails(&get, Denied, &message);
        assert_eq!(error.hint_text(), Some(format!("run with `--allow {}`", server.grant()).as_str()));
    }
    // What is public is not this machine.
    Bench::new(&["network"]).fails(&get, Denied, "may not connect");
    bench(&[&server]).deny(&server.grant()).fails(&get, Denied, "forbids it");
    bench(&[&server]).gives(&format!("{get}.ok"), "true");
    for spelled in ["2130706433", "0x7f.1", "0177.0.0.1.", "127.1"] {
        let script = format!("http::get(\"http://{spelled}:{}/\")", server.port);
        Bench::new(&["network"]).fails(&script, Denied, &format!("`127.0.0.1:{}`", server.port));
        bench(&[&server]).gives(&format!("{script}.ok"), "true");
    }
    let by_name = Bench::new(&[&format!("network=localhost:{}", server.port)]);
    by_name.gives(&format!("http::get(\"http://LOCALHOST.:{}/\").ok", server.port), "true");
    assert!(server.connections() > 0 && other.connections() == 0);
}

#[test]
fn a_plugin_needs_both_keys() {
    let server = echo();
    let get = format!("http::get({:?})", server.url("/"));
    let error = bench(&[&server]).plugin("news", Asks::default()).fails(
        &get,
        Denied,
        "plugin `news` may not connect to",
    );
    assert!(error.message().ends_with("its manifest does not ask for it"), "{error}");
    let mut asks = Asks::default();
    asks.add("network", Some(&json!({"hosts": [format!("127.0.0.1:{}", server.port)]}))).unwrap();
    let error = Bench::new(&[]).plugin("news", asks.clone()).fails(&get, Denied, "it is not granted");
    let flag = format!("run with `--allow news:{}`", server.grant());
    assert_eq!(error.hint_text(), Some(flag.as_str()));
    bench(&[&server]).plugin("news", asks).gives(&format!("{get}.ok"), "true");
}

#[test]
fn redirects_are_checked_like_requests() {
    let other = echo();
    let away = other.url("/there");
    let server = Server::new(move |request, stream| {
        let to = |status: &str, location: &str| (status.to_owned(), format!("Location: {location}\r\n"));
        let (status, headers) = match path(request) {
            "/near" => to("302 Found", "/echo?q"),
            "/kept" => to("307 Temporary Redirect", "echo"),
            "/seen" => to("303 See Other", "echo"),
            "/away" => to("308 Permanent Redirect", &away),
            "/loop" => to("301 Moved Permanently", "/loop"),
            "/file" => to("302 Found", "file:///etc/passwd"),
            "/secret" => to("302 Found", "http://me:hidden@127.0.0.1/"),
            "/meta" => to("302 Found", "http://169.254.169.254/latest/"),
            "/choice" => to("300 Multiple Choices", "/echo"),
            "/nowhere" => ("302 Found".to_owned(), String::new()),
            "/odd" => to("302 Found", "http://[\u{e9}"),
            _ => return send(stream, "200 OK", "", request.as_bytes()),
        };
        send(stream, &status, &headers, b"moved")
    });
    let (one, both) = (bench(&[&server]), bench(&[&server, &other]));
    let text = |bench: &Bench, method: &str, path: &str, options: &str| {
        let script = format!("http::text({})", request(method, &server.url(path), options));
        bench.run(&script).unwrap().into_string().unwrap().to_ascii_lowercase()
    };
    let full = "#{body: \"data\", headers: #{authorization: \"s\", cookie: \"s\", \"x-key\": \"s\", \"content-type\": \"t\", accept: \"a\"}}";
    for (bench, path, start, kept, dropped) in [
        (
            &one,
            "/near",
            "get /echo?q ",
            &["authorization", "x-key", "accept: a"][..],
            &["content-type", "data"][..],
        ),
        (
            &one,
            "/seen",
            "get /echo ",
            &["authorization", "cookie"],
            &["content-type", "content-length", "data"],
        ),
        (&one, "/kept", "post /echo ", &["authorization", "content-type", "data"], &[]),
        (
            &both,
            "/away",
            "post /there ",
            &["content-type: t", "accept: a", "data"],
            &["authorization", "cookie", "x-key"],
        ),
    ] {
        let sent = text(bench, "POST", path, full);
        assert!(sent.starts_with(start), "{path}: {sent}");
        kept.iter().for_each(|part| assert!(sent.contains(part), "{path}: {part} in {sent}"));
        dropped.iter().for_each(|part| assert!(!sent.contains(part), "{path}: {part} in {sent}"));
    }
    assert!(text(&one, "PUT", "/near", "#{body: \"x\"}").starts_with("put /echo?q "));
    let get = |path: &str, options: &str| request("GET", &server.url(path), options);
    one.gives(&format!("{}.url", get("/near", "#{}")), &format!("{:?}", server.url("/echo?q")));
    for path in ["/choice", "/nowhere"] {
        one.gives(&format!("{}.ok", get(path, "#{}")), "false");
    }
    one.gives(
        &format!("{{ let r = {}; [r.status, r.headers.location] }}", get("/near", "#{redirects: 0}")),
        "[302, \"/echo?q\"]",
    );
    let before = other.connections();
    for (path, options, code, message) in [
        ("/away", "#{}", Denied, format!("may not connect to `127.0.0.1:{}`", other.port)),
        ("/meta", "#{}", Denied, "may not connect to `169.254.169.254:80`".to_owned()),
        ("/loop", "#{}", Io, "/loop redirects once more, after 10 redirects".to_owned()),
        ("/loop", "#{redirects: 3}", Io, "after 3 redirects".to_owned()),
        ("/file", "#{}", PluginFailed, "/file redirects: `file:` is neither http nor https".to_owned()),
        ("/secret", "#{}", PluginFailed, "/secret redirects: a URL with a user's name".to_owned()),
        ("/odd", "#{}", PluginFailed, "/odd redirects: that is no URL".to_owned()),
    ] {
        let error = one.fails(&get(path, options), code, &message);
        assert!(!error.message().contains("hidden"));
    }
    assert_eq!(other.connections(), before);
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

mod tls {
    use super::*;
    use caraway_loaders_core::network::trust;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{ServerConfig, ServerConnection, StreamOwned};
    use std::process::Command;
    use std::sync::Arc;

    const CERTIFICATE: &[u8] = include_bytes!("../../wasm/tests/certificates/server.pem");
    const KEY: &[u8] = include_bytes!("../../wasm/tests/certificates/server.key");
    const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../wasm/tests/certificates/ca.pem");

    /// A server whose certificate is for `localhost` and 127.0.0.1, by an authority that nobody trusts.
    fn server() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let builder = ServerConfig::builder_with_provider(trust::provider());
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
        let config = builder.with_single_cert(chain, PrivateKeyDer::from_pem_slice(KEY).unwrap()).unwrap();
        let config = Arc::new(config);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = ServerConnection::new(config.clone()).unwrap();
                let mut stream = StreamOwned::new(connection, stream);
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(
                    b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 4\r\n\r\nsafe",
                );
            }
        });
        port
    }

    #[test]
    fn who_cannot_prove_to_be_the_host_is_refused() {
        let port = server();
        let bench = Bench::new(&[&format!("network=127.0.0.1:{port}")]);
        let error =
            bench.fails(&format!("http::get(\"https://127.0.0.1:{port}/\")"), Io, "did not prove who it is");
        assert!(error.hint_text().unwrap().contains("certificates of the system"));
    }

    /// Run by the next one, with an authority of its own.
    #[test]
    #[ignore = "needs SSL_CERT_FILE"]
    fn whom_the_system_trusts_is_trusted() {
        let port = server();
        let bench = Bench::new(&[
            &format!("network=127.0.0.1:{port}"),
            &format!("network=localhost:{port}"),
            &format!("network=127.0.0.2:{port}"),
            "network=127.0.0.1:80",
        ]);
        for host in ["127.0.0.1", "localhost"] {
            let script = request("GET", &format!("https://{host}:{port}/"), "#{redirects: 0}");
            bench.gives(&format!("http::text({script})"), "\"safe\"");
        }
        let followed = format!("http::get(\"https://127.0.0.1:{port}/\")");
        bench.fails(
            &followed,
            Denied,
            "redirects to http://127.0.0.1/, which everybody on the way could read",
        );
    }

    #[test]
    fn the_systems_certificates_say_whom_to_trust() {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "tls::whom_the_system_trusts_is_trusted"])
            .env("SSL_CERT_FILE", AUTHORITY)
            .env_remove("SSL_CERT_DIR")
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
    }
}

#[test]
fn the_environments_proxies_are_not_used() {
    let server = echo();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "what_is_sent"])
        .envs(["http_proxy", "HTTP_PROXY", "ALL_PROXY"].map(|name| (name, server.url("/"))))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(server.connections(), 0);
}

//! `wasi:http`: requests to what both keys open. All servers are on this machine.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Bench;

/// `fetch` makes a request, and gives back the status and the beginning of the body, or throws the number of the error.
const GUEST: &str = include_str!("guests/http.wat");

#[cfg(not(feature = "http"))]
#[test]
fn without_the_feature_it_is_refused_by_its_name() {
    use caraway_loaders_core::{Code, limits::Limits};
    let bench = Bench::new();
    let error = bench.load(bench.plugin("m", GUEST), Limits::PLUGIN).err().unwrap();
    assert_eq!(error.others().len(), 1);
    for (error, interface) in std::iter::once(&error).chain(error.others()).zip(["types", "outgoing-handler"])
    {
        assert_eq!(error.code(), Code::LoadFailed);
        assert!(error.message().contains(&format!("`wasi:http/{interface}@0.2.0`")), "{error}");
        assert!(error.hint_text().unwrap().contains("the feature `wasm-http`"), "{error}");
    }
}

#[cfg(feature = "http")]
mod requests {
    use super::*;
    use caraway_loaders_core::Code;
    use caraway_loaders_core::capability::{Access, Asks, Grants};
    use caraway_loaders_core::limits::Limits;
    use common::{engine, fails, shown};
    use rhai::Engine;
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
    use std::path::Path;
    use std::thread;
    use std::time::{Duration, Instant};

    const CONNECTION_REFUSED: &str = "6";
    const CONNECTION_READ_TIMEOUT: &str = "9";
    const LIMIT_REACHED: &str = "11";
    const REQUEST_DENIED: &str = "15";
    const METHOD_INVALID: &str = "18";
    const URI_INVALID: &str = "19";
    const RESPONSE_INCOMPLETE: &str = "25";

    /// A server that answers each request, of which it reads no more than its head and a short body.
    fn server(answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            thread::scope(|scope| {
                while let Ok((stream, _)) = listener.accept() {
                    scope.spawn(|| serve(stream, &answer));
                }
            });
        });
        port
    }

    fn serve(mut stream: TcpStream, answer: &impl Fn(&str) -> Option<String>) {
        let mut request = String::new();
        let mut buffer = [0; 1000];
        while !request.contains("\r\n\r\n")
            || (request.starts_with("POST") && !request.ends_with("0\r\n\r\n"))
        {
            let Ok(read @ 1..) = stream.read(&mut buffer) else { return };
            request.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        }
        match answer(&request) {
            Some(text) => {
                let _ = stream.write_all(text.as_bytes());
                let _ = stream.shutdown(Shutdown::Write);
            }
            None => thread::sleep(Duration::from_secs(60)),
        }
    }

    /// A server whose answers begin with `part` and never end.
    fn endless(part: &'static str) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let mut kept = Vec::new();
            while let Ok((mut stream, _)) = listener.accept() {
                let _ = stream.read(&mut [0; 1000]);
                write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{part}").unwrap();
                kept.push(stream);
            }
        });
        port
    }

    fn ok(body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    }

    fn load(bench: &Bench, allow: &[String], timeout: Duration) -> Engine {
        let folder = Path::new("/nowhere");
        let (mut asks, mut grants) = (Asks::default(), Grants::new(folder));
        asks.add("network", None).unwrap();
        allow.iter().for_each(|text| grants.allow(text, folder).unwrap());
        let access = Access::plugin("m", &asks, &grants, folder);
        let mut limits = Limits::PLUGIN;
        limits.timeout = Some(timeout);
        engine(&bench.load_with(bench.plugin("m", GUEST), limits, access).unwrap())
    }

    /// What a script gives, or what it throws. `get` and `post` are there.
    #[track_caller]
    fn gives(engine: &Engine, script: &str, expected: &str) {
        let body = format!(
            "fn shown(answer) {{ [answer[0], answer[1].as_string()] }}
             fn get(authority, path) {{ shown(m::fetch(0, 0, authority, path, blob(), 0)) }}
             fn post(authority, path, text) {{ shown(m::fetch(2, 0, authority, path, text.to_blob(), 0)) }}
             let out = (); try {{ out = {{ {script} }} }} catch (e) {{ out = e }} out"
        );
        assert_eq!(shown(engine, &body), expected, "{script}");
    }

    const LONG: Duration = Duration::from_secs(10);

    #[test]
    fn requests_need_to_be_granted() {
        let port = server(|request| {
            let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
            Some(ok(&format!("{} at {host}", request.lines().next().unwrap())))
        });
        let (address, name) = (format!("127.0.0.1:{port}"), format!("localhost:{port}"));
        for (allow, authority, open) in [
            (format!("network={address}"), &address, true),
            (format!("m:network={name}"), &name, true),
            (format!("network={name}"), &address, false),
            (format!("network={address}"), &name, false),
            (format!("n:network={name}"), &name, false),
            ("network=localhost:1".to_owned(), &name, false),
        ] {
            let bench = Bench::new();
            let engine = load(&bench, std::slice::from_ref(&allow), LONG);
            let answer = format!("[200, \"GET /x?y HTTP/1.1 at {authority}\"]");
            let script = format!("get(\"{authority}\", \"/x?y\")");
            gives(&engine, &script, if open { &answer } else { REQUEST_DENIED });
            gives(&engine, &script, if open { &answer } else { REQUEST_DENIED });
            assert_eq!(bench.printed.lock().unwrap().len(), usize::from(!open), "{allow}");
        }
    }

    #[test]
    fn bodies_are_sent() {
        let port = server(|request| Some(ok(&request.replace("\r\n", "|"))));
        let bench = Bench::new();
        let engine = load(&bench, &[format!("network=localhost:{port}")], LONG);
        gives(
            &engine,
            &format!(
                "let answer = post(\"localhost:{port}\", \"/\", \"hello\")[1]; answer.contains(\"|5|hello|0||\")"
            ),
            "true",
        );
    }

    #[test]
    fn redirects_are_the_guests_to_follow() {
        let other = server(|_| Some(ok("elsewhere")));
        let port = server(move |_| {
            let head = "HTTP/1.1 302 Found\r\ncontent-length: 4\r\n";
            Some(format!("{head}location: http://localhost:{other}/\r\n\r\nmove"))
        });
        let bench = Bench::new();
        let engine = load(&bench, &[format!("network=localhost:{port}")], LONG);
        gives(&engine, &format!("get(\"localhost:{port}\", \"/\")"), "[302, \"move\"]");
        gives(&engine, &format!("get(\"localhost:{other}\", \"/\")"), REQUEST_DENIED);
        let line = "[warn] m: plugin `m` may not connect to `localhost";
        assert!(bench.printed.lock().unwrap()[0].starts_with(line));
    }

    #[test]
    fn a_server_that_never_answers_is_waited_for_until_the_deadline() {
        let port = server(|request| request.contains("GET /quick").then(|| ok("quick")));
        let bench = Bench::new();
        let timeout = Duration::from_secs(1);
        let engine = load(&bench, &[format!("network=localhost:{port}")], timeout);
        let start = Instant::now();
        let call = format!("m::fetch(0, 0, \"localhost:{port}\", \"/\", blob(), 0)");
        fails(&engine, &call, Code::Deadline, "longer than its limit of 1s");
        assert!(start.elapsed() < timeout + Duration::from_secs(1), "{:?}", start.elapsed());
        gives(&engine, &format!("get(\"localhost:{port}\", \"/quick\")"), "[200, \"quick\"]");
        // A guest can have less patience.
        let call = format!("m::fetch(0, 0, \"localhost:{port}\", \"/\", blob(), 20000000)");
        gives(&engine, &call, CONNECTION_READ_TIMEOUT);
    }

    #[test]
    fn a_body_that_never_ends_is_waited_for_until_the_deadline() {
        let port = endless("");
        let bench = Bench::new();
        let engine = load(&bench, &[format!("network=localhost:{port}")], Duration::from_secs(1));
        let call = |patience: u32| format!("m::fetch(0, 0, \"localhost:{port}\", \"/\", blob(), {patience})");
        fails(&engine, &call(0), Code::Deadline, "longer than its limit of 1s");
        gives(&engine, &call(200_000_000), "100");
    }

    #[test]
    fn what_is_no_request_or_no_answer() {
        let port = server(|request| match request.contains("GET /cut") {
            true => Some("HTTP/1.1 200 OK\r\ncontent-".to_owned()),
            false => Some(ok("")),
        });
        let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let bench = Bench::new();
        let allow = format!("network=localhost:{port},localhost:{closed}");
        let engine = load(&bench, &[allow], LONG);
        gives(&engine, &format!("get(\"localhost:{port}\", \"/cut\")"), RESPONSE_INCOMPLETE);
        gives(&engine, &format!("get(\"localhost:{closed}\", \"/\")"), CONNECTION_REFUSED);
        gives(&engine, &format!("get(\"user@localhost:{port}\", \"/\")"), URI_INVALID);
        gives(&engine, &format!("m::fetch(5, 0, \"localhost:{port}\", \"/\", blob(), 0)"), METHOD_INVALID);
    }

    #[test]
    fn the_number_of_connections_is_limited() {
        // They stay open, as the guest keeps what it was given.
        let port = endless("part");
        let bench = Bench::new();
        let engine = load(&bench, &[format!("network=localhost:{port}")], LONG);
        let call = format!("get(\"localhost:{port}\", \"/\")");
        gives(&engine, &format!("for i in 0..128 {{ {call} }} {call}"), LIMIT_REACHED);
    }

    #[test]
    fn a_host_in_a_runtime_makes_requests_too() {
        let port = server(|_| Some(ok("hello")));
        let bench = Bench::new();
        let engine = load(&bench, &[format!("network=localhost:{port}")], LONG);
        let script = format!(
            "for i in 0..200 {{ get(\"localhost:{port}\", \"/\") }} get(\"localhost:{port}\", \"/\")"
        );
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async move {
            gives(&engine, &script, "[200, \"hello\"]");
            // The last of the plugin goes within the runtime.
            drop((engine, bench));
        });
    }
}

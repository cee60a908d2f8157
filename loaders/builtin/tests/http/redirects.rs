//! Where redirects lead, and what is sent there.

use crate::server::{Server, path, send};
use crate::support::Bench;
use crate::{bench, echo, request};
use caraway_loaders_core::Code::{Denied, Io, PluginFailed};

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

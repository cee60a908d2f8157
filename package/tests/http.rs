//! Downloads, from a server that misbehaves as it is told.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are tests")]

mod support;

use caraway_loaders_core::checksum::Digest;
use caraway_loaders_core::{Code, Error};
use caraway_package::archive::Limits;
use caraway_package::source::{Fetched, Http, Patience, Source, parse};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};
use support::{good_tar, gz, tree, zip, zipped};

/// What a server does with a connection, after the request was read: its path and the connection.
type Answer = fn(&str, &mut TcpStream);

/// Starts a server that ends with the process, and gives its URL.
fn serve(answer: Answer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            std::thread::spawn(move || {
                let mut request = Vec::new();
                let mut buffer = [0; 1024];
                while !request.windows(4).any(|window| window == b"\r\n\r\n") {
                    match stream.read(&mut buffer) {
                        Ok(read) if read > 0 => request.extend(&buffer[..read]),
                        _ => return,
                    }
                }
                let request = String::from_utf8_lossy(&request).into_owned();
                answer(request.split(' ').nth(1).unwrap_or(""), &mut stream);
            });
        }
    });
    url
}

fn send(stream: &mut TcpStream, head: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
}

fn ok(stream: &mut TcpStream, body: &[u8]) {
    send(stream, &format!("200 OK\r\nContent-Length: {}", body.len()), body);
}

fn fetched(http: &Http) -> Result<(Fetched, Vec<String>), Error> {
    let staging = tempfile::tempdir().unwrap();
    let fetched = http.fetch(staging.path(), &())?;
    let files = tree(&fetched.folder);
    Ok((fetched, files))
}

fn impatient(url: &str) -> Http {
    let patience = Patience { connect: Duration::from_millis(500), stall: Duration::from_millis(200) };
    Http::parse(url).unwrap().with_patience(patience)
}

#[track_caller]
fn refused(url: &str, code: Code, message: &str) {
    let error = fetched(&impatient(url)).expect_err("it is installed");
    assert_eq!(error.code(), code, "{error}");
    assert!(error.message().contains(message), "{error}, not {message}");
    assert!(error.hint_text().is_some(), "{error}");
    assert!(error.location().is_some());
}

#[test]
fn archives_are_downloaded_through_redirects() {
    let url = serve(|path, stream| match path {
        "/a" => send(stream, "302 Found\r\nLocation: /b/c", b""),
        "/b/c" => send(stream, "307 Temporary Redirect\r\nLocation: d?x=1", b""),
        "/b/d?x=1" => ok(stream, &gz(&good_tar())),
        // Without a length: it ends with the connection.
        "/zip" => send(stream, "200 OK", &zip(&[zipped("plugin.json", "{}")])),
        _ => send(stream, "404 Not Found", b""),
    });
    let digest = Digest::of(&gz(&good_tar()));
    let (got, files) = fetched(&impatient(&format!("{url}/a"))).unwrap();
    assert_eq!((got.archive, files.len()), (Some(digest), 2));
    let pinned = format!("{url}/a#{}", digest.to_string().replace(':', "="));
    assert!(fetched(&impatient(&pinned)).is_ok());
    assert_eq!(fetched(&impatient(&format!("{url}/zip"))).unwrap().1, ["plugin.json 644 {}"]);
    // The text is the URL that was given.
    assert_eq!(parse(&pinned, Path::new("/"), &[]).unwrap().text(), format!("{url}/a"));
    refused(&format!("{url}/a#sha256={}", "0".repeat(64)), Code::Integrity, "has the digest sha256:");
}

#[test]
fn servers_that_have_no_archive() {
    let url = serve(|path, stream| match path {
        "/page" => send(stream, "200 OK\r\nContent-Type: text/HTML; charset=utf-8", b"Please sign in"),
        "/markup" => ok(stream, b"\n<!doctype html>"),
        "/text" => ok(stream, b"hello"),
        "/empty" => ok(stream, b""),
        "/loop" => send(stream, "301 Moved\r\nLocation: /loop", b""),
        "/away" => send(stream, "301 Moved\r\nLocation: file:///etc/passwd", b""),
        "/nowhere" => send(stream, "302 Found", b""),
        "/part" => send(stream, "206 Partial Content", b"x"),
        "/no-http" => stream.write_all(b"SSH-2.0-x\r\n").unwrap(),
        other => {
            let status = other.trim_start_matches('/');
            send(stream, &format!("{status} Whatever\r\nContent-Length: 0"), b"");
        }
    });
    for (path, code, message) in [
        ("page", Code::ArchiveRefused, "is a web page, not an archive"),
        ("markup", Code::ArchiveRefused, "is a web page, not an archive"),
        ("text", Code::ArchiveRefused, "neither a zip nor a tar"),
        ("empty", Code::ArchiveRefused, "neither a zip nor a tar"),
        ("loop", Code::Io, "redirects more than 5 times"),
        ("away", Code::Io, "neither http nor https"),
        ("nowhere", Code::Io, "status 302"),
        ("no-http", Code::Io, "cannot be downloaded"),
        ("404", Code::Io, "answers with the status 404"),
        ("403", Code::Io, "status 403"),
        ("503", Code::Io, "status 503"),
        ("204", Code::Io, "status 204"),
        ("part", Code::Io, "status 206"),
    ] {
        refused(&format!("{url}/{path}"), code, message);
    }
    // It does not speak TLS.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let _ = stream.read(&mut [0; 4096]);
    });
    refused(&format!("https://{address}/x.zip"), Code::Io, "cannot be downloaded");
    // Nobody listens at the port of a listener that is gone.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    refused(&format!("http://{gone}/x"), Code::Io, "cannot be downloaded");
    refused("http://no-such-host.invalid/x", Code::Io, "");
}

#[test]
fn servers_that_send_too_much_or_too_little() {
    let url = serve(|path, stream| match path {
        "/announced" => send(stream, "200 OK\r\nContent-Length: 999999999999", b""),
        "/endless" => {
            send(stream, "200 OK", b"");
            while stream.write_all(&[0; 4096]).is_ok() {}
        }
        "/cut" => send(stream, "200 OK\r\nContent-Length: 5000", &gz(&good_tar())[..100]),
        "/cut-quietly" => send(stream, "200 OK", &gz(&good_tar())[..100]),
        _ => {}
    });
    let limits = Limits { archive_bytes: 10_000, ..Limits::default() };
    for path in ["announced", "endless"] {
        let error = fetched(&impatient(&format!("{url}/{path}")).with_limits(limits.clone())).unwrap_err();
        assert_eq!(error.code(), Code::ArchiveRefused, "{error}");
        assert!(error.message().contains("more than 10000 bytes"), "{error}");
    }
    refused(&format!("{url}/cut"), Code::Io, "cannot be downloaded to its end");
    refused(&format!("{url}/cut-quietly"), Code::ArchiveRefused, "truncated");
}

#[test]
fn servers_that_stall() {
    let url = serve(|path, stream| {
        if path == "/late" {
            let archive = gz(&good_tar());
            send(stream, &format!("200 OK\r\nContent-Length: {}", archive.len()), &archive[..20]);
        }
        // Until the client has had enough.
        let _ = stream.read(&mut [0]);
    });
    let started = Instant::now();
    refused(&format!("{url}/never"), Code::Io, "does not answer in time");
    refused(&format!("{url}/late"), Code::Io, "stopped sending");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn a_server_that_is_slow_but_goes_on() {
    let url = serve(|_, stream| {
        let archive = gz(&good_tar());
        send(stream, &format!("200 OK\r\nContent-Length: {}", archive.len()), b"");
        for part in archive.chunks(archive.len().div_ceil(4)) {
            std::thread::sleep(Duration::from_millis(80));
            let _ = stream.write_all(part);
        }
    });
    // All of it takes longer than the patience for each part.
    assert!(fetched(&impatient(&url)).is_ok());
}

//! `std/http`, with servers on this machine.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod connections;
mod environment;
mod faults;
mod grants;
mod redirects;
mod requests;
mod server;
mod sizes;
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod waiting;

use server::{Server, send};
use std::process::Command;
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

/// Runs one test in a process of its own, with these variables.
#[track_caller]
fn alone(test: &str, variables: &[(&str, &str)]) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--include-ignored", "--exact", test])
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && shown.contains("1 passed"), "{test}: {shown}");
}

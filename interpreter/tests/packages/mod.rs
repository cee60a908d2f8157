//! Plugins to install, and a server to install them from.
#![allow(dead_code, reason = "each test uses a part of it")]

use crate::common::Folder;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

/// A program that tells which `stats` it sees.
pub(crate) const APP: (&str, &str) = ("app.rhai", "import \"stats\" as s;\nprint(s::version());");

/// Where the user's plugins are.
pub(crate) const USERS: &str = "home/.local/share/caraway/plugins";

/// Writes a plugin, whose `version()` is `NAME VERSION`.
#[track_caller]
pub(crate) fn plugin(folder: &Folder, place: &str, name: &str, version: &str, more: &str) {
    let head = format!("name = \"{name}\"\nversion = \"{version}\"\ntype = \"module\"\n");
    folder.write(&format!("{place}/plugin.toml"), &format!("{head}{more}"));
    folder.write(&format!("{place}/main.rhai"), &format!("fn version() {{ \"{name} {version}\" }}\n"));
}

/// The same, which asks for the reading of `data`, and more; `text()` reads `data/x.txt`.
#[track_caller]
pub(crate) fn reader(folder: &Folder, place: &str, version: &str, more: &str) {
    let asks = format!(
        "dependencies = [\"std/fs\"]\ncapabilities = [{{ filesystem = {{ read = [\"data\"] }} }}{more}]\n"
    );
    plugin(folder, place, "reader", version, &asks);
    let script =
        format!("import \"std/fs\" as fs;\nfn text() {{ \"{version} \" + fs::read_text(\"data/x.txt\") }}\n");
    folder.write(&format!("{place}/main.rhai"), &script);
    folder.write("data/x.txt", "secret");
    folder.write("read.rhai", "import \"reader\" as r;\nprint(r::text());");
}

/// The names in a folder, sorted; none if it is not there.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The text of a file.
#[track_caller]
pub(crate) fn text(folder: &Folder, path: &str) -> String {
    std::fs::read_to_string(folder.path().join(path)).unwrap()
}

/// The lines of a file in TOML that are no comments.
#[track_caller]
pub(crate) fn toml(folder: &Folder, path: &str) -> toml::Table {
    text(folder, path).parse().unwrap()
}

/// Starts a server that ends with the process, and gives its URL. It is told the path that is asked for, and has the
/// connection.
pub(crate) fn serve(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + Copy + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
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

/// Starts a server for the files of a folder.
pub(crate) fn serve_folder(folder: &Path) -> String {
    let folder: &'static Path = Box::leak(folder.to_owned().into_boxed_path());
    serve(move |path, stream| match std::fs::read(folder.join(path.trim_start_matches('/'))) {
        Ok(bytes) => send(stream, "200 OK", &bytes),
        Err(_) => send(stream, "404 Not Found", b""),
    })
}

/// Answers with a status and a body.
pub(crate) fn send(stream: &mut TcpStream, status: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // A client that has seen enough may be gone.
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
}

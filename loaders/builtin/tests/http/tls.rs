//! Who proves to be the host.

use crate::support::Bench;
use crate::{alone, request};
use caraway_loaders_core::Code::{Denied, Io};
use caraway_loaders_core::network::trust;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

const CERTIFICATE: &[u8] = include_bytes!("../../../wasm/tests/certificates/server.pem");
const KEY: &[u8] = include_bytes!("../../../wasm/tests/certificates/server.key");
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
    bench.fails(&followed, Denied, "redirects to http://127.0.0.1/, which everybody on the way could read");
}

#[test]
fn the_systems_certificates_say_whom_to_trust() {
    alone("tls::whom_the_system_trusts_is_trusted", &[("SSL_CERT_FILE", AUTHORITY), ("SSL_CERT_DIR", "")]);
}

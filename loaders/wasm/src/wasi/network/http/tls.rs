//! TLS, with the certificates that the system trusts.

use caraway_loaders_core::network::trust;
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig};
use wasmtime_wasi_http::Error;

/// Whom to trust: read from the system at the first use.
#[derive(Default)]
pub(super) struct Trust(Mutex<Option<Arc<ClientConfig>>>);

impl Trust {
    /// The other end, if it can prove that it is `host`.
    pub(super) async fn encrypt(
        self: &Arc<Self>,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Error> {
        let this = self.clone();
        let config = tokio::task::spawn_blocking(move || this.config());
        let config = config.await.map_err(|_| Error::ConfigurationError)??;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Error::HttpRequestUriInvalid)?;
        TlsConnector::from(config).connect(name, stream).await.map_err(|error| failed(&error))
    }

    fn config(&self) -> Result<Arc<ClientConfig>, Error> {
        let mut config = self.0.lock();
        if let Some(config) = &*config {
            return Ok(config.clone());
        }
        let made = Arc::new(trust::client(trust::roots()).map_err(|_| Error::ConfigurationError)?);
        Ok(config.insert(made).clone())
    }
}

fn failed(error: &io::Error) -> Error {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidCertificate(_)) => Error::TlsCertificateError,
        Some(rustls::Error::AlertReceived(alert)) => {
            Error::TlsAlertReceived { alert_id: Some(u8::from(*alert)), alert_message: None }
        }
        Some(_) => Error::TlsProtocolError,
        None => Error::ConnectionTerminated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::pki_types::pem::PemObject;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use tokio_rustls::rustls::{RootCertStore, ServerConfig};

    const AUTHORITY: &[u8] = include_bytes!("../../../../tests/certificates/ca.pem");
    const CERTIFICATE: &[u8] = include_bytes!("../../../../tests/certificates/server.pem");
    const KEY: &[u8] = include_bytes!("../../../../tests/certificates/server.key");

    async fn server() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let builder = ServerConfig::builder_with_provider(trust::provider());
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
        let config = builder.with_single_cert(chain, PrivateKeyDer::from_pem_slice(KEY).unwrap()).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = acceptor.accept(stream).await;
            }
        });
        port
    }

    #[test]
    fn who_cannot_prove_to_be_the_host_is_refused() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut ours = RootCertStore::empty();
        ours.add(CertificateDer::from_pem_slice(AUTHORITY).unwrap()).unwrap();
        for (roots, host, expected) in [
            (ours.clone(), "localhost", "Ok"),
            (ours.clone(), "127.0.0.1", "Ok"),
            (ours.clone(), "other.example", "TlsCertificateError"),
            (ours, "127.0.0.2", "TlsCertificateError"),
            (RootCertStore::empty(), "localhost", "TlsCertificateError"),
        ] {
            let outcome = runtime.block_on(async {
                let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server().await)).await.unwrap();
                let trust = Arc::new(Trust(Mutex::new(Some(Arc::new(trust::client(roots).unwrap())))));
                match trust.encrypt(host, stream).await {
                    Ok(_) => "Ok".to_owned(),
                    Err(error) => format!("{error:?}"),
                }
            });
            assert_eq!(outcome, expected, "{host}");
        }
    }

    #[test]
    fn who_speaks_no_tls_is_refused() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let error = runtime.block_on(async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move {
                use tokio::io::AsyncWriteExt;
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
                std::future::pending::<()>().await;
            });
            let stream = TcpStream::connect(address).await.unwrap();
            let trust =
                Arc::new(Trust(Mutex::new(Some(Arc::new(trust::client(RootCertStore::empty()).unwrap())))));
            trust.encrypt("localhost", stream).await.err()
        });
        assert!(matches!(error, Some(Error::TlsProtocolError)), "{error:?}");
    }
}

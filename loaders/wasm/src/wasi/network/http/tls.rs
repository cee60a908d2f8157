//! TLS, with the certificates that the system trusts.

use parking_lot::Mutex;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};
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
        let mut roots = RootCertStore::empty();
        // What cannot be read is trusted no more than what is not there.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let made = Arc::new(client(roots)?);
        Ok(config.insert(made).clone())
    }
}

/// The crypto is named: the process's default is the host's to choose.
fn client(roots: RootCertStore) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|_| Error::ConfigurationError)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
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

//! TLS as `ureq` is told of it.

use caraway_loaders_core::network::trust;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

/// The settings for https. A server whose certificate depends on one that cannot be read is refused.
pub(super) fn config() -> TlsConfig {
    let roots: Vec<_> =
        trust::certificates().iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(trust::provider())
        .root_certs(RootCerts::new_with_certs(&roots))
        .build()
}

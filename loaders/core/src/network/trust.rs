//! Whom to trust over TLS: the certificates that the system trusts. So an operator's own authority and a distrusted one
//! count at once, and alike for everything.

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// The system's certificates, read anew each time. What cannot be read is left out: it is trusted no more than what is
/// not there.
pub fn certificates() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

/// The same as what [`client`] takes.
pub fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates());
    roots
}

/// Whose cryptography to use. It is named wherever it is used: the process's default is the host's to choose.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The settings of a client that trusts `roots`.
///
/// # Errors
///
/// That the cryptography does not go with TLS 1.2 and 1.3, which it does.
pub fn client(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

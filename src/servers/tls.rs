//! TLS at a door: its certificate, its key, and who may knock.
//!
//! TLS 1.2 at least. What stands in the files may be changed while the door serves: each handshake takes what is there when
//! it begins, and connections that stand keep what they began with.

use std::{fmt, io, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    server::{VerifierBuilderError, WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Longest that a handshake may take, as long as a request's head.
const HANDSHAKE_TIME: Duration = Duration::from_secs(5);

/// What a door speaks behind TLS, as ALPN names it (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `http/1.1`
    Http1,
    /// `h2`, below gRPC.
    Http2,
}

/// A door's TLS. Clones share what is renewed.
///
/// Any two are equal: what they hold is taken over while a door serves, so a difference asks for no restart.
#[derive(Clone)]
pub struct Tls(Arc<ArcSwap<ServerConfig>>);

/// Certificates, at least one, in the order of their file.
#[derive(Clone, Debug)]
pub struct Certificates(Vec<CertificateDer<'static>>);

/// A private key. Its [`Debug`] hides it.
#[derive(Debug)]
pub struct PrivateKey(PrivateKeyDer<'static>);

/// What is wrong with a file or with two of them.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It isn't whole PEM. The parser's own words are left out, for they may quote a key.
    #[error(
        "is not whole PEM: each section is base64 between its `-----BEGIN` and its `-----END` line"
    )]
    Form,
    /// No certificate stands in it.
    #[error("holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)")]
    NoCertificate,
    /// No key stands in it, or one under a password.
    #[error("holds no private key in PEM form (`-----BEGIN PRIVATE KEY-----`, without a password)")]
    NoKey,
    /// A certificate of the authorities can't be read as one.
    #[error("holds a certificate that can't be used ({0})")]
    Authority(rustls::Error),
    /// The authorities can't check anybody.
    #[error("can't be used to check clients ({0})")]
    Authorities(#[from] VerifierBuilderError),
    /// The key is another certificate's, or one of the two can't be used.
    #[error(
        "is not the key of the first certificate in `cert_file`, where the door's own comes first ({0})"
    )]
    Mismatch(rustls::Error),
}

impl Certificates {
    /// Reads a PEM file's content.
    ///
    /// # Errors
    /// [`TlsError::Form`], or [`TlsError::NoCertificate`].
    pub fn parse(pem: &[u8]) -> Result<Self, TlsError> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        match found {
            Ok(certificates) if certificates.is_empty() => Err(TlsError::NoCertificate),
            Ok(certificates) => Ok(Self(certificates)),
            Err(_) => Err(TlsError::Form),
        }
    }

    /// Those who have signed what is to be believed.
    ///
    /// # Errors
    /// [`TlsError::Authority`].
    pub fn roots(self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        for authority in self.0 {
            roots.add(authority).map_err(TlsError::Authority)?;
        }
        Ok(roots)
    }
}

impl PrivateKey {
    /// Reads a PEM file's content: the first key in PKCS#8, PKCS#1 or SEC1 form.
    ///
    /// # Errors
    /// [`TlsError::Form`], or [`TlsError::NoKey`].
    pub fn parse(pem: &[u8]) -> Result<Self, TlsError> {
        match PrivateKeyDer::from_pem_slice(pem) {
            Ok(key) => Ok(Self(key)),
            Err(pem::Error::NoItemsFound) => Err(TlsError::NoKey),
            Err(_) => Err(TlsError::Form),
        }
    }
}

/// Checks clients' certificates.
#[derive(Clone, Debug)]
pub struct Clients(Arc<dyn ClientCertVerifier>);

impl Clients {
    /// Anybody, with a certificate or without.
    #[must_use]
    pub fn any() -> Self {
        Self(WebPkiClientVerifier::no_client_auth())
    }

    /// Only who shows a certificate that one of these has signed.
    ///
    /// # Errors
    /// [`TlsError::Authority`], or [`TlsError::Authorities`].
    pub fn signed_by(authorities: Certificates) -> Result<Self, TlsError> {
        let roots = authorities.roots()?.into();
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
        Ok(Self(verifier.build()?))
    }
}

impl Tls {
    /// For a door that speaks this protocol, shows this chain, its own certificate first, and lets these clients in.
    ///
    /// # Errors
    /// [`TlsError::Mismatch`].
    pub fn new(
        protocol: Protocol,
        chain: Certificates,
        key: PrivateKey,
        clients: Clients,
    ) -> Result<Self, TlsError> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(TlsError::Mismatch)?
            .with_client_cert_verifier(clients.0)
            .with_single_cert(chain.0, key.0)
            .map_err(TlsError::Mismatch)?;
        config.alpn_protocols = vec![protocol.name().to_vec()];
        Ok(Self(Arc::new(ArcSwap::from_pointee(config))))
    }

    /// From now on, handshakes take what the other holds.
    pub fn take_over(&self, other: &Self) {
        self.0.store(other.0.load_full());
    }

    /// Shakes hands, within five seconds.
    ///
    /// # Errors
    /// What the client did wrong, or that it took too long.
    pub(super) async fn secure<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let acceptor = TlsAcceptor::from(self.0.load_full());
        timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await?
    }
}

impl PartialEq for Tls {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Tls {}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl Protocol {
    fn name(self) -> &'static [u8] {
        match self {
            Self::Http1 => b"http/1.1",
            Self::Http2 => b"h2",
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use tokio::io::AsyncReadExt;

    use super::*;

    fn tls() -> Tls {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["stepgate.test".to_owned()]).unwrap();
        let chain = Certificates::parse(cert.pem().as_bytes()).unwrap();
        let key = PrivateKey::parse(signing_key.serialize_pem().as_bytes()).unwrap();
        Tls::new(Protocol::Http2, chain, key, Clients::any()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_says_nothing_is_let_go_after_five_seconds() {
        let (mut client, server) = tokio::io::duplex(1024);
        let tls = tls();
        let mut shaking = Box::pin(tls.secure(server));
        let almost = timeout(Duration::from_millis(4990), &mut shaking);
        assert!(almost.await.is_err(), "it has five seconds");
        let then = timeout(Duration::from_millis(20), &mut shaking).await;
        let error = then.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(shaking);
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0, "it is closed");
    }

    #[test]
    fn clones_share_what_is_taken_over() {
        let (door, other) = (tls(), tls());
        let running = door.clone();
        door.take_over(&other);
        assert!(Arc::ptr_eq(&running.0.load(), &other.0.load()));
        assert_eq!(door, tls(), "no difference asks for a restart");
    }

    #[test]
    fn a_key_is_never_printed() {
        let CertifiedKey { signing_key, .. } =
            generate_simple_self_signed(["stepgate.test".to_owned()]).unwrap();
        let key = PrivateKey::parse(signing_key.serialize_pem().as_bytes()).unwrap();
        let bytes = format!("{:?}", signing_key.serialized_der());
        let printed = format!("{key:?} {:?}", tls());
        assert!(
            !printed.contains(bytes.trim_matches(['[', ']'])),
            "{printed}"
        );
        assert!(printed.contains("[secret key elided]"), "{printed}");
    }
}

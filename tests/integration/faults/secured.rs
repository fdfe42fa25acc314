//! A Kratos behind TLS whose certificate is another's.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use super::{
    fault::Outcome,
    way::{Way, well},
};
use crate::scripted::Scripted;

const TOLD: &str = "another name in the certificate";

/// Its authority is the right one, and only the name is wrong, until it is put right.
pub(super) async fn endure_a_wrong_name() -> (Outcome, Duration) {
    let kratos = Scripted::start(&well()).await;
    let behind = kratos.url.strip_prefix("http://").unwrap().parse().unwrap();
    let authority = Authority::new();
    let shown = Arc::new(Mutex::new(authority.shows("other.test")));
    let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", front.local_addr().unwrap());
    tokio::spawn(unwrap(front, Arc::clone(&shown), behind));
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("roots.pem");
    std::fs::write(&file, &authority.pem).unwrap();
    let ca_file = format!("ca_file: {}\n    ", file.display());
    let way = Way::to(&url, &ca_file).await;
    let longest = way.load("/transfer", Outcome::UNAVAILABLE, TOLD).await;
    assert_eq!(kratos.asked(), 0, "no credential is sent to a stranger");
    *shown.lock().unwrap() = authority.shows("127.0.0.1");
    way.recovers("/transfer", TOLD).await;
    (Outcome::UNAVAILABLE, longest)
}

/// Takes TLS off, and passes the rest on.
async fn unwrap(front: TcpListener, shown: Arc<Mutex<TlsAcceptor>>, behind: SocketAddr) {
    while let Ok((stream, _)) = front.accept().await {
        let acceptor = shown.lock().unwrap().clone();
        tokio::spawn(async move {
            // Who doesn't like the certificate goes away.
            if let Ok(mut plain) = acceptor.accept(stream).await {
                let mut kratos = TcpStream::connect(behind).await?;
                copy_bidirectional(&mut plain, &mut kratos).await?;
            }
            std::io::Result::Ok(())
        });
    }
}

/// Made up for this test, and believed by nobody else.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    /// A server that shows a certificate for this name.
    fn shows(&self, name: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

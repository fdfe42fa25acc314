//! Envoy asks over TLS, and each side shows a certificate.

use std::{fs, path::Path};

use demo::stage::StageOptions;

use super::{BOTH, CONFIG, Way};
use crate::authority::Authority;

/// What stands in `envoy.yaml` and `CONFIG`.
const CLUSTER: &str = "    - name: stepgate
      type: STATIC
";
const DOOR: &str = "grpc: { listen: 127.0.0.1:9191 }";

/// The cluster asks over TLS, with the certificate of this name.
fn over_tls(folder: &Path, name: &str) -> (String, String) {
    let path = |file: &str| folder.join(file).display().to_string();
    let (own, key, roots) = (
        path(&format!("{name}.pem")),
        path(&format!("{name}.key")),
        path("roots.pem"),
    );
    let socket = format!(
        "{CLUSTER}      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
          sni: stepgate.test
          auto_sni_san_validation: true
          common_tls_context:
            tls_certificates: [{{ certificate_chain: {{ filename: {own} }}, private_key: {{ filename: {key} }} }}]
            validation_context: {{ trusted_ca: {{ filename: {roots} }} }}
"
    );
    (CLUSTER.to_owned(), socket)
}

/// A stage where Envoy shows the certificate of this name.
fn options(folder: &Path, name: &str) -> StageOptions {
    let path = |file: &str| folder.join(file).display().to_string();
    let tls = format!(
        "grpc: {{ listen: 127.0.0.1:9191, tls: {{ cert_file: {}, key_file: {}, client_ca_file: {} }} }}",
        path("door.pem"),
        path("door.key"),
        path("roots.pem")
    );
    StageOptions {
        config: Some(CONFIG.replace(DOOR, &tls)),
        envoy_edits: vec![over_tls(folder, name)],
        ..StageOptions::default()
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("tls-").tempdir().unwrap();
    let authority = Authority::new();
    authority.sign("stepgate.test").write(folder.path(), "door");
    authority.sign("envoy.test").write(folder.path(), "friend");
    fs::write(folder.path().join("roots.pem"), authority.pem()).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_asks_over_tls_and_is_known_by_its_certificate() {
    let folder = folder();
    let way = Way::with(options(folder.path(), "friend")).await;
    let sessions = way.sessions();
    let aal2 = sessions.aal2.header();
    for http in BOTH {
        let ask = way.ask("GET", "/transfer", &[("cookie", &aal2)]);
        way.allowed(http, &ask).await;
        let refused = way.refused(http, &way.ask("GET", "/transfer", &[])).await;
        assert_eq!(refused.header("x-stepgate-reason"), "session_inactive");
    }
    way.stage.stop().await;
}

//! Envoy asks at a socket file.

use tempfile::TempDir;

use super::*;

const ENDPOINT: &str = "address: { socket_address: { address: 127.0.0.1, port_value: 9191 } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_file_between_envoy_and_stepgate_serves_as_a_port_does() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("stepgate.sock").display().to_string();
    let pipe = format!("address: {{ pipe: {{ path: '{socket}' }} }}");
    let config = CONFIG.replace(
        "listen: 127.0.0.1:9191",
        &format!("listen: 'unix:{socket}'"),
    );
    let way = Way::with(StageOptions {
        config: Some(config),
        envoy_edits: vec![(ENDPOINT.to_owned(), pipe)],
        ..StageOptions::default()
    })
    .await;
    let sessions = way.sessions();
    let (aal2, aal1) = (sessions.aal2.header(), sessions.aal1.header());
    for http in BOTH {
        let seen = way
            .allowed(http, &way.ask("GET", "/transfer", &[("cookie", &aal2)]))
            .await;
        assert_eq!(seen.all("x-user-aal"), ["aal2"]);
        let page = [("cookie", aal1.as_str()), ("sec-fetch-mode", "navigate")];
        let heard = way.refused(http, &way.ask("GET", "/transfer", &page)).await;
        assert_eq!(heard.status, 303, "{heard:?}");
        let login = format!("{}/self-service/login/", way.stage.ports().ciam());
        assert!(heard.header("location").starts_with(&login), "{heard:?}");
    }
    way.stage.stop().await;
}

//! Envoy's own log, which tells what Stepgate made of a request.

use std::time::Duration;

use demo::story::Http;
use serde_json::Value;

use super::Way;

const PAUSE: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn envoys_log_says_what_stepgate_decided_and_keeps_secrets() {
    let way = Way::open().await;
    let cookie = way.sessions().aal1.header();
    let headers = [("cookie", &*cookie), ("sec-fetch-mode", "navigate")];
    let ask = way.ask("GET", "/transfer/log?token=hidden", &headers);
    let heard = way.refused(Http::One, &ask).await;
    let line = tokio::time::timeout(PATIENCE, line(&way, "/transfer/log"));
    let line = line.await.unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    for (field, want) in [
        ("rule", "transfer"),
        ("decision", "step_up"),
        ("reason", heard.header("x-stepgate-reason")),
        ("aal", "aal1"),
        ("path", "/transfer/log"),
        ("request_id", heard.header("x-request-id")),
    ] {
        assert_eq!(told[field], want, "{line}");
    }
    assert_eq!(
        (&told["status"], &told["details"]),
        (&303.into(), &"ext_authz_denied".into())
    );
    assert!(!line.contains("hidden") && !line.contains("ory_kratos_session"));
    way.stage.stop().await;
}

/// The line about a path, once Envoy has written it.
async fn line(way: &Way, path: &str) -> String {
    loop {
        let log = std::fs::read_to_string(way.stage.folder().join("envoy.log")).unwrap();
        if let Some(line) = log.lines().find(|line| line.contains(path)) {
            return line.to_owned();
        }
        tokio::time::sleep(PAUSE).await;
    }
}

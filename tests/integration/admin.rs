//! The real binary's admin door.

use std::fs;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::serving::Serving;

const CONFIG: &str = "
kratos: { ciam: { api_url: 'http://127.0.0.1:9', browser_url: 'https://ciam.test', origins: ['https://app.test'] } }
default: none
rules:
  - { id: account, match: { path: /account }, require: session }
  - { id: closed, match: { path: /closed }, require: deny }
servers: { grpc: { listen: '127.0.0.1:0' }, admin: { listen: '127.0.0.1:0' } }
";

async fn start() -> (tempfile::TempDir, Serving) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stepgate.yaml");
    fs::write(&file, CONFIG).unwrap();
    let serving = Serving::start(&file).await;
    (folder, serving)
}

/// The value of a series, in full.
async fn value(serving: &Serving, series: &str) -> Option<f64> {
    let (status, text) = serving.admin("/metrics").await;
    assert_eq!(status, 200);
    assert!(text.ends_with("# EOF\n"), "{text}");
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    line.map(|value| value.trim().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_ready_though_kratos_is_gone_and_has_no_other_pages() {
    let (_folder, serving) = start().await;
    assert_eq!(serving.ask("/account").await.status, 503);
    for path in [
        "/health/alive",
        "/health/ready",
        "/healthz",
        "/readyz",
        "/version",
        "/metrics",
    ] {
        assert_eq!(serving.admin(path).await.0, 200, "{path}");
    }
    for path in ["/", "/health", "/metrics/", "/version/x"] {
        assert_eq!(serving.admin(path).await.0, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_get_and_head_are_answered() {
    let (_folder, serving) = start().await;
    for (method, status, body) in [("HEAD", "200", ""), ("POST", "405", "GET or HEAD\n")] {
        let mut stream = TcpStream::connect(serving.address("admin")).await.unwrap();
        let request = format!("{method} /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert_eq!(answer.split_once("\r\n\r\n").unwrap().1, body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_are_counted_by_what_came_of_them_and_a_reload_takes_none_back() {
    let (folder, mut serving) = start().await;
    let closed = "stepgate_checks_total{door=\"grpc\",rule=\"closed\",decision=\"deny\",reason=\"access_denied\",client=\"script\"}";
    let open = "stepgate_checks_total{door=\"grpc\",rule=\"default\",decision=\"allow\",reason=\"open\",client=\"script\"}";
    let count = "stepgate_check_duration_seconds_count{door=\"grpc\"}";
    for _ in 0..3 {
        serving.ask("/closed").await;
        serving.ask("/open").await;
    }
    assert_eq!(value(&serving, closed).await, Some(3.0));
    assert_eq!(value(&serving, "stepgate_rules").await, Some(2.0));
    let rule = "  - { id: closed, match: { path: /closed }, require: deny }\n";
    fs::write(
        folder.path().join("stepgate.yaml"),
        CONFIG.replace(rule, ""),
    )
    .unwrap();
    serving.wait_for("configuration reloaded").await;
    serving.ask("/open").await;
    assert_eq!(
        value(&serving, closed).await,
        Some(3.0),
        "the rule is gone, its series is not"
    );
    assert_eq!(value(&serving, open).await, Some(4.0));
    assert_eq!(value(&serving, count).await, Some(7.0));
    assert_eq!(value(&serving, "stepgate_rules").await, Some(1.0));
    let reloads = "stepgate_config_reloads_total{result=\"success\"}";
    assert_eq!(value(&serving, reloads).await, Some(1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kratos_is_asked_is_counted_and_so_is_the_open_circuit() {
    let (_folder, serving) = start().await;
    let failed =
        "stepgate_kratos_requests_total{kratos=\"ciam\",call=\"health\",outcome=\"failed\"}";
    assert_eq!(
        value(&serving, "stepgate_breaker_open{kratos=\"ciam\"}").await,
        Some(0.0)
    );
    for _ in 0..6 {
        assert_eq!(serving.ask("/account").await.status, 503);
    }
    assert_eq!(
        value(&serving, "stepgate_breaker_open{kratos=\"ciam\"}").await,
        Some(1.0)
    );
    // Five calls, and one to see whether Kratos is well.
    assert_eq!(value(&serving, failed).await, Some(6.0));
    let open =
        "stepgate_kratos_requests_total{kratos=\"ciam\",call=\"health\",outcome=\"circuit_open\"}";
    assert_eq!(value(&serving, open).await, Some(1.0));
    let timed = "stepgate_kratos_request_duration_seconds_count{kratos=\"ciam\",call=\"health\"}";
    assert_eq!(value(&serving, timed).await, Some(6.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_that_failed_shows_until_one_succeeds() {
    let (folder, mut serving) = start().await;
    let file = folder.path().join("stepgate.yaml");
    fs::write(&file, CONFIG.replace("require: deny", "require: denied")).unwrap();
    serving.wait_for("the configuration is not sound").await;
    let version = serving.admin("/version").await.1;
    let version: serde_json::Value = serde_json::from_str(&version).unwrap();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(version["config"]["rules"], 2);
    let fault = version["config"]["faults"][0].as_str().unwrap();
    assert!(fault.contains("stepgate.yaml:6:"), "{fault}");
    let failures = "stepgate_config_reloads_total{result=\"failure\"}";
    assert_eq!(value(&serving, failures).await, Some(1.0));
    let is_sound = "stepgate_config_last_reload_successful";
    assert_eq!(value(&serving, is_sound).await, Some(0.0));
    fs::write(&file, CONFIG).unwrap();
    serving.wait_for("configuration reloaded").await;
    assert_eq!(value(&serving, is_sound).await, Some(1.0));
    let version = serving.admin("/version").await.1;
    assert!(!version.contains("faults"), "{version}");
}

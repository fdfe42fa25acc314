//! Rules in shadow at Envoy's door, with a Kratos double behind it: who passes, what Kratos is asked, and what is left behind.

use std::fs;

use serde_json::Value;

use crate::{gate::Gate, serving::Serving};

const RULES: &str = "
  - { id: all, match: { path: /bank/** }, require: session }
  - { id: transfer, match: { path: /bank/transfer }, require: aal2, mode: shadow }
  - { id: lone, match: { path: /lone }, require: aal2, mode: shadow }
";

#[tokio::test]
async fn who_would_be_challenged_passes_with_their_own_identity_and_no_marker() {
    let gate = Gate::start(RULES).await;
    let aal1 = gate.double.sign_in("totp@app.test").unwrap();
    for _ in 0..5 {
        let heard = gate.page("/bank/transfer", Some(&aal1)).await;
        assert_eq!((heard.status, heard.header("x-user-aal")), (200, "aal1"));
        assert_eq!(heard.set_cookies, Vec::<String>::new());
        let nobody = gate.page("/lone", None).await;
        assert_eq!((nobody.status, nobody.header("x-user-id")), (200, ""));
        assert_eq!(nobody.set_cookies, Vec::<String>::new());
        assert!(nobody.removed.contains(&"x-user-id".to_owned()));
    }
}

#[tokio::test]
async fn what_is_enforced_below_a_rule_in_shadow_goes_on() {
    let gate = Gate::start(RULES).await;
    let nobody = gate.page("/bank/transfer", None).await;
    assert_eq!((nobody.status, nobody.reason()), (303, "session_inactive"));
    assert_eq!(nobody.set_cookies.len(), 1, "a marker, as ever");
}

#[tokio::test]
async fn nobody_is_asked_for_second_factors_and_a_step_up_counts_at_once() {
    let gate = Gate::start(RULES).await;
    let aal1 = gate.double.sign_in("plain@app.test").unwrap();
    assert_eq!(gate.page("/lone", Some(&aal1)).await.status, 200);
    assert_eq!(gate.double.calls("/self-service/settings/browser"), 0);
    assert_eq!(gate.double.whoami_calls(), 1);
    let aal1 = gate.double.sign_in("totp@app.test").unwrap();
    gate.page("/lone", Some(&aal1)).await;
    let aal2 = gate.double.step_up(&aal1, "totp").unwrap();
    let heard = gate.page("/lone", Some(&aal2)).await;
    assert_eq!((heard.status, heard.header("x-user-aal")), (200, "aal2"));
}

#[tokio::test]
async fn a_kratos_out_of_reach_closes_only_what_is_enforced() {
    let gate = Gate::start(RULES).await;
    let aal1 = gate.double.sign_in("totp@app.test").unwrap();
    let cookie = aal1.header();
    let Gate { double, client, .. } = gate;
    double.stop().await;
    for (path, status) in [("/lone", 200), ("/bank/transfer", 503)] {
        let headers = [("cookie", &*cookie), ("accept", "text/html")];
        let check = crate::gate::request("GET", "app.test", path, &headers);
        let response = client.clone().check(check).await.unwrap();
        let heard = crate::gate::Heard::from(response.into_inner());
        assert_eq!((heard.status, heard.header("x-user-id")), (status, ""));
    }
}

#[tokio::test]
async fn the_log_and_the_metrics_tell_what_it_would_have_been() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stepgate.yaml");
    let text = crate::gate::config("http://127.0.0.1:9", RULES);
    let servers = "servers: { admin: { listen: '127.0.0.1:0' }, grpc: { listen: '127.0.0.1:0' } }";
    fs::write(&path, format!("{text}\n{servers}\n")).unwrap();
    let mut serving = Serving::start(&path).await;
    assert_eq!(serving.ask("/lone").await.status, 200);
    let line: Value = serde_json::from_str(&serving.wait_for("check").await).unwrap();
    let told = ["rule_id", "decision", "reason_id", "mode", "lifted"].map(|key| line[key].as_str());
    let words = [
        "lone",
        "unavailable",
        "shadowed",
        "shadow",
        "kratos_unavailable",
    ];
    assert_eq!(
        (told, &line["granted"]),
        (words.map(Some), &Value::Bool(true))
    );
    assert_eq!(serving.ask("/bank/transfer").await.status, 503);
    let line: Value = serde_json::from_str(&serving.wait_for("check").await).unwrap();
    assert_eq!(
        (&line["rule_id"], &line["mode"]),
        (&"all".into(), &Value::Null)
    );
    let (_, metrics) = serving.admin("/metrics").await;
    for series in [
        "stepgate_shadowed_total{rule=\"lone\",decision=\"unavailable\",reason=\"kratos_unavailable\"} 1\n",
        "rule=\"lone\",decision=\"unavailable\",reason=\"shadowed\"",
    ] {
        assert!(metrics.contains(series), "{metrics}");
    }
}

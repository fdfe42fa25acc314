//! What docs/operations.md tells Kratos' admins to do when somebody has lost the second factor, and what Stepgate answers
//! at each step.

use std::time::Duration;

use demo::kratos::SessionCookie;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::gate::{Gate, Heard};

const RULES: &str = "  - { id: transfer, match: { path: /transfer }, require: aal2 }\n";
const WHO: &str = "totp@app.test";

/// Kratos' admin API.
struct Admin<'a>(&'a Gate);

impl Admin<'_> {
    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let url = self.0.double.admin_url().join(path).unwrap();
        let mut request = demo::client::builder()
            .build()
            .unwrap()
            .request(method, url);
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    async fn set_state(&self, id: &str, state: &str) {
        let patch = json!([{ "op": "replace", "path": "/state", "value": state }]);
        let path = format!("/admin/identities/{id}");
        let (status, _) = self.ask(Method::PATCH, &path, Some(patch)).await;
        assert_eq!(status, StatusCode::OK);
    }

    async fn delete(&self, path: &str) -> StatusCode {
        self.ask(Method::DELETE, path, None).await.0
    }
}

/// Asks for the guarded page, once what was remembered is over.
async fn open(gate: &Gate, session: &SessionCookie) -> Heard {
    gate.double.clock().advance(Duration::from_secs(2));
    gate.page("/transfer", Some(session)).await
}

#[tokio::test]
async fn the_runbook_shuts_the_old_sessions_out_and_lets_a_new_factor_be_set_up() {
    let gate = Gate::start(RULES).await;
    let admin = Admin(&gate);
    let phone = gate.double.sign_in(WHO).unwrap();
    let phone = gate.double.step_up(&phone, "totp").unwrap();
    let laptop = gate.double.sign_in(WHO).unwrap();
    assert_eq!(open(&gate, &phone).await.status, 200);
    assert_eq!(open(&gate, &laptop).await.reason(), "session_aal2_required");

    let path = format!("/admin/identities?credentials_identifier={WHO}");
    let (_, found) = admin.ask(Method::GET, &path, None).await;
    assert!(found[0]["credentials"]["totp"].is_object());
    let id = found[0]["id"].as_str().unwrap();

    admin.set_state(id, "inactive").await;
    for session in [&phone, &laptop] {
        assert_eq!(open(&gate, session).await.reason(), "session_inactive");
    }
    let factor = format!("/admin/identities/{id}/credentials/totp");
    assert_eq!(admin.delete(&factor).await, StatusCode::NO_CONTENT);
    assert_eq!(admin.delete(&factor).await, StatusCode::NOT_FOUND);
    let sessions = format!("/admin/identities/{id}/sessions");
    assert_eq!(admin.delete(&sessions).await, StatusCode::NO_CONTENT);
    admin.set_state(id, "active").await;

    for session in [&phone, &laptop] {
        assert_eq!(open(&gate, session).await.reason(), "session_inactive");
    }
    let new = gate.double.sign_in(WHO).unwrap();
    assert_eq!(
        open(&gate, &new).await.reason(),
        "session_aal2_enrolment_required"
    );
}

#[tokio::test]
async fn without_its_end_a_session_outlives_the_factor_that_lifted_it() {
    let gate = Gate::start(RULES).await;
    let phone = gate.double.sign_in(WHO).unwrap();
    let phone = gate.double.step_up(&phone, "totp").unwrap();
    assert!(gate.double.remove_second_factors(WHO));
    assert_eq!(open(&gate, &phone).await.status, 200);
}

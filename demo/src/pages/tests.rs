use serde_json::{Value, json};

use super::body::{login_body, settings_body};
use super::flow::Flow;

fn flow(aal: &str, nodes: &Value, messages: &Value) -> Flow {
    let ui = json!({"action": "/self-service/login?flow=1&x=2", "method": "POST", "nodes": nodes, "messages": messages});
    let flow = json!({"ui": ui, "requested_aal": aal, "refresh": true, "return_to": "http://app.bank.localhost:8080/transfer?a=1&b=2"});
    serde_json::from_value(flow).unwrap()
}

fn input(group: &str, name: &str, kind: &str, value: &str, label: &str) -> Value {
    json!({"type": "input", "group": group, "messages": [], "meta": {"label": {"id": 1, "text": label, "type": "info"}},
        "attributes": {"name": name, "type": kind, "value": value, "required": true, "disabled": false, "node_type": "input"}})
}

fn csrf() -> Value {
    json!({"type": "input", "group": "default", "messages": [], "meta": {},
        "attributes": {"name": "csrf_token", "type": "hidden", "value": "t0ken=", "required": true, "disabled": false}})
}

#[test]
fn a_second_factor_flow_without_a_method_says_so_and_leads_to_settings() {
    let challenge = json!([{"id": 1_010_004, "text": "Please complete the second authentication challenge.", "type": "info"}]);
    for nodes in [json!([csrf()]), Value::Null] {
        let page = login_body(&flow("aal2", &nodes, &challenge)).into_string();
        assert!(
            page.contains("There is no second factor on this account"),
            "{page}"
        );
        assert!(
            !page.contains("<form") && !page.contains("Please complete"),
            "{page}"
        );
        let settings = "/self-service/settings/browser?return_to=http%3A%2F%2Fapp.bank.localhost%3A8080%2Ftransfer%3Fa%3D1%26b%3D2";
        assert!(page.contains(settings), "{page}");
    }
}

#[test]
fn each_method_is_a_form_with_the_shared_token_and_its_own_button() {
    let nodes = json!([
        csrf(),
        input("totp", "totp_code", "text", "", "Authentication code"),
        input("totp", "method", "submit", "totp", "Use Authenticator"),
        input(
            "lookup_secret",
            "lookup_secret",
            "text",
            "",
            "Backup recovery code"
        ),
        input(
            "lookup_secret",
            "method",
            "submit",
            "lookup_secret",
            "Use backup recovery code"
        ),
    ]);
    let page = login_body(&flow("aal2", &nodes, &Value::Null)).into_string();
    let forms = crate::story::Form::all(&page);
    let sent: Vec<_> = forms.iter().map(|form| form.submission(&[])).collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        sent[0],
        [
            pair("csrf_token", "t0ken="),
            pair("totp_code", ""),
            pair("method", "totp")
        ]
    );
    assert_eq!(
        sent[1],
        [
            pair("csrf_token", "t0ken="),
            pair("lookup_secret", ""),
            pair("method", "lookup_secret")
        ]
    );
    assert!(
        forms
            .iter()
            .all(|form| form.action == "/self-service/login?flow=1&x=2")
    );
    assert!(
        page.contains("one-time-code") && page.matches("autofocus").count() == 1,
        "{page}"
    );
}

#[test]
fn whatever_kratos_says_is_text() {
    let hostile = "\"><script>alert(1)</script>";
    let nodes = json!([
        csrf(),
        input("password", "identifier", "text", hostile, hostile),
        input("password", "method", "submit", hostile, hostile)
    ]);
    let messages = json!([{"id": 1, "text": hostile, "type": hostile}]);
    let page = login_body(&flow("aal1", &nodes, &messages)).into_string();
    assert!(!page.contains("<script>"), "{page}");
}

#[test]
fn messages_of_a_field_stand_at_the_field() {
    let mut field = input("totp", "totp_code", "text", "", "Code");
    field["messages"] =
        json!([{"id": 4_000_002, "text": "Property totp_code is missing.", "type": "error"}]);
    let page = login_body(&flow("aal2", &json!([csrf(), field]), &Value::Null)).into_string();
    assert!(
        page.contains("aria-describedby=\"totp-totp_code-notes\""),
        "{page}"
    );
    assert!(page.contains("Property totp_code is missing."), "{page}");
}

#[test]
fn settings_show_the_key_as_a_picture_and_in_letters_and_list_backup_codes() {
    let key = json!({"type": "text", "group": "totp", "messages": [], "meta": {"label": {"id": 1_050_017, "text": "This is your secret.", "type": "info"}},
        "attributes": {"id": "totp_secret_key", "text": {"id": 1_050_006, "text": "OLYMPUSKEY", "type": "info"}}});
    let secrets = json!({"secrets": [{"text": "code0001"}, {"text": "code0002"}]});
    let codes = json!({"type": "text", "group": "lookup_secret", "messages": [], "meta": {},
        "attributes": {"id": "lookup_secret_codes", "text": {"id": 1_050_015, "text": "code0001, code0002", "type": "info", "context": secrets}}});
    let page = settings_body(&flow("", &json!([csrf(), codes, key]), &Value::Null)).into_string();
    assert!(
        page.contains("<svg") && page.contains("OLYMPUSKEY"),
        "{page}"
    );
    assert!(page.contains("<li><code>code0001</code></li>"), "{page}");
    let place = |text: &str| page.find(text).unwrap();
    assert!(
        place("Authenticator app") < place("Backup codes"),
        "what people are sent here for comes first"
    );
}

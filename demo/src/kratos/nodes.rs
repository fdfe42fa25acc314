//! The pieces of a form: nodes and messages, in the order and words of Kratos' own. What settings add is in
//! [`settings`](self::settings).

mod settings;

use serde_json::{Value, json};

use super::identity::Identity;
pub(crate) use settings::{fresh_codes, revealed_codes, settings};

/// A message above a form, or at a field.
pub(crate) fn message(id: u32, kind: &str, text: &str) -> Value {
    json!({ "id": id, "text": text, "type": kind })
}

/// Message 4000001, which repeats an error's reason.
pub(crate) fn refusal(reason: &str) -> Value {
    json!({ "id": 4_000_001, "text": reason, "type": "error", "context": { "reason": reason } })
}

/// Message 4000002, at the field itself.
pub(crate) fn missing(property: &str) -> Value {
    let text = format!("Property {property} is missing.");
    json!({ "id": 4_000_002, "text": text, "type": "error", "context": { "property": property } })
}

pub(super) fn node(kind: &str, group: &str, attributes: &Value, label: Option<Value>) -> Value {
    let meta = label.map_or_else(|| json!({}), |label| json!({ "label": label }));
    json!({ "type": kind, "group": group, "attributes": attributes, "messages": [], "meta": meta })
}

pub(super) fn input(group: &str, attributes: &Value, label: Option<Value>) -> Value {
    node("input", group, attributes, label)
}

pub(super) fn submit(group: &str, name: &str, value: &str, label: Value) -> Value {
    let attributes = json!({ "name": name, "type": "submit", "value": value, "disabled": false, "node_type": "input" });
    input(group, &attributes, Some(label))
}

fn code_field(group: &str, name: &str, label: Value) -> Value {
    let attributes = json!({
        "name": name, "type": "text", "value": "", "required": true, "disabled": false, "node_type": "input"
    });
    input(group, &attributes, Some(label))
}

pub(super) fn trait_label(name: &str, title: &str) -> Value {
    json!({ "id": 1_070_002, "text": title, "type": "info", "context": { "name": name, "title": title } })
}

pub(super) fn save() -> Value {
    message(1_070_003, "info", "Save")
}

/// The hidden token.
pub(crate) fn csrf(token: &str) -> Value {
    let attributes = json!({
        "name": "csrf_token", "type": "hidden", "value": token, "required": true, "disabled": false,
        "node_type": "input"
    });
    input("default", &attributes, None)
}

/// Who logs in.
pub(crate) fn identifier() -> Value {
    code_field(
        "default",
        "identifier",
        trait_label("traits.email", "E-Mail"),
    )
}

/// Who logs in again (K-49).
pub(crate) fn known_identifier(email: &str) -> Value {
    let attributes = json!({
        "name": "identifier", "type": "hidden", "value": email, "disabled": false, "node_type": "input"
    });
    input("default", &attributes, None)
}

pub(super) fn password_field(autocomplete: &str) -> Value {
    let attributes = json!({
        "name": "password", "type": "password", "required": true, "autocomplete": autocomplete, "disabled": false,
        "node_type": "input"
    });
    input(
        "password",
        &attributes,
        Some(message(1_070_001, "info", "Password")),
    )
}

/// A password to log in with.
pub(crate) fn password(again: bool) -> Vec<Value> {
    let label = match again {
        true => message(1_010_001, "info", "Sign in"),
        false => message(1_010_022, "info", "Sign in with password"),
    };
    vec![
        password_field("current-password"),
        submit("password", "method", "password", label),
    ]
}

/// The second factors `identity` has (K-43, K-45).
pub(crate) fn second_factors(identity: &Identity) -> Vec<Value> {
    let mut nodes = Vec::new();
    if identity.totp.is_some() {
        nodes.push(code_field(
            "totp",
            "totp_code",
            message(1_010_006, "info", "Authentication code"),
        ));
        nodes.push(submit(
            "totp",
            "method",
            "totp",
            message(1_010_009, "info", "Use Authenticator"),
        ));
    }
    if identity.lookup.is_some() {
        let label = message(1_010_007, "info", "Backup recovery code");
        nodes.push(code_field("lookup_secret", "lookup_secret", label));
        let label = message(1_010_010, "info", "Use backup recovery code");
        nodes.push(submit("lookup_secret", "method", "lookup_secret", label));
    }
    nodes
}

/// Whose account is recovered.
pub(crate) fn recovery_address(token: &str) -> Vec<Value> {
    let attributes = json!({ "name": "email", "type": "email", "required": true, "disabled": false, "node_type": "input" });
    let label = message(1_070_007, "info", "Email");
    vec![
        csrf(token),
        input("code", &attributes, Some(label)),
        go_on(),
    ]
}

/// The code that was mailed, and a way to have another.
pub(crate) fn recovery_code(token: &str, email: &str) -> Vec<Value> {
    let code = json!({
        "name": "code", "type": "text", "required": true, "pattern": "[0-9]+", "disabled": false, "maxlength": 6,
        "node_type": "input"
    });
    let method = json!({ "name": "method", "type": "hidden", "value": "code", "disabled": false, "node_type": "input" });
    vec![
        csrf(token),
        input(
            "code",
            &code,
            Some(message(1_070_010, "info", "Recovery code")),
        ),
        input("code", &method, None),
        go_on(),
        submit(
            "code",
            "email",
            email,
            message(1_070_008, "info", "Resend code"),
        ),
    ]
}

fn go_on() -> Value {
    submit(
        "code",
        "method",
        "code",
        message(1_070_009, "info", "Continue"),
    )
}

/// The node of that name, if the form has it.
pub(crate) fn named<'a>(nodes: &'a mut [Value], name: &str) -> Option<&'a mut Value> {
    nodes
        .iter_mut()
        .find(|node| node.pointer("/attributes/name").and_then(Value::as_str) == Some(name))
}

/// Writes a new token into the form.
pub(crate) fn renew_csrf(nodes: &mut Vec<Value>, token: &str) {
    match named(nodes, "csrf_token") {
        Some(node) => *node = csrf(token),
        None => nodes.insert(0, csrf(token)),
    }
}

/// Empties a field, as an error does.
pub(crate) fn reset(nodes: &mut [Value], name: &str) {
    let attributes =
        named(nodes, name).and_then(|node| node.get_mut("attributes")?.as_object_mut());
    if let Some(attributes) = attributes {
        attributes.shift_remove("value");
    }
}

/// Puts a message at a field; a form without the field shows it above.
pub(crate) fn blame(nodes: &mut [Value], messages: &mut Vec<Value>, name: &str, message: Value) {
    match named(nodes, name).and_then(|node| node.get_mut("messages")?.as_array_mut()) {
        Some(list) => list.push(message),
        None => messages.push(message),
    }
}

/// Takes every message away.
pub(crate) fn hush(nodes: &mut [Value], messages: &mut Vec<Value>) {
    messages.clear();
    for node in nodes {
        if let Some(list) = node.get_mut("messages").and_then(Value::as_array_mut) {
            list.clear();
        }
    }
}

//! The pieces of a form: nodes and messages, in the order and words of Kratos' own.

use serde_json::{Value, json};

use super::identity::Identity;
use super::totp::Authenticator;

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

fn node(kind: &str, group: &str, attributes: &Value, label: Option<Value>) -> Value {
    let meta = label.map_or_else(|| json!({}), |label| json!({ "label": label }));
    json!({ "type": kind, "group": group, "attributes": attributes, "messages": [], "meta": meta })
}

fn input(group: &str, attributes: &Value, label: Option<Value>) -> Value {
    node("input", group, attributes, label)
}

fn submit(group: &str, name: &str, value: &str, label: Value) -> Value {
    let attributes = json!({ "name": name, "type": "submit", "value": value, "disabled": false, "node_type": "input" });
    input(group, &attributes, Some(label))
}

fn code_field(group: &str, name: &str, label: Value) -> Value {
    let attributes = json!({
        "name": name, "type": "text", "value": "", "required": true, "disabled": false, "node_type": "input"
    });
    input(group, &attributes, Some(label))
}

fn trait_label(name: &str, title: &str) -> Value {
    json!({ "id": 1_070_002, "text": title, "type": "info", "context": { "name": name, "title": title } })
}

fn save() -> Value {
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

fn password_field(autocomplete: &str) -> Value {
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

/// The whole settings form, in its order.
pub(crate) fn settings(
    token: &str,
    identity: &Identity,
    offered: &Authenticator,
    issuer: &str,
) -> Vec<Value> {
    let mut nodes = vec![csrf(token)];
    nodes.extend(profile(identity));
    nodes.extend([
        password_field("new-password"),
        submit("password", "method", "password", save()),
    ]);
    nodes.extend(backup_codes(identity));
    nodes.extend(authenticator(identity, offered, issuer));
    nodes
}

fn profile(identity: &Identity) -> Vec<Value> {
    let email = json!({
        "name": "traits.email", "type": "email", "value": identity.email(), "required": true,
        "autocomplete": "email", "disabled": false, "node_type": "input"
    });
    let role = match identity.traits.get("role") {
        Some(role) => json!({
            "name": "traits.role", "type": "text", "value": role, "disabled": false, "node_type": "input"
        }),
        None => {
            json!({ "name": "traits.role", "type": "text", "disabled": false, "node_type": "input" })
        }
    };
    vec![
        input(
            "profile",
            &email,
            Some(trait_label("traits.email", "E-Mail")),
        ),
        input("profile", &role, Some(trait_label("traits.role", "Role"))),
        submit("profile", "method", "profile", save()),
    ]
}

fn backup_codes(identity: &Identity) -> Vec<Value> {
    let button = |name, id, text| submit("lookup_secret", name, "true", message(id, "info", text));
    if identity.lookup.is_some() {
        return vec![
            button(
                "lookup_secret_reveal",
                1_050_007,
                "Reveal backup recovery codes",
            ),
            button("lookup_secret_disable", 1_050_016, "Disable this method"),
        ];
    }
    vec![button(
        "lookup_secret_regenerate",
        1_050_008,
        "Generate new backup recovery codes",
    )]
}

/// New codes, and the button that keeps them; they stand at the end of the form (K-92).
pub(crate) fn fresh_codes(codes: &[String]) -> Vec<Value> {
    let label = message(1_050_011, "info", "Confirm backup recovery codes");
    vec![
        shown_codes(codes.iter().map(|code| (code.as_str(), None))),
        { submit("lookup_secret", "lookup_secret_confirm", "true", label) },
    ]
}

/// The codes as they are, and what can be done with them.
pub(crate) fn revealed_codes<'a>(
    codes: impl Iterator<Item = (&'a str, Option<String>)>,
) -> Vec<Value> {
    let button = |name, id, text| submit("lookup_secret", name, "true", message(id, "info", text));
    vec![
        shown_codes(codes),
        button("lookup_secret_disable", 1_050_016, "Disable this method"),
        button(
            "lookup_secret_regenerate",
            1_050_008,
            "Generate new backup recovery codes",
        ),
    ]
}

/// A list of codes; a used one shows when it was used instead.
fn shown_codes<'a>(codes: impl Iterator<Item = (&'a str, Option<String>)>) -> Value {
    let (texts, secrets): (Vec<String>, Vec<Value>) =
        codes.map(|(code, used)| shown_code(code, used)).unzip();
    let text = json!({
        "id": 1_050_015, "text": texts.join(", "), "type": "info", "context": { "secrets": secrets }
    });
    let attributes = json!({ "text": text, "id": "lookup_secret_codes", "node_type": "text" });
    let words = "These are your back up recovery codes. Please keep them in a safe place!";
    node(
        "text",
        "lookup_secret",
        &attributes,
        Some(message(1_050_010, "info", words)),
    )
}

fn shown_code(code: &str, used: Option<String>) -> (String, Value) {
    let Some(used) = used else {
        let shown =
            json!({ "id": 1_050_009, "text": code, "type": "info", "context": { "secret": code } });
        return (code.to_owned(), shown);
    };
    let text = format!("Secret was used at {used}");
    (
        String::from("used"),
        json!({ "id": 1_050_014, "text": text, "type": "info", "context": { "used_at": used } }),
    )
}

fn authenticator(identity: &Identity, offered: &Authenticator, issuer: &str) -> Vec<Value> {
    if identity.totp.is_some() {
        let attributes = json!({
            "name": "totp_unlink", "type": "submit", "value": "true", "required": true, "disabled": false,
            "node_type": "input"
        });
        return vec![input(
            "totp",
            &attributes,
            Some(message(1_050_004, "info", "Unlink TOTP Authenticator App")),
        )];
    }
    let code = json!({
        "name": "totp_code", "type": "text", "required": true, "disabled": false, "node_type": "input"
    });
    vec![
        picture(&offered.picture(issuer, identity.email())),
        secret(offered.secret()),
        input(
            "totp",
            &code,
            Some(message(1_070_006, "info", "Verify code")),
        ),
        submit("totp", "method", "totp", save()),
    ]
}

fn picture(png: &str) -> Value {
    let source = format!("data:image/png;base64,{png}");
    let attributes =
        json!({ "src": source, "id": "totp_qr", "width": 256, "height": 256, "node_type": "img" });
    node(
        "img",
        "totp",
        &attributes,
        Some(message(1_050_005, "info", "Authenticator app QR code")),
    )
}

fn secret(secret: &str) -> Value {
    let text =
        json!({ "id": 1_050_006, "text": secret, "type": "info", "context": { "secret": secret } });
    let attributes = json!({ "text": text, "id": "totp_secret_key", "node_type": "text" });
    let words = "This is your authenticator app secret. Use it if you can not scan the QR code.";
    node(
        "text",
        "totp",
        &attributes,
        Some(message(1_050_017, "info", words)),
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

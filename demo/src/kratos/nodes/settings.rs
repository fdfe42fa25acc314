//! The settings form: profile, password, backup codes and authenticator app.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::identity::Identity;
use super::super::picture::picture;
use super::super::totp::Authenticator;
use super::{csrf, input, message, node, password_field, save, submit, trait_label};

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
    codes: impl Iterator<Item = (&'a str, Option<Timestamp>)>,
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
fn shown_codes<'a>(codes: impl Iterator<Item = (&'a str, Option<Timestamp>)>) -> Value {
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

fn shown_code(code: &str, used_at: Option<Timestamp>) -> (String, Value) {
    let Some(at) = used_at else {
        let shown =
            json!({ "id": 1_050_009, "text": code, "type": "info", "context": { "secret": code } });
        return (code.to_owned(), shown);
    };
    let text = format!(
        "Secret was used at {}",
        at.strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC")
    );
    let context = json!({ "used_at": at.to_string(), "used_at_unix": at.as_second() });
    let shown = json!({ "id": 1_050_014, "text": text, "type": "info", "context": context });
    (String::from("used"), shown)
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
        qr_code(&picture(&offered.url(issuer, identity.email()))),
        secret(offered.secret()),
        input(
            "totp",
            &code,
            Some(message(1_070_006, "info", "Verify code")),
        ),
        submit("totp", "method", "totp", save()),
    ]
}

fn qr_code(png: &str) -> Value {
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

//! The admin API: people (K-07, K-08, K-94, K-98) and, in [`sessions`], their sessions.

mod patch;
pub(crate) mod sessions;

use axum::http::{StatusCode, header};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::asked::Asked;
use super::clock::stored;
use super::csrf::Csrf;
use super::errors::Fault;
use super::go_url::query_value;
use super::identity::{BackupCode, Credential, Identity, is_credential_type};
use super::state::Kratos;
use super::store::Store;
use super::totp::Authenticator;

/// `POST /admin/identities`.
pub(crate) fn create(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    match created(kratos, asked) {
        Ok(identity) => {
            let location = format!("{}/identities/{}", kratos.admin_base, identity.id);
            whole(kratos, StatusCode::CREATED, &identity, &[]).header(header::LOCATION, &location)
        }
        Err(fault) => Answer::fault(asked, &fault),
    }
}

fn created(kratos: &Kratos, asked: &Asked) -> Result<Identity, Fault> {
    let body = body(asked)?;
    let mut store = kratos.store();
    let mut identity = Identity::new(traits(&body)?, kratos.now());
    write(kratos, &mut identity, &body)?;
    insert(&mut store, identity.clone())?;
    Ok(identity)
}

/// `GET /admin/identities`, all of them or the one with `credentials_identifier`.
pub(crate) fn list(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let wanted = asked.query("credentials_identifier");
    let store = kratos.store();
    let mut found: Vec<&Identity> = store.identities.values().collect();
    found.retain(|identity| {
        wanted
            .as_ref()
            .is_none_or(|email| identity.email().eq_ignore_ascii_case(email))
    });
    found.sort_by_key(|identity| identity.id);
    let bodies: Vec<Value> = found
        .iter()
        .map(|identity| shown(kratos, identity, &[]))
        .collect();
    Answer::json(StatusCode::OK, &Value::from(bodies))
}

/// `GET /admin/identities/{id}`, with the secrets of the credentials that `include_credential` names.
pub(crate) fn get(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let included: Vec<String> = asked
        .query
        .split('&')
        .filter_map(|pair| query_value(pair, "include_credential"))
        .collect();
    if included.iter().any(|name| !is_credential_type(name)) {
        let reason = "Invalid value `[]` for parameter `include_credential`.";
        return Answer::fault(asked, &Fault::bad_request(reason));
    }
    match known(kratos, asked) {
        Ok(identity) => whole(kratos, StatusCode::OK, &identity, &included),
        Err(fault) => Answer::fault(asked, &fault),
    }
}

/// `PUT /admin/identities/{id}`.
pub(crate) fn replace(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let replaced = known(kratos, asked).and_then(|mut identity| {
        let body = body(asked)?;
        identity.traits = traits(&body)?;
        for (field, kept) in [
            ("metadata_public", &mut identity.metadata_public),
            ("metadata_admin", &mut identity.metadata_admin),
        ] {
            *kept = body.get(field).cloned().unwrap_or_default();
        }
        write(kratos, &mut identity, &body)?;
        update(kratos, identity)
    });
    told(kratos, asked, replaced)
}

/// `PATCH /admin/identities/{id}`: a JSON patch of state, traits and metadata.
pub(crate) fn patch(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let patched = known(kratos, asked).and_then(|mut identity| {
        let operations: Value = serde_json::from_slice(&asked.body)
            .map_err(|why| Fault::bad_request(why.to_string()))?;
        let mut document = json!({
            "state": if identity.active { "active" } else { "inactive" },
            "traits": identity.traits,
            "metadata_public": identity.metadata_public,
            "metadata_admin": identity.metadata_admin,
        });
        patch::apply(&mut document, &operations).map_err(Fault::bad_request)?;
        let body = document.as_object().cloned().unwrap_or_default();
        identity.traits = traits(&body)?;
        write(kratos, &mut identity, &body)?;
        update(kratos, identity)
    });
    told(kratos, asked, patched)
}

/// `DELETE /admin/identities/{id}`.
pub(crate) fn delete(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let removed = asked
        .id()
        .is_some_and(|id| kratos.store().remove_identity(id));
    if removed {
        Answer::empty(StatusCode::NO_CONTENT)
    } else {
        Answer::fault(asked, &Fault::unknown_id())
    }
}

/// `DELETE /admin/identities/{id}/credentials/{type}` (K-94); sessions keep what they proved.
pub(crate) fn delete_credential(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let kind = asked.captured.get(1).cloned().unwrap_or_default();
    let removed = known(kratos, asked).and_then(|mut identity| {
        remove_credential(&mut identity, &kind)?;
        update(kratos, identity)
    });
    match removed {
        Ok(_) => Answer::empty(StatusCode::NO_CONTENT),
        Err(fault) => Answer::fault(asked, &fault),
    }
}

fn remove_credential(identity: &mut Identity, kind: &str) -> Result<(), Fault> {
    let removed = match kind {
        "totp" => identity.totp.take().is_some(),
        "lookup_secret" => identity.lookup.take().is_some(),
        "password" if identity.password.is_some() => {
            return Err(Fault::bad_request(
                "You cannot remove the last first factor credential.",
            ));
        }
        _ => false,
    };
    if removed {
        return Ok(());
    }
    Err(Fault::not_found(format!(
        "You tried to remove a {kind} but this user have no {kind} set up."
    )))
}

fn known(kratos: &Kratos, asked: &Asked) -> Result<Identity, Fault> {
    asked
        .id()
        .and_then(|id| kratos.store().identities.get(&id).cloned())
        .ok_or_else(Fault::unknown_id)
}

fn told(kratos: &Kratos, asked: &Asked, changed: Result<Identity, Fault>) -> Answer {
    match changed {
        Ok(identity) => whole(kratos, StatusCode::OK, &identity, &[]),
        Err(fault) => Answer::fault(asked, &fault),
    }
}

fn whole(kratos: &Kratos, status: StatusCode, identity: &Identity, included: &[String]) -> Answer {
    Answer::json(status, &shown(kratos, identity, included))
}

fn shown(kratos: &Kratos, identity: &Identity, included: &[String]) -> Value {
    let credentials = identity.credentials(included, &kratos.options.totp_issuer);
    identity.admin_json(&kratos.base, credentials)
}

fn body(asked: &Asked) -> Result<Map<String, Value>, Fault> {
    serde_json::from_slice(&asked.body).map_err(|why| Fault::bad_words(&why.to_string()))
}

fn traits(body: &Map<String, Value>) -> Result<Map<String, Value>, Fault> {
    let traits = body
        .get("traits")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    match traits.get("email").and_then(Value::as_str) {
        Some(email) if email.contains('@') => Ok(traits),
        Some(_) => Err(Fault::bad_request(
            "I[#/traits/email] S[#/properties/traits/properties/email/format] no valid email",
        )),
        None => Err(Fault::bad_request(
            "I[#/traits] S[#/properties/traits/required] missing properties: \"email\"",
        )),
    }
}

/// Takes over what `body` says of state, metadata and credentials.
fn write(kratos: &Kratos, identity: &mut Identity, body: &Map<String, Value>) -> Result<(), Fault> {
    match body.get("state").and_then(Value::as_str) {
        Some("inactive") => identity.set_active(false, kratos.now()),
        Some("active") => identity.set_active(true, kratos.now()),
        Some(other) => {
            return Err(Fault::unknown_state(other));
        }
        None => {}
    }
    if let Some(metadata) = body.get("metadata_public") {
        identity.metadata_public = metadata.clone();
    }
    if let Some(metadata) = body.get("metadata_admin") {
        identity.metadata_admin = metadata.clone();
    }
    credentials(kratos, identity, body);
    Ok(())
}

fn credentials(kratos: &Kratos, identity: &mut Identity, body: &Map<String, Value>) {
    let config = |pointer: &str| {
        body.get("credentials")
            .and_then(|credentials| credentials.pointer(pointer))
    };
    if let Some(password) = config("/password/config/password").and_then(Value::as_str) {
        identity.set_password(password, kratos.now());
    }
    let url = config("/totp/config/totp_url").and_then(Value::as_str);
    let secret = url.and_then(|url| query_value(url.split_once('?')?.1, "secret"));
    if let Some(app) = secret.and_then(|secret| Authenticator::from_base32(&secret)) {
        identity.totp = Some(Credential::new(app, kratos.now()));
    }
    if let Some(codes) = config("/lookup_secret/config/recovery_codes").and_then(Value::as_array) {
        let codes = codes.iter().filter_map(|code| code.get("code")?.as_str());
        let codes = codes
            .map(|code| BackupCode {
                code: code.to_owned(),
                used_at: None,
            })
            .collect();
        identity.lookup = Some(Credential::new(codes, kratos.now()));
    }
}

fn insert(store: &mut Store, identity: Identity) -> Result<(), Fault> {
    if store
        .identity_by_email(identity.email())
        .is_some_and(|other| other.id != identity.id)
    {
        return Err(Fault::conflict(
            "This identity conflicts with another identity that already exists.",
        ));
    }
    store.identities.insert(identity.id, identity);
    Ok(())
}

fn update(kratos: &Kratos, mut identity: Identity) -> Result<Identity, Fault> {
    identity.updated_at = stored(kratos.now());
    insert(&mut kratos.store(), identity.clone())?;
    Ok(identity)
}

//! Sessions as an admin sees, extends and ends them (K-07, K-23).

use std::time::Duration;

use axum::http::{StatusCode, header};
use serde_json::Value;

use super::super::answer::Answer;
use super::super::asked::Asked;
use super::super::clock::after;
use super::super::csrf::Csrf;
use super::super::errors::Fault;
use super::super::state::Kratos;

/// `GET /admin/sessions/{id}`; identity and devices only where `expand` names them.
pub(crate) fn get(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let store = kratos.store();
    let Some(session) = asked.id().and_then(|id| store.session(id)) else {
        return Answer::fault(asked, &Fault::unknown_id());
    };
    let query = asked.query.to_ascii_lowercase();
    let identity = store
        .identities
        .get(&session.identity)
        .filter(|_| query.contains("expand=identity"));
    let body = match query.contains("expand=devices") {
        true => session.json(identity, &kratos.base, kratos.now()),
        false => session.admin_json(identity, &kratos.base, kratos.now()),
    };
    Answer::json(StatusCode::OK, &body)
}

/// `DELETE /admin/sessions/{id}`.
pub(crate) fn revoke(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let mut store = kratos.store();
    let Some(session) = asked.id().and_then(|id| store.session_mut(id)) else {
        return Answer::fault(asked, &Fault::unknown_id());
    };
    session.active = false;
    Answer::empty(StatusCode::NO_CONTENT)
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
}

/// `PATCH /admin/sessions/{id}/extend`: a whole lifespan from now.
pub(crate) fn extend(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let mut store = kratos.store();
    let now = kratos.now();
    let Some(session) = asked.id().and_then(|id| store.session_mut(id)) else {
        return Answer::fault(asked, &Fault::unknown_id());
    };
    session.expires_at = after(now, kratos.options.lifespan);
    let session = session.clone();
    let identity = store.identities.get(&session.identity);
    Answer::json(
        StatusCode::OK,
        &session.admin_json(identity, &kratos.base, now),
    )
}

/// `PATCH /admin/sessions/{id}/age?by=<seconds>`: makes every method of a session older. No Kratos has this; it stands for
/// a wait.
pub(crate) fn age(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let mut store = kratos.store();
    let session = asked.id().and_then(|id| store.session_mut(id));
    let by = asked.query("by").and_then(|by| by.parse().ok());
    match (session, by) {
        (Some(session), Some(by)) => {
            session.age(Duration::from_secs(by));
            Answer::empty(StatusCode::NO_CONTENT)
        }
        (None, _) => Answer::fault(asked, &Fault::unknown_id()),
        (_, None) => Answer::fault(asked, &Fault::bad_request("`by` is a number of seconds.")),
    }
}

/// `GET /admin/identities/{id}/sessions`.
pub(crate) fn list(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let store = kratos.store();
    let sessions = asked
        .id()
        .map(|id| store.sessions_of(id))
        .unwrap_or_default();
    let bodies: Vec<Value> = sessions
        .iter()
        .map(|session| session.json(None, &kratos.base, kratos.now()))
        .collect();
    Answer::json(StatusCode::OK, &Value::from(bodies))
}

/// `DELETE /admin/identities/{id}/sessions`.
pub(crate) fn delete_all(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let removed = asked
        .id()
        .is_some_and(|id| kratos.store().remove_sessions_of(id));
    if removed {
        Answer::empty(StatusCode::NO_CONTENT)
    } else {
        Answer::fault(asked, &Fault::unknown_id())
    }
}

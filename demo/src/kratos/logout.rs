//! Logging out, and ending one of one's sessions (K-07, K-110).

use axum::http::{StatusCode, header};
use serde_json::json;

use super::answer::Answer;
use super::asked::Asked;
use super::csrf::Csrf;
use super::errors::Fault;
use super::go_url::query_escape;
use super::session::Session;
use super::state::{Kratos, NoSession};

/// `GET /self-service/logout/browser`: the link that logs out, for this session only.
pub(crate) fn open(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let Ok(session) = current(kratos, asked) else {
        return kratos.forward(asked, &Fault::session_inactive());
    };
    let mut query = String::new();
    if let Some(url) = asked.query("return_to") {
        match kratos.return_urls.resolve(Some(&url)) {
            Ok(url) => query = format!("return_to={}&", query_escape(&url)),
            Err(fault) => return kratos.forward(asked, &fault),
        }
    }
    let token = &session.logout_token;
    let url = format!("{}/self-service/logout?{query}token={token}", kratos.base);
    Answer::json(
        StatusCode::OK,
        &json!({ "logout_url": url, "logout_token": token }),
    )
}

/// `GET /self-service/logout?token=`.
pub(crate) fn submit(kratos: &Kratos, asked: &Asked, csrf: &mut Csrf) -> Answer {
    let checked = checked(kratos, asked);
    let (session, url) = match checked {
        Ok(checked) => checked,
        Err(fault) => return kratos.forward(asked, &fault),
    };
    end(kratos, &session);
    let cookie = kratos
        .session_cookie(asked)
        .is_some_and(|cookie| cookie.is_ok());
    let cookie = cookie.then(|| kratos.clear_cookie(&session));
    kratos.jar.renew(csrf);
    let answer = if asked.is_json() {
        Answer::empty(StatusCode::NO_CONTENT)
    } else {
        Answer::see_other(asked, &url)
    };
    answer.maybe_cookie(cookie.as_deref())
}

fn checked(kratos: &Kratos, asked: &Asked) -> Result<(Session, String), Fault> {
    let Some(token) = asked.query("token") else {
        return Err(Fault::bad_request(
            "Please include a token in the URL query.",
        ));
    };
    let session = current(kratos, asked).map_err(|_| Fault::session_inactive())?;
    if session.logout_token != token {
        let reason = "Unable to log out because the logout token in the URL query does not match the session cookie.";
        return Err(Fault::forbidden(reason));
    }
    let default = kratos.options.logout_return_url.as_str();
    let url = kratos
        .return_urls
        .resolve_or(asked.query("return_to").as_deref(), default)?;
    Ok((session, url))
}

/// `DELETE /self-service/logout/api`.
pub(crate) fn native(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    if asked.body.is_empty() {
        let reason = "Unable to decode HTTP Request Body because its HTTP Header \"Content-Length\" is zero.";
        return Answer::fault(asked, &Fault::bad_request(reason));
    }
    let fields = asked.fields();
    let token = fields.text("session_token").unwrap_or_default();
    let session = kratos.store().session_by_token(token).cloned();
    match session {
        Some(session) => {
            end(kratos, &session);
            Answer::empty(StatusCode::NO_CONTENT)
        }
        None => {
            let reason = "The provided Ory Session Token could not be found, is invalid, or otherwise malformed.";
            Answer::fault(asked, &Fault::forbidden(reason))
        }
    }
}

/// `DELETE /sessions/{id}`: ends another session of the same person.
pub(crate) fn end_mine(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let Ok(session) = current(kratos, asked) else {
        return Answer::fault(asked, &Fault::no_cookie());
    };
    let Some(id) = asked.id() else {
        return Answer::fault(asked, &Fault::bad_words("uuid: not an id"));
    };
    if id == session.id {
        return Answer::fault(asked, &Fault::bad_words("cannot revoke current session"));
    }
    let mut store = kratos.store();
    if let Some(other) = store
        .session_mut(id)
        .filter(|other| other.identity == session.identity)
    {
        other.active = false;
    }
    Answer::empty(StatusCode::NO_CONTENT)
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
}

fn current(kratos: &Kratos, asked: &Asked) -> Result<Session, NoSession> {
    kratos
        .session(&kratos.store(), asked)
        .map(|(session, _)| session.clone())
}

fn end(kratos: &Kratos, session: &Session) {
    if let Some(session) = kratos.store().session_mut(session.id) {
        session.active = false;
    }
}

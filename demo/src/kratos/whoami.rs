//! `/sessions/whoami` (K-01 to K-24).

use axum::http::{HeaderName, StatusCode};

use super::answer::Answer;
use super::asked::Asked;
use super::csrf::Csrf;
use super::errors::Fault;
use super::identity::Identity;
use super::session::Session;
use super::state::Kratos;

/// Any method (K-19).
pub(crate) fn whoami(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let store = kratos.store();
    let Ok((session, identity)) = kratos.session(&store, asked) else {
        return Answer::fault(asked, &Fault::no_session());
    };
    if let Err(fault) =
        kratos.satisfies(session, identity, kratos.options.whoami_required_aal, None)
    {
        return Answer::fault(asked, &fault);
    }
    if let Some(template) = asked.query("tokenize_as") {
        let reason = format!("Unable to find tokenizer template {template:?}.");
        return Answer::fault(asked, &Fault::bad_request(reason));
    }
    let header = HeaderName::from_static("x-kratos-authenticated-identity-id");
    found(kratos, asked, session, identity).header(header, &identity.id.to_string())
}

/// The session, re-issued where the cookie's own copy ends sooner (K-13, K-23); a cookie that doesn't decode spoils it
/// (K-15).
fn found(kratos: &Kratos, asked: &Asked, session: &Session, identity: &Identity) -> Answer {
    let cookie = match kratos.session_cookie(asked) {
        Some(Err(message)) => return Answer::fault(asked, &Fault::cookie(&message)),
        Some(Ok(copy)) if copy.expires_at < session.expires_at => Some(kratos.set_cookie(session)),
        _ => None,
    };
    let body = session.json(Some(identity), &kratos.base, kratos.now());
    Answer::json(StatusCode::OK, &body).maybe_cookie(cookie.as_deref())
}

//! From a reply to an HTTP response.

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use super::caller::Caller;
use crate::{
    authorizer::Answer,
    domain::reply::{Refusal, Reply, Through},
};

/// The status that nginx could not pass on.
const X_STEPGATE_STATUS: HeaderName = HeaderName::from_static("x-stepgate-status");
/// What Envoy takes away from the request before it goes upstream.
const TO_REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

/// The response to this caller.
#[must_use]
pub fn response(caller: Caller, answer: Answer) -> Response<String> {
    match answer.reply {
        Reply::Through(through) => allow(caller, through),
        Reply::Refused(refusal) if caller == Caller::AuthRequest => for_nginx(refusal),
        Reply::Refused(refusal) => refuse(refusal),
    }
}

/// For a path that is nobody's.
pub(super) fn not_found() -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// The response, after which the connection closes if it is the last.
pub(super) fn with_end(mut response: Response<String>, is_last: bool) -> Response<String> {
    if is_last {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

/// A header that isn't set is there and empty, so that a proxy that copies it overwrites a client's own.
fn allow(caller: Caller, through: Through) -> Response<String> {
    let mut response = Response::new(String::new());
    let headers = response.headers_mut();
    headers.extend(through.response_headers);
    headers.extend(through.mutations.set);
    let unset = &through.mutations.remove;
    for name in unset.iter().filter_map(|name| name.parse().ok()) {
        headers.insert::<HeaderName>(name, HeaderValue::from_static(""));
    }
    if caller == Caller::ExtAuthz {
        remove(headers, unset);
    }
    response
}

fn remove(headers: &mut HeaderMap, names: &[String]) {
    let list = HeaderValue::try_from(names.join(",")).ok();
    if let Some(list) = list.filter(|list| !list.is_empty()) {
        headers.insert(TO_REMOVE, list);
    }
}

fn refuse(refusal: Refusal) -> Response<String> {
    let mut response = Response::new(refusal.body);
    *response.status_mut() = refusal.status;
    response.headers_mut().extend(refusal.headers);
    response
}

/// nginx knows two refusals: 401 where the client can do something about it, else 403.
fn for_nginx(refusal: Refusal) -> Response<String> {
    let mut response = refuse(refusal);
    let headers = response.headers_mut();
    let is_challenge =
        headers.contains_key(header::LOCATION) || headers.contains_key(header::WWW_AUTHENTICATE);
    let status = if is_challenge {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::FORBIDDEN
    };
    let own = std::mem::replace(response.status_mut(), status);
    let own = HeaderValue::from(own.as_u16());
    response.headers_mut().insert(X_STEPGATE_STATUS, own);
    response
}

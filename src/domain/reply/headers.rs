//! The headers of a refusal.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue, StatusCode, header};
use url::Url;

use super::{Case, Decision, resume, retry_after, www_authenticate};
use crate::domain::client::Client;

/// The header that names the reason.
const X_STEPGATE_REASON: HeaderName = HeaderName::from_static("x-stepgate-reason");
/// Says of a challenge that a form was lost on the way to it, and why.
const X_STEPGATE_NOTICE: HeaderName = HeaderName::from_static("x-stepgate-notice");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const VARY: &str = "Cookie, Authorization, Accept, Sec-Fetch-Mode";

/// Every header of a refusal, each name once but for `Set-Cookie`.
pub(super) fn of(
    case: &Case<'_>,
    decision: &Decision,
    status: StatusCode,
    redirect: Option<&str>,
) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = vec![
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            X_STEPGATE_REASON,
            HeaderValue::from_static(decision.reason().as_str()),
        ),
    ];
    let is_redirect = status == StatusCode::SEE_OTHER;
    add(
        &mut headers,
        header::LOCATION,
        redirect.filter(|_| is_redirect),
    );
    add(&mut headers, X_REQUEST_ID, Some(case.request_id));
    add(
        &mut headers,
        header::RETRY_AFTER,
        retry_after(decision)
            .map(|seconds| seconds.to_string())
            .as_deref(),
    );
    let bearer = www_authenticate(decision).filter(|_| case.client == Client::Bearer);
    add(&mut headers, header::WWW_AUTHENTICATE, bearer.as_deref());
    headers.extend(content(case.client, is_redirect));
    let is_page = case.client == Client::Page && !is_redirect;
    let policy = is_page.then(|| page_policy(decision));
    add(
        &mut headers,
        header::CONTENT_SECURITY_POLICY,
        policy.as_deref(),
    );
    let notice = case
        .not_kept
        .map(|why| format!("form_not_kept; why={}", why.as_str()));
    add(&mut headers, X_STEPGATE_NOTICE, notice.as_deref());
    headers.extend(cors(case));
    let cookies = case.response_headers.iter();
    headers.extend(
        cookies
            .filter(|(name, _)| *name == header::SET_COOKIE)
            .cloned(),
    );
    let expired = case.expired_cookies(decision).into_iter();
    headers.extend(expired.map(|cookie| (header::SET_COOKIE, cookie)));
    headers
}

fn add(headers: &mut Vec<(HeaderName, HeaderValue)>, name: HeaderName, value: Option<&str>) {
    headers.extend(
        value
            .and_then(|value| HeaderValue::from_str(value).ok())
            .map(|value| (name, value)),
    );
}

/// What a page may do: nothing, or what a form's script needs.
fn page_policy(decision: &Decision) -> Cow<'static, str> {
    match decision {
        Decision::Keep(kept) => resume::policy(&kept.ticket.nonce).into(),
        Decision::Resume(continued) => resume::policy(&continued.nonce).into(),
        _ => PAGE_POLICY.into(),
    }
}

fn content(client: Client, is_redirect: bool) -> Vec<(HeaderName, HeaderValue)> {
    match client {
        Client::Page if !is_redirect => vec![(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        )],
        Client::Script | Client::Native | Client::Bearer => {
            vec![(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            )]
        }
        Client::Grpc => vec![(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        )],
        Client::Page | Client::WebSocket => Vec::new(),
    }
}

/// A script on an origin of the same identity domain may read the refusal; `Vary` tells caches what it turned on.
fn cors(case: &Case<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let Some(origin) = trusted_origin(case) else {
        return vec![(header::VARY, HeaderValue::from_static(VARY))];
    };
    let mut headers = vec![
        (
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        ),
        (
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("X-Stepgate-Reason, X-Request-Id, WWW-Authenticate"),
        ),
    ];
    add(
        &mut headers,
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        Some(&origin),
    );
    add(&mut headers, header::VARY, Some(&format!("{VARY}, Origin")));
    headers
}

fn trusted_origin(case: &Case<'_>) -> Option<String> {
    let text = std::str::from_utf8(case.headers.first(b"origin")?).ok()?;
    let (origin, domain) = case.policy.origins.of_link(&Url::parse(text).ok()?)?;
    let origin = origin.to_string();
    (domain == case.judged?.site.domain_id && origin == text).then_some(origin)
}

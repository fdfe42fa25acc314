//! Every error Kratos answers with: its id, status and words. The words are the wire's; clients match on them.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Fault;

const MALFORMED: &str = "The request was malformed or contained invalid parameters";
const NOT_FOUND: &str = "The requested resource could not be found";
const GONE: &str =
    "The requested resource is no longer available because it has expired or is otherwise invalid.";

impl Fault {
    /// whoami finds no session (K-01).
    pub(crate) fn no_session() -> Self {
        Self::new(
            "",
            StatusCode::UNAUTHORIZED,
            "The request could not be authorized",
        )
        .because("No valid session credentials found in the request.")
    }

    /// Settings and logout find no session.
    pub(crate) fn session_inactive() -> Self {
        Self::new(
            "session_inactive",
            StatusCode::UNAUTHORIZED,
            "request does not have a valid authentication session",
        )
        .because("No active session was found in this request.")
    }

    /// The enrolment probe finds no session (K-82); the extra member is always false there.
    pub(crate) fn probe_inactive() -> Self {
        Self::session_inactive().beside("CredentialsMissing", false)
    }

    /// A native app's settings find no session.
    pub(crate) fn native_inactive() -> Self {
        Self::session_inactive().because(
            "This endpoint can only be accessed with a valid session. Please log in and try again.",
        )
    }

    /// A settings form or its submit comes without a session.
    pub(crate) fn credential_missing() -> Self {
        Self::new(
            "",
            StatusCode::UNAUTHORIZED,
            "The request could not be authorized",
        )
        .because("A valid Ory Session Cookie or Ory Session Token is missing.")
    }

    /// Somebody asks for their sessions without one.
    pub(crate) fn no_cookie() -> Self {
        Self::new(
            "",
            StatusCode::UNAUTHORIZED,
            "The request could not be authorized",
        )
        .because("No valid session cookie found.")
    }

    /// The session is aal1 and its person has a second factor (K-05, K-82).
    pub(crate) fn aal2_required(redirect: &str) -> Self {
        let message = "Session does not fulfill the requested Authenticator Assurance Level";
        Self::new("session_aal2_required", StatusCode::FORBIDDEN, message)
            .because(
                "An active session was found but it does not fulfill the requested Authenticator Assurance Level. \
                 Please verify yourself with a second factor to resolve this issue.",
            )
            .detailed(json!({ "redirect_browser_to": redirect }))
            .beside("redirect_browser_to", redirect)
    }

    /// A second factor was asked for without a session (K-40).
    pub(crate) fn aal1_required() -> Self {
        let message = "aal2 and aal3 can only be requested if a session exists already";
        Self::new("session_aal1_required", StatusCode::UNAUTHORIZED, message)
            .because("You can not requested a higher AAL (AAL2/AAL3) without an active session.")
    }

    /// There is nothing to log in for (K-42, K-47).
    pub(crate) fn already_available() -> Self {
        Self::new("session_already_available", StatusCode::BAD_REQUEST, "you are already logged in").because(
            "A valid session was detected and thus login is not possible. Did you forget to set `?refresh=true`?",
        )
    }

    /// Somebody who is signed in wants to recover an account (K-104).
    pub(crate) fn recovery_not_needed() -> Self {
        Self::new(
            "session_already_available",
            StatusCode::BAD_REQUEST,
            "The request was malformed or contained invalid parameters",
        )
        .because("A valid session was detected and thus recovery is not possible.")
    }

    /// The browser has to go elsewhere to go on (K-72).
    pub(crate) fn location_change(redirect: &str) -> Self {
        let message = "browser location change required";
        Self::new(
            "browser_location_change_required",
            StatusCode::UNPROCESSABLE_ENTITY,
            message,
        )
        .because(format!(
            "In order to complete this flow please redirect the browser to: {redirect}"
        ))
        .beside("redirect_browser_to", redirect)
    }

    /// A `return_to` off the allow list (K-64).
    pub(crate) fn return_to_forbidden(url: &str) -> Self {
        Self::new(
            "self_service_flow_return_to_forbidden",
            StatusCode::BAD_REQUEST,
            MALFORMED,
        )
        .because(format!("Requested return_to URL {url:?} is not allowed."))
    }

    /// A flow that is past its time (K-52).
    pub(crate) fn flow_expired(flow: &str, details: Value) -> Self {
        let rest = if details.get("api").is_some() {
            format!("Call the {flow} flow init API endpoint to initialize a new {flow} flow.")
        } else {
            format!(
                "Redirect the user to the {flow} flow init endpoint to initialize a new {flow} flow."
            )
        };
        Self::new("self_service_flow_expired", StatusCode::GONE, GONE)
            .because(format!("The {flow} flow has expired. {rest}"))
            .detailed(details)
    }

    /// An expired flow was submitted, and `next` takes its place.
    pub(crate) fn flow_replaced(reason: &str, expired_at: &str, since: i64, next: &str) -> Self {
        Self::new(
            "self_service_flow_expired",
            StatusCode::GONE,
            "self-service flow expired",
        )
        .because(reason)
        .beside("expired_at", expired_at)
        .beside("since", since)
        .beside("use_flow_id", next)
    }

    /// The login is too old for that change (K-96).
    pub(crate) fn refresh_required(redirect: &str) -> Self {
        Self::new("session_refresh_required", StatusCode::FORBIDDEN, "The requested action was forbidden")
            .because(
                "The login session is too old and thus not allowed to update these fields. Please re-authenticate.",
            )
            .beside("redirect_browser_to", redirect)
    }

    /// A settings flow of somebody else.
    pub(crate) fn someone_else() -> Self {
        Self::new(
            "security_identity_mismatch",
            StatusCode::FORBIDDEN,
            "The requested action was forbidden",
        )
        .because(
            "The request was made for another identity and has been blocked for security reasons.",
        )
    }

    /// A form without its CSRF token (K-80); `why` is Kratos' own finding.
    pub(crate) fn csrf(hint: &str, why: Option<&str>) -> Self {
        let mut details =
            json!({ "docs": "https://www.ory.sh/kratos/docs/debug/csrf", "hint": hint });
        if let (Some(why), Some(details)) = (why, details.as_object_mut()) {
            details.insert(String::from("reject_reason"), Value::from(why));
        }
        let message = "the request was rejected to protect you from Cross-Site-Request-Forgery";
        Self::new("security_csrf_violation", StatusCode::FORBIDDEN, message)
            .because(
                "Please retry the flow and optionally clear your cookies. The request was rejected to protect you from \
                 Cross-Site-Request-Forgery (CSRF) which could cause account takeover, leaking personal information, \
                 and other serious security issues.",
            )
            .detailed(details)
    }

    /// A session cookie that doesn't decode stands beside a good token (K-15).
    pub(crate) fn cookie(message: &str) -> Self {
        Self::new("", StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// 400 without id.
    pub(crate) fn bad_request(reason: impl Into<String>) -> Self {
        Self::new("", StatusCode::BAD_REQUEST, MALFORMED).because(reason)
    }

    /// 403 without id.
    pub(crate) fn forbidden(reason: impl Into<String>) -> Self {
        Self::new(
            "",
            StatusCode::FORBIDDEN,
            "The requested action was forbidden",
        )
        .because(reason)
    }

    /// A state that is neither.
    pub(crate) fn unknown_state(state: &str) -> Self {
        let reason = format!(
            "The supplied state ('{state}') was not valid. Valid states are ('active', 'inactive')."
        );
        Self::new("", StatusCode::BAD_REQUEST, "identity state is not valid").because(reason)
    }

    /// 400 without id and reason.
    pub(crate) fn bad_words(message: &str) -> Self {
        Self::new("", StatusCode::BAD_REQUEST, message)
    }

    /// 401 of somebody whose account is off.
    pub(crate) fn disabled(identity: &str) -> Self {
        Self::new("", StatusCode::UNAUTHORIZED, "identity is disabled")
            .because("This account was disabled.")
            .detailed(json!({ "identity_id": identity }))
    }

    /// 404 for an id nobody has.
    pub(crate) fn unknown_id() -> Self {
        Self::new("", StatusCode::NOT_FOUND, "Unable to locate the resource")
    }

    /// 404 with a reason.
    pub(crate) fn not_found(reason: impl Into<String>) -> Self {
        Self::new("", StatusCode::NOT_FOUND, NOT_FOUND).because(reason)
    }

    /// 409 for an identifier that is taken.
    pub(crate) fn conflict(reason: impl Into<String>) -> Self {
        let message = "The resource could not be created due to a conflict";
        Self::new("", StatusCode::CONFLICT, message).because(reason)
    }

    /// What `errors?id=stub:500` shows (K-53).
    pub(crate) fn stub() -> Self {
        let message = "An internal server error occurred, please contact the system administrator";
        Self::new("", StatusCode::INTERNAL_SERVER_ERROR, message).because("This is a stub error.")
    }
}

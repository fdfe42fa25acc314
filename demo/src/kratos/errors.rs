//! Every error Kratos answers with: its id, status and words.
//!
//! The words are the wire's; clients match on them. An error without id still has the `Ory-Error-Id` header, empty.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

/// An error as JSON carries it.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    id: &'static str,
    status: StatusCode,
    /// Boxed, so that an error costs little where there is none.
    words: Box<Words>,
}

#[derive(Clone, Debug)]
struct Words {
    reason: Option<String>,
    details: Option<Value>,
    message: String,
    /// Members beside `error`.
    beside: Map<String, Value>,
}

const MALFORMED: &str = "The request was malformed or contained invalid parameters";
const NOT_FOUND: &str = "The requested resource could not be found";
const GONE: &str =
    "The requested resource is no longer available because it has expired or is otherwise invalid.";

impl Fault {
    fn new(id: &'static str, status: StatusCode, message: &str) -> Self {
        let words = Words {
            reason: None,
            details: None,
            message: message.to_owned(),
            beside: Map::new(),
        };
        Self {
            id,
            status,
            words: Box::new(words),
        }
    }

    fn because(mut self, reason: impl Into<String>) -> Self {
        self.words.reason = Some(reason.into());
        self
    }

    fn detailed(mut self, details: Value) -> Self {
        self.words.details = Some(details);
        self
    }

    fn beside(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.words.beside.insert(name.to_owned(), value.into());
        self
    }

    /// whoami finds no session (K-01).
    pub(crate) fn no_session() -> Self {
        Self::new(
            "",
            StatusCode::UNAUTHORIZED,
            "The request could not be authorized",
        )
        .because("No valid session credentials found in the request.")
    }

    /// Settings and logout find no session (K-82); `missing` tells that there was no credential at all.
    pub(crate) fn session_inactive(missing: bool) -> Self {
        Self::new(
            "session_inactive",
            StatusCode::UNAUTHORIZED,
            "request does not have a valid authentication session",
        )
        .because("No active session was found in this request.")
        .beside("CredentialsMissing", missing)
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

    /// 401 of somebody whose account is off.
    pub(crate) fn disabled() -> Self {
        Self::new("", StatusCode::UNAUTHORIZED, "identity is disabled")
            .because("This account was disabled.")
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

    /// `error.id`, or the empty text.
    pub(crate) fn id(&self) -> &'static str {
        self.id
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What a form shows of it.
    pub(crate) fn reason(&self) -> &str {
        self.words.reason.as_deref().unwrap_or_default()
    }

    /// The member `error`.
    pub(crate) fn error(&self, request_id: Option<&str>) -> Value {
        let mut error = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                error.insert(name.to_owned(), value);
            }
        };
        put(
            "id",
            Some(self.id).filter(|id| !id.is_empty()).map(Value::from),
        );
        put("code", Some(Value::from(self.status.as_u16())));
        put(
            "status",
            Some(Value::from(
                self.status.canonical_reason().unwrap_or_default(),
            )),
        );
        put("request", request_id.map(Value::from));
        put("reason", self.words.reason.clone().map(Value::from));
        put("details", self.words.details.clone());
        put("message", Some(Value::from(self.words.message.clone())));
        Value::Object(error)
    }

    /// The whole body.
    pub(crate) fn body(&self, request_id: Option<&str>) -> Value {
        let mut body = Map::new();
        body.insert(String::from("error"), self.error(request_id));
        body.extend(self.words.beside.clone());
        Value::Object(body)
    }
}

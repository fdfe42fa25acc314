//! Why an answer was given: one word list, the same in header, log, metric and metadata.

use super::{host::HostError, path::PathError};

/// The word for why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The rule asks for nothing.
    Open,
    /// A CORS preflight.
    Preflight,
    /// The session meets the rule.
    SessionOk,
    /// The rule is in shadow, so what it would have refused passes.
    Shadowed,
    /// There is no session.
    SessionInactive,
    /// The session needs its second factor.
    SessionAal2Required,
    /// The identity has no second factor to give.
    SessionAal2EnrolmentRequired,
    /// The second factor is too old, or another one is asked for.
    SessionRefreshRequired,
    /// The same challenge, again and again, led nowhere.
    StepUpLoop,
    /// The rule denies.
    AccessDenied,
    /// The session is enough, but the rule is for other identities.
    IdentityNotPermitted,
    /// The route's `context_extensions` can't be understood.
    ContextInvalid,
    /// The request can't be judged.
    RequestMalformed,
    /// The request carries two sessions.
    SessionAmbiguous,
    /// The host is none of those guarded.
    HostUnknown,
    /// Kratos does not answer.
    KratosUnavailable,
    /// A form that needs a challenge is kept in the browser, or continued.
    Resume,
    /// The caller of the HTTP door is none of the `trusted_proxies`.
    PeerUntrusted,
}

impl Reason {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Preflight => "preflight",
            Self::SessionOk => "session_ok",
            Self::Shadowed => "shadowed",
            Self::SessionInactive => "session_inactive",
            Self::SessionAal2Required => "session_aal2_required",
            Self::SessionAal2EnrolmentRequired => "session_aal2_enrolment_required",
            Self::SessionRefreshRequired => "session_refresh_required",
            Self::StepUpLoop => "step_up_loop",
            Self::AccessDenied => "access_denied",
            Self::IdentityNotPermitted => "identity_not_permitted",
            Self::ContextInvalid => "context_invalid",
            Self::RequestMalformed => "request_malformed",
            Self::SessionAmbiguous => "session_ambiguous",
            Self::HostUnknown => "host_unknown",
            Self::KratosUnavailable => "kratos_unavailable",
            Self::Resume => "resume",
            Self::PeerUntrusted => "peer_untrusted",
        }
    }
}

/// Why a request can't be judged. The message is for the log and holds none of the request's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The host.
    #[error("{0}")]
    Host(#[from] HostError),
    /// The path.
    #[error("{0}")]
    Path(#[from] PathError),
    /// The method is not a token of upper-case letters and `-`.
    #[error("the method is not a token of upper-case letters")]
    Method,
    /// A header or query field that asks the application to take the request for another method.
    #[error("the request overrides its method")]
    MethodOverride,
    /// A header that the proxy should have set is not there.
    #[error("the proxy did not send `{0}`")]
    FactMissing(&'static str),
    /// A header that the proxy should have set came more than once, so perhaps from the client too.
    #[error("`{0}` came more than once")]
    FactTwice(&'static str),
    /// A header that an upstream could take for one of ours, and that nobody would take away.
    #[error("the request carries an identity header of its own")]
    ForgedIdentity,
}

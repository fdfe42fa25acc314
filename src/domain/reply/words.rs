//! What each refusal says to a person: what happened, and what to do.

use crate::domain::reason::Reason;

/// Two sentences without quotes, in ASCII, so that they fit in a header too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    /// A page's heading.
    pub(super) title: &'static str,
    /// What happened.
    pub(super) what: &'static str,
    /// What to do.
    pub(super) mend: &'static str,
}

#[expect(clippy::too_many_lines, reason = "one table, read as one")]
pub(super) fn of(reason: Reason) -> Words {
    let (title, what, mend) = match reason {
        Reason::Open | Reason::Preflight | Reason::SessionOk => {
            ("Allowed", "The request may pass.", "Nothing is left to do.")
        }
        Reason::SessionInactive => (
            "Please log in",
            "There is no active session.",
            "Log in and try again.",
        ),
        Reason::SessionAal2Required => (
            "A second factor is needed",
            "This needs a second factor, and the session has not given one.",
            "Confirm with your second factor and try again.",
        ),
        Reason::SessionAal2EnrolmentRequired => (
            "Please set up a second factor",
            "This needs a second factor, and none is set up for this account.",
            "Set up a second factor in the account's settings and try again.",
        ),
        Reason::SessionRefreshRequired => (
            "Please confirm again",
            "This needs a second factor given recently, or another one than was given.",
            "Confirm with your second factor again and try again.",
        ),
        Reason::StepUpLoop => (
            "This is going in circles",
            "The same was asked for several times in a row, and nothing came of it.",
            "Wait two minutes and try again.",
        ),
        Reason::AccessDenied => (
            "Not allowed",
            "This address is closed to everyone.",
            "Go back to where you came from.",
        ),
        Reason::IdentityNotPermitted => (
            "Not for this account",
            "You are logged in, but this address is for other accounts.",
            "If it should be yours, ask whoever runs this site.",
        ),
        Reason::ContextInvalid => (
            "This route is misconfigured",
            "What the proxy demands for this route can't be understood.",
            "Tell whoever runs this site, with the request id below.",
        ),
        Reason::RequestMalformed => (
            "This address can't be understood",
            "The request has a form that different servers could read differently.",
            "Check the address, or start again from the site's first page.",
        ),
        Reason::SessionAmbiguous => (
            "Two sessions at once",
            "The request carries more than one session, so nobody can say which is yours.",
            "Delete this site's cookies and log in again.",
        ),
        Reason::HostUnknown => (
            "This site is not served here",
            "The request names a host that is not guarded here.",
            "Check the address.",
        ),
        Reason::KratosUnavailable => (
            "Please try again in a moment",
            "The service that knows who you are does not answer.",
            "Nothing was lost on our side; wait a moment and reload.",
        ),
        Reason::PeerUntrusted => (
            "This caller is not known",
            "The question came from an address that is none of the trusted proxies.",
            "Tell whoever runs this site, with the request id below.",
        ),
    };
    Words { title, what, mend }
}

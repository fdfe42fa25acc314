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
        Reason::Open | Reason::Preflight | Reason::SessionOk | Reason::Shadowed => {
            ("Allowed", "The request may pass.", "Nothing is left to do.")
        }
        Reason::SessionInactive => (
            "Please log in",
            "You are not logged in, or not any more.",
            "Log in and try again.",
        ),
        Reason::SessionAal2Required => (
            "A second factor is needed",
            "This needs a second factor, and the session has not given one.",
            "Confirm with your second factor and try again.",
        ),
        Reason::SessionAal2EnrolmentRequired => (
            "Please set up a second factor",
            "This needs a second factor, such as an authenticator app, and your account has none yet.",
            "Set one up in the settings of your account, or ask whoever runs this site; then try again.",
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
            "This is closed",
            "Nobody may open this address, whatever account they use.",
            "Nothing is wrong with your account. Go back to the page you came from.",
        ),
        Reason::IdentityNotPermitted => (
            "Not for this account",
            "You are logged in, but this address is for other accounts.",
            "If it should be yours, ask whoever runs this site.",
        ),
        Reason::ContextInvalid => (
            "Something is set up wrongly here",
            "What this address demands of its visitors can't be understood, so nobody is let in.",
            "Tell whoever runs this site, with the request id below.",
        ),
        Reason::RequestMalformed => (
            "This request can't be understood",
            "Its address, or something sent with it, can be read in more than one way, so it was not passed on.",
            "Check the address for stray characters, or start again from the first page of the site.",
        ),
        Reason::SessionAmbiguous => (
            "Two sessions at once",
            "Your browser sent two logins for this site, and nobody can say which of them you mean.",
            "Log in again; if this page comes back, delete the cookies of this site first.",
        ),
        Reason::HostUnknown => (
            "This site is not served here",
            "The address names a site that nobody has set up on this server.",
            "Check the name in the address. If a link led you here, tell whoever gave it to you.",
        ),
        Reason::KratosUnavailable => (
            "Please try again in a moment",
            "The login service does not answer just now, so nobody can tell who you are.",
            "Your request was not passed on. Wait a moment and send it again.",
        ),
        Reason::Resume => (
            "Continue where you left off",
            "A form that waits here belongs to the browser that filled it in.",
            "Open this address in the tab where you filled it in.",
        ),
        Reason::PeerUntrusted => (
            "This caller is not known",
            "The question came from an address that is none of the trusted proxies.",
            "Tell whoever runs this site, with the request id below.",
        ),
    };
    Words { title, what, mend }
}

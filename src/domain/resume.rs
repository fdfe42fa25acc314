//! A form that meets a challenge is kept in the browser, and sent after it: nothing of it stays at the gate.
//!
//! Only a form that the origin's own page posted is kept, so nobody's forgery is; it is bound to who posted it, and one click
//! sends it once. Two pages do the rest: one keeps the fields in the tab and goes to the challenge, and one at [`PATH`] shows
//! them afterwards. They are made in [`reply`](super::reply), from what is found here.

mod fields;
mod owner;
mod posted;

use super::{
    decision::Decision,
    identity_domain::EnrolmentPolicy,
    loop_guard::outcome,
    marker::Secret,
    policy::Site,
    session::{Session, Standing},
};
pub use fields::{Enctype, Form};
pub use owner::Owner;
pub use posted::{NotKept, Posted};

/// Where a form is continued, on every origin.
pub const PATH: &str = "/.stepgate/resume";

/// What nobody can guess, drawn anew for each page: at least 128 bits each, in letters and digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The name under which the tab keeps the form; it stands in an address.
    pub key: Box<str>,
    /// What marks the page's own script.
    pub nonce: Box<str>,
}

/// A form, the challenge that it met, and whose it is.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept {
    /// The challenge: a login, a step-up or an enrolment.
    pub challenge: Decision,
    /// The form.
    pub form: Form,
    /// Who posted it.
    pub owner: Owner,
    /// The page's own.
    pub ticket: Ticket,
}

/// Whose forms the page at [`PATH`] may continue.
#[derive(Debug, PartialEq, Eq)]
pub struct Continued {
    /// Those of whoever looks at the page.
    pub viewer: Owner,
    /// Those that were posted before there was a session.
    pub nobody: Owner,
    /// What marks the page's own script.
    pub nonce: Box<str>,
}

/// Who is there, as far as a form is bound to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who<'a> {
    /// Nobody.
    SignedOut,
    /// This session.
    Session(&'a Session),
    /// Somebody whose session Kratos tells only after the second factor.
    Withheld,
}

impl<'a> Who<'a> {
    /// Whom Kratos' answer tells of; `None` where it tells nothing.
    #[must_use]
    pub fn of(standing: &'a Standing) -> Option<Self> {
        match standing {
            Standing::SignedOut => Some(Self::SignedOut),
            Standing::Session(session) => Some(Self::Session(session)),
            Standing::SecondFactorDue => Some(Self::Withheld),
            Standing::Unavailable { .. } => None,
        }
    }
}

/// Whether a decision sends people to a challenge, so that a form could be kept meanwhile.
#[must_use]
pub fn is_challenge(decision: &Decision, enrolment: EnrolmentPolicy) -> bool {
    outcome(decision, enrolment).is_some()
}

/// The form of a request that was challenged, and whose it is.
///
/// # Errors
/// [`NotKept`], and the challenge is an ordinary one.
pub fn keep(posted: &Posted<'_>, who: Who<'_>, secret: &Secret) -> Result<(Form, Owner), NotKept> {
    let form = posted.form()?;
    let owner = match who {
        Who::SignedOut => Owner::nobody(secret, posted.origin),
        Who::Session(session) => Owner::of(secret, posted.origin, &session.id),
        Who::Withheld => return Err(NotKept::SessionWithheld),
    };
    Ok((form, owner))
}

/// The page at [`PATH`] for whoever looks at it.
#[must_use]
pub fn continued(who: Who<'_>, secret: &Secret, site: &Site<'_>, ticket: Ticket) -> Continued {
    let nobody = Owner::nobody(secret, &site.origin);
    let viewer = match who {
        Who::Session(session) => Owner::of(secret, &site.origin, &session.id),
        Who::SignedOut | Who::Withheld => nobody.clone(),
    };
    Continued {
        viewer,
        nobody,
        nonce: ticket.nonce,
    }
}

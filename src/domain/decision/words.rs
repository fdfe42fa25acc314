//! A decision in words: those of log, metric and metadata.

use super::{Decision, Grant, StepUp, Verdict};
use crate::domain::reason::Reason;

impl Decision {
    /// The word for it in log, metric and metadata.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Allow(_) => "allow",
            Self::Login => "login",
            Self::StepUp(_) => "step_up",
            Self::Enrol => "enrol",
            Self::Keep(kept) => kept.challenge.as_str(),
            Self::Deny(_) | Self::Loop(_) | Self::Resume(_) => "deny",
            Self::Malformed(_) | Self::Ambiguous | Self::HostUnknown => "refuse",
            Self::Unavailable { .. } => "unavailable",
        }
    }

    /// The decision itself, or the challenge that a form is kept for.
    #[must_use]
    pub fn challenge(&self) -> &Self {
        match self {
            Self::Keep(kept) => &kept.challenge,
            other => other,
        }
    }

    /// The refusal that a rule in shadow did not enforce.
    #[must_use]
    pub fn lifted(&self) -> Option<Verdict> {
        match self {
            Self::Allow(permit) => match permit.grant() {
                Grant::Shadowed(verdict) => Some(verdict),
                Grant::Open | Grant::Preflight | Grant::Met => None,
            },
            _ => None,
        }
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Allow(permit) => match permit.grant() {
                Grant::Open => Reason::Open,
                Grant::Preflight => Reason::Preflight,
                Grant::Met => Reason::SessionOk,
                Grant::Shadowed(_) => Reason::Shadowed,
            },
            Self::Login => Reason::SessionInactive,
            Self::StepUp(StepUp {
                is_stale: false, ..
            }) => Reason::SessionAal2Required,
            Self::StepUp(StepUp { is_stale: true, .. }) => Reason::SessionRefreshRequired,
            Self::Enrol => Reason::SessionAal2EnrolmentRequired,
            Self::Keep(_) | Self::Resume(_) => Reason::Resume,
            Self::Loop(_) => Reason::StepUpLoop,
            Self::Deny(reason) => *reason,
            Self::Malformed(_) => Reason::RequestMalformed,
            Self::Ambiguous => Reason::SessionAmbiguous,
            Self::HostUnknown => Reason::HostUnknown,
            Self::Unavailable { .. } => Reason::KratosUnavailable,
        }
    }
}

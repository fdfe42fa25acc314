//! A decision as a client hears it: status, headers and body come from one value, so they always agree.
//!
//! Both doors encode a [`Reply`]; neither adds to it. A [`Reply::Through`] can't be built without a [`Permit`].

mod ambiguous;
mod headers;
mod json;
mod loop_page;
mod page;
mod resume;
mod words;

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};

use super::{
    challenge::{self, Asked},
    client::Client,
    decision::{Decision, Permit, StepUp},
    headers::Headers,
    identity_domain::EnrolmentPolicy,
    policy::{Policy, Site},
    request::Request,
    resume::NotKept,
    rule::Rule,
    session::{Aal, Session},
    upstream_headers::Mutations,
};

/// What a door sends.
#[derive(Debug)]
pub enum Reply {
    /// The request passes.
    Through(Through),
    /// It does not.
    Refused(Refusal),
}

/// A request that passes, with what its upstream is told.
#[derive(Debug)]
pub struct Through {
    /// The proof.
    pub permit: Permit,
    /// What becomes of the request's headers.
    pub mutations: Mutations,
    /// What the upstream's answer carries besides its own headers. A name may stand twice, and replaces nothing.
    pub response_headers: Vec<(HeaderName, HeaderValue)>,
}

/// Any other answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status: never a success.
    pub status: StatusCode,
    /// The gRPC status beside it.
    pub code: Code,
    /// Headers, each name once but for `Set-Cookie`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body, under 4 KiB; of a page that keeps a form, under 256 KiB.
    pub body: String,
}

/// The gRPC status of a refusal: there is none for success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// 3: the request can't be judged.
    InvalidArgument,
    /// 7: this session may not.
    PermissionDenied,
    /// 14: Kratos can't say.
    Unavailable,
    /// 16: a login, or a bearer's challenge.
    Unauthenticated,
}

impl Code {
    fn of(decision: &Decision, status: StatusCode) -> Self {
        match (decision.challenge(), status) {
            (Decision::Login, _) | (_, StatusCode::UNAUTHORIZED) => Self::Unauthenticated,
            (_, StatusCode::BAD_REQUEST | StatusCode::MISDIRECTED_REQUEST) => Self::InvalidArgument,
            (_, StatusCode::SERVICE_UNAVAILABLE) => Self::Unavailable,
            _ => Self::PermissionDenied,
        }
    }
}

/// Everything that an answer is made from.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The configuration.
    pub policy: &'a Policy,
    /// The request's headers.
    pub headers: &'a Headers,
    /// Its client.
    pub client: Client,
    /// The id that log and answer share.
    pub request_id: &'a str,
    /// The request, its place and its rule, where it came that far.
    pub judged: Option<Judged<'a>>,
    /// The session, where one was found.
    pub session: Option<&'a Session>,
    /// Why a form is lost that the rule would have kept, where one is.
    pub not_kept: Option<NotKept>,
    /// What the client's answer carries besides: cookies, whether the request passes or not, and what goes with them.
    pub response_headers: &'a [(HeaderName, HeaderValue)],
}

/// A request with its place and its rule.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The request.
    pub request: &'a Request,
    /// Where it belongs.
    pub site: &'a Site<'a>,
    /// Its rule.
    pub rule: &'a Rule,
}

impl Reply {
    /// The answer to a decision.
    #[must_use]
    pub fn new(decision: Decision, case: &Case<'_>) -> Self {
        match decision {
            Decision::Allow(permit) => Self::Through(Through {
                permit,
                mutations: case.mutations(),
                response_headers: case.response_headers.to_vec(),
            }),
            refused => Self::Refused(case.refusal(&refused)),
        }
    }
}

impl Case<'_> {
    fn mutations(&self) -> Mutations {
        let judged = self.judged.as_ref();
        // A rule in shadow lets a session pass that is none.
        let session = self.session.filter(|session| session.aal >= Aal::Aal1);
        judged
            .map(|judged| {
                self.policy
                    .upstream_headers
                    .mutations(self.headers, session, judged.rule)
            })
            .unwrap_or_default()
    }

    fn refusal(&self, decision: &Decision) -> Refusal {
        let location = self.location(decision);
        let status = self.status(decision, location.is_some());
        let redirect = location.filter(|_| self.can_follow());
        let body = self.body(decision, status, redirect.as_deref());
        let headers = headers::of(self, decision, status, redirect.as_deref());
        Refusal {
            status,
            code: Code::of(decision, status),
            headers,
            body,
        }
    }

    fn location(&self, decision: &Decision) -> Option<String> {
        let asked = self.asked()?;
        let refused =
            *decision == Decision::Enrol && asked.site.domain.enrolment == EnrolmentPolicy::Refuse;
        if refused {
            None
        } else {
            challenge::location(decision, &asked)
        }
    }

    /// A page may end what made a session ambiguous.
    fn expired_cookies(&self, decision: &Decision) -> Vec<HeaderValue> {
        let is_page = *decision == Decision::Ambiguous && self.client == Client::Page;
        let asked = self.asked().filter(|_| is_page);
        asked
            .map(|asked| ambiguous::expiry(&asked))
            .unwrap_or_default()
    }

    fn asked(&self) -> Option<Asked<'_>> {
        let judged = self.judged?;
        Some(Asked {
            policy: self.policy,
            site: judged.site,
            request: judged.request,
            headers: self.headers,
            client: self.client,
            rule: judged.rule,
        })
    }

    /// Whether an address is of use to the client: in a `Location` for a page, in the JSON for a script.
    fn can_follow(&self) -> bool {
        matches!(self.client, Client::Page | Client::Script | Client::Native)
    }

    fn status(&self, decision: &Decision, has_location: bool) -> StatusCode {
        match (decision, self.client) {
            (Decision::Malformed(_) | Decision::Ambiguous, _) => StatusCode::BAD_REQUEST,
            (Decision::HostUnknown, _) => StatusCode::MISDIRECTED_REQUEST,
            (Decision::Unavailable { .. }, _) => StatusCode::SERVICE_UNAVAILABLE,
            (_, Client::Page) if has_location => StatusCode::SEE_OTHER,
            (Decision::Login, _) | (Decision::StepUp(_), Client::Bearer) => {
                StatusCode::UNAUTHORIZED
            }
            _ => StatusCode::FORBIDDEN,
        }
    }

    fn body(&self, decision: &Decision, status: StatusCode, redirect: Option<&str>) -> String {
        match self.client {
            Client::WebSocket => String::new(),
            // Envoy makes it the call's `grpc-message`, which is all that most clients print.
            Client::Grpc => words::of(decision.reason()).what.to_owned(),
            Client::Page if status == StatusCode::SEE_OTHER => String::new(),
            Client::Page => self.page(decision),
            Client::Script | Client::Native | Client::Bearer => {
                let rule = self.judged.map(|judged| &*judged.rule.id);
                json::render(&json::Error {
                    reason: decision.reason(),
                    status,
                    redirect,
                    rule,
                    request_id: self.request_id,
                })
            }
        }
    }

    fn page(&self, decision: &Decision) -> String {
        let reason = decision.reason();
        let body = match (decision, self.asked()) {
            (Decision::Keep(kept), Some(asked)) => {
                return resume::keep(kept, &asked, self.request_id);
            }
            (Decision::Resume(continued), _) => {
                return resume::continued(continued, self.request_id);
            }
            (Decision::Loop(looped), Some(asked)) => loop_page::body(looped, &asked),
            (Decision::Ambiguous, Some(asked)) => ambiguous::body(&asked),
            _ => page::body(reason),
        };
        page::render(reason, &body, self.request_id)
    }
}

/// RFC 9470 §3: what a bearer is told.
fn www_authenticate(decision: &Decision) -> Option<String> {
    match decision {
        Decision::Login => Some(r#"Bearer error="invalid_token""#.to_owned()),
        Decision::StepUp(StepUp { max_age, .. }) => {
            let description = words::of(decision.reason()).what;
            let max_age = max_age
                .map(|age| format!(r#", max_age="{}""#, age.as_secs()))
                .unwrap_or_default();
            let challenge = r#"Bearer error="insufficient_user_authentication""#;
            Some(format!(
                r#"{challenge}, error_description="{description}", acr_values="aal2"{max_age}"#
            ))
        }
        _ => None,
    }
}

/// Seconds until Kratos may be asked again: what it said, at least one and at most a minute.
fn retry_after(decision: &Decision) -> Option<u64> {
    match decision {
        Decision::Unavailable { retry_after } => {
            Some(retry_after.map_or(1, |wait: Duration| wait.as_secs().clamp(1, 60)))
        }
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests;

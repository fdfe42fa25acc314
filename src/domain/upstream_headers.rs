//! The identity headers that an allow sends upstream, and the ones of that name that it takes away.

use std::time::SystemTime;

use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{
    headers::Headers,
    request::{Facts, Reach, is_spelling_of},
    rule::Rule,
    session::Session,
};

/// Longest value in bytes; a longer one counts as unset.
const MAX_VALUE_BYTES: usize = 4 * 1024;

/// Everything but visible ASCII and blanks is percent-encoded, and so is `%` itself, so that decoding gives the value back.
const HIDDEN: &AsciiSet = &CONTROLS.add(b'%');

/// Where the value of an upstream header comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `identity.id`: the Kratos identity.
    IdentityId,
    /// `session.id`
    SessionId,
    /// `session.aal`
    SessionAal,
    /// `session.second_factor_at`: RFC 3339, in UTC.
    SecondFactorAt,
    /// `session.methods`: comma-joined.
    SessionMethods,
    /// `rule.id`
    RuleId,
}

impl Source {
    /// Every source with its name.
    pub const ALL: [(&'static str, Self); 6] = [
        ("identity.id", Self::IdentityId),
        ("session.id", Self::SessionId),
        ("session.aal", Self::SessionAal),
        ("session.second_factor_at", Self::SecondFactorAt),
        ("session.methods", Self::SessionMethods),
        ("rule.id", Self::RuleId),
    ];

    fn value(self, session: Option<&Session>, rule: &Rule) -> Option<String> {
        match self {
            Self::RuleId => Some(rule.id.to_string()),
            Self::IdentityId => Some(session?.subject.to_string()),
            Self::SessionId => Some(session?.id.to_string()),
            Self::SessionAal => Some(session?.aal.as_str().to_owned()),
            Self::SecondFactorAt => session?.second_factor_at(&[]).and_then(rfc3339),
            Self::SessionMethods => Some(methods(session?)),
        }
    }
}

fn rfc3339(time: SystemTime) -> Option<String> {
    Timestamp::try_from(time).ok().map(|time| time.to_string())
}

fn methods(session: &Session) -> String {
    session
        .methods
        .iter()
        .map(|method| &*method.name)
        .collect::<Vec<_>>()
        .join(",")
}

/// The configured headers, by name.
#[derive(Clone, Debug)]
pub struct UpstreamHeaders(Vec<(HeaderName, Source)>);

impl Default for UpstreamHeaders {
    /// `X-User-Id: identity.id` and `X-User-Aal: session.aal`.
    fn default() -> Self {
        let id = HeaderName::from_static("x-user-id");
        let aal = HeaderName::from_static("x-user-aal");
        Self(vec![(id, Source::IdentityId), (aal, Source::SessionAal)])
    }
}

/// What an allow does to the request's headers. No name is both set and removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mutations {
    /// Headers set, whatever the client sent under their names.
    pub set: Vec<(HeaderName, HeaderValue)>,
    /// Names removed, in lower case, as the request spells them.
    pub remove: Vec<String>,
}

impl UpstreamHeaders {
    /// The headers for an allowed request: set from the session and the rule, and otherwise removed in every spelling.
    #[must_use]
    pub fn mutations(
        &self,
        headers: &Headers,
        session: Option<&Session>,
        rule: &Rule,
    ) -> Mutations {
        let mut mutations = Mutations::default();
        for (name, source) in &self.0 {
            match source.value(session, rule).and_then(|value| encode(&value)) {
                Some(value) => mutations.set.push((name.clone(), value)),
                None => mutations.remove.push(name.as_str().to_owned()),
            }
        }
        mutations.remove.extend(self.other_spellings(headers));
        mutations
    }

    /// Whether the request carries a header that its upstream could take for one of ours, and that an allow can't undo.
    #[must_use]
    pub fn are_forged(&self, facts: &Facts) -> bool {
        match facts.reach {
            Reach::Edits => false,
            Reach::Copies => self.other_spellings(&facts.headers).next().is_some(),
            Reach::None => facts.headers.names().any(|name| {
                let mut ours = self.0.iter();
                ours.any(|(ours, _)| is_spelling_of(name, ours.as_str()))
            }),
        }
    }

    /// The request's own names that an upstream might take for one of ours.
    fn other_spellings(&self, headers: &Headers) -> impl Iterator<Item = String> {
        let is_ours = |name: &&[u8]| {
            self.0.iter().any(|(ours, _)| {
                is_spelling_of(name, ours.as_str())
                    && !name.eq_ignore_ascii_case(ours.as_str().as_bytes())
            })
        };
        headers
            .names()
            .filter(is_ours)
            .map(|name| String::from_utf8_lossy(name).to_ascii_lowercase())
    }
}

/// Visible ASCII, the rest percent-encoded.
fn encode(value: &str) -> Option<HeaderValue> {
    let text = utf8_percent_encode(value, HIDDEN).to_string();
    HeaderValue::from_str(&text)
        .ok()
        .filter(|text| text.len() <= MAX_VALUE_BYTES && !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{pattern::Methods, rule::Requirement, session::Aal};

    fn rule() -> Rule {
        Rule {
            id: "r".into(),
            hosts: vec![],
            paths: vec![],
            methods: Methods::All,
            requirement: Requirement::None,
            return_to: None,
        }
    }

    #[test]
    fn an_open_route_removes_what_it_does_not_set_in_every_spelling() {
        let headers = Headers::from_lines(&[
            ("x-user-id", "evil"),
            ("X_User_Id", "evil"),
            ("x.user-aal", "aal2"),
            ("x-other", ""),
        ]);
        let mutations = UpstreamHeaders::default().mutations(&headers, None, &rule());
        assert!(mutations.set.is_empty());
        assert_eq!(
            mutations.remove,
            ["x-user-id", "x-user-aal", "x_user_id", "x.user-aal"]
        );
    }

    #[test]
    fn no_name_is_both_set_and_removed() {
        let session = Session {
            id: "s".into(),
            subject: "ann".into(),
            aal: Aal::Aal2,
            methods: vec![],
        };
        let headers = Headers::from_lines(&[("x-user-id", "evil"), ("x_user_aal", "aal2")]);
        let mutations = UpstreamHeaders::default().mutations(&headers, Some(&session), &rule());
        let set: Vec<_> = mutations
            .set
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(set, [("x-user-id", "ann"), ("x-user-aal", "aal2")]);
        assert_eq!(mutations.remove, ["x_user_aal"]);
    }

    #[test]
    fn a_forged_header_is_refused_where_no_allow_can_undo_it() {
        let forged = |reach, name| {
            let headers = Headers::from_lines(&[("accept", "*/*"), (name, "root")]);
            UpstreamHeaders::default().are_forged(&Facts {
                headers,
                reach,
                ..Facts::default()
            })
        };
        let names = ["x-user-ids", "X-User-Id", "X_USER.ID"];
        assert_eq!(names.map(|name| forged(Reach::Edits, name)), [false; 3]);
        assert_eq!(
            names.map(|name| forged(Reach::Copies, name)),
            [false, false, true]
        );
        assert_eq!(
            names.map(|name| forged(Reach::None, name)),
            [false, true, true]
        );
    }

    #[test]
    fn a_value_that_is_not_visible_ascii_is_percent_encoded() {
        assert_eq!(encode("é%\r\n").unwrap(), "%C3%A9%25%0D%0A");
        assert_eq!(encode(&"a".repeat(4097)), None);
    }
}

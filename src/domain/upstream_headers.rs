//! The identity headers that an allow sends upstream, and the ones of that name that it takes away.

use std::{borrow::Cow, time::SystemTime};

use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{
    claim::{Claim, Pointer},
    headers::Headers,
    request::{Facts, Reach, is_spelling_of},
    rule::Rule,
    session::Session,
};

/// Longest value in bytes; a longer one counts as unset.
const MAX_VALUE_BYTES: usize = 4 * 1024;

/// Everything but visible ASCII and blanks is percent-encoded, and so is `%` itself, so that decoding gives the value back.
const VALUE: &AsciiSet = &CONTROLS.add(b'%');
/// Within a list, so is a comma.
const ELEMENT: &AsciiSet = &VALUE.add(b',');

/// Where the value of an upstream header comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `identity.id`: the Kratos identity.
    IdentityId,
    /// `identity.<json pointer>`: what stands there in the identity.
    Claim(Pointer),
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

/// Why a source was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a value is `identity.id`, `identity.` and a JSON pointer, `session.id`, `session.aal`, `session.second_factor_at`, `session.methods` or `rule.id`"
)]
pub struct SourceError;

impl Source {
    /// Reads a source.
    ///
    /// # Errors
    /// [`SourceError`] where it names none.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let pointer = text
            .strip_prefix("identity.")
            .and_then(|rest| Pointer::parse(rest).ok());
        match (text, pointer) {
            (_, Some(pointer)) => Ok(Self::Claim(pointer)),
            ("identity.id", _) => Ok(Self::IdentityId),
            ("session.id", _) => Ok(Self::SessionId),
            ("session.aal", _) => Ok(Self::SessionAal),
            ("session.second_factor_at", _) => Ok(Self::SecondFactorAt),
            ("session.methods", _) => Ok(Self::SessionMethods),
            ("rule.id", _) => Ok(Self::RuleId),
            _ => Err(SourceError),
        }
    }

    /// The pointer it looks at, if it does.
    #[must_use]
    pub fn pointer(&self) -> Option<&Pointer> {
        match self {
            Self::Claim(pointer) => Some(pointer),
            _ => None,
        }
    }

    /// The value, encoded; `None` counts as unset.
    fn value(&self, session: Option<&Session>, rule: &Rule) -> Option<String> {
        match self {
            Self::RuleId => Some(encode(&rule.id, VALUE)),
            Self::IdentityId => Some(encode(&session?.subject, VALUE)),
            Self::SessionId => Some(encode(&session?.id, VALUE)),
            Self::SessionAal => Some(session?.aal.as_str().to_owned()),
            Self::SecondFactorAt => session?.second_factor_at(&[]).and_then(rfc3339),
            Self::SessionMethods => Some(join(session?.methods.iter().map(|method| &*method.name))),
            Self::Claim(pointer) => claim(session?.claims.get(pointer)?),
        }
    }
}

/// A list with an element that can't be sent is not sent at all.
fn claim(claim: &Claim) -> Option<String> {
    match claim {
        Claim::One(one) => Some(encode(&one.to_string(), VALUE)),
        Claim::Many(many) => {
            let texts = many
                .iter()
                .map(|element| Some(element.as_ref()?.to_string()));
            Some(join(
                texts
                    .collect::<Option<Vec<_>>>()?
                    .iter()
                    .map(String::as_str),
            ))
        }
    }
}

fn rfc3339(time: SystemTime) -> Option<String> {
    Timestamp::try_from(time).ok().map(|time| time.to_string())
}

fn join<'a>(elements: impl Iterator<Item = &'a str>) -> String {
    elements
        .map(|element| encode(element, ELEMENT))
        .collect::<Vec<_>>()
        .join(",")
}

fn encode(text: &str, set: &'static AsciiSet) -> String {
    Cow::from(utf8_percent_encode(text, set)).into_owned()
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
    /// These headers, no two of which an upstream could take for one.
    #[must_use]
    pub fn new(headers: Vec<(HeaderName, Source)>) -> Self {
        Self(headers)
    }

    /// What is asked to be known of an identity.
    pub fn pointers(&self) -> impl Iterator<Item = &Pointer> {
        self.0.iter().filter_map(|(_, source)| source.pointer())
    }

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
            match source.value(session, rule).and_then(header_value) {
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

/// A value that is empty or too long counts as unset.
fn header_value(text: String) -> Option<HeaderValue> {
    let fits = !text.is_empty() && text.len() <= MAX_VALUE_BYTES;
    HeaderValue::try_from(text).ok().filter(|_| fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        claim::{Claims, Scalar},
        pattern::Methods,
        rule::{Mode, Requirement},
        session::Aal,
    };

    fn session() -> Session {
        Session {
            id: "s".into(),
            subject: "ann".into(),
            aal: Aal::Aal2,
            methods: vec![],
            claims: Claims::default(),
        }
    }

    fn rule() -> Rule {
        Rule {
            id: "r".into(),
            hosts: vec![],
            paths: vec![],
            methods: Methods::All,
            requirement: Requirement::None,
            mode: Mode::Enforce,
            return_to: None,
            resume: false,
            cache: None,
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
        let session = session();
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
    fn what_is_not_visible_ascii_is_percent_encoded_and_a_comma_in_a_list_too() {
        let pointer = |text: &str| Pointer::parse(text).unwrap();
        let text = |text: &str| Scalar::Text(text.into());
        let claims = vec![
            (pointer("/one"), Claim::One(text("é%, \r\n"))),
            (pointer("/long"), Claim::One(text(&"a".repeat(4097)))),
            (
                pointer("/many"),
                Claim::Many(vec![
                    Some(text("a,b")),
                    Some(Scalar::Bool(true)),
                    Some(Scalar::Number("5".into())),
                ]),
            ),
            (pointer("/mixed"), Claim::Many(vec![Some(text("a")), None])),
        ];
        let session = Session {
            claims: Claims::new(claims),
            ..session()
        };
        let value = |source: &str| {
            let name = HeaderName::from_static("x-value");
            let headers = UpstreamHeaders::new(vec![(name, Source::parse(source).unwrap())]);
            let mutations = headers.mutations(&Headers::default(), Some(&session), &rule());
            mutations
                .set
                .first()
                .map(|(_, value)| value.to_str().unwrap().to_owned())
        };
        assert_eq!(value("identity./one").unwrap(), "%C3%A9%25, %0D%0A");
        assert_eq!(value("identity./many").unwrap(), "a%2Cb,true,5");
        for unset in [
            "identity./long",
            "identity./mixed",
            "identity./none",
            "session.second_factor_at",
            "session.methods",
        ] {
            assert_eq!(value(unset), None, "{unset}");
        }
        assert_eq!(value("identity.id").unwrap(), "ann");
        assert_eq!(value("rule.id").unwrap(), "r");
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
}

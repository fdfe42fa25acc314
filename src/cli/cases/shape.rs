//! The shape of a case file: every key, its place kept for the faults found later.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_saphyr::Spanned;

use super::{DOORS, expect, request, session};
use crate::config::{self, Collector};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) config: config::File,
    pub(super) cases: Spanned<Vec<Case>>,
}

/// `cases[]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    name: Spanned<String>,
    request: Spanned<Request>,
    session: Option<Spanned<Session>>,
    expect: Spanned<Expect>,
    #[serde(default)]
    not_for: BTreeMap<String, Spanned<String>>,
}

/// `cases[].request`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) method: Option<String>,
    pub(super) url: Option<Spanned<String>>,
    pub(super) host: Option<String>,
    pub(super) target: Option<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Lines>,
    #[serde(default)]
    pub(super) context_extensions: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) joined: bool,
    #[serde(default)]
    pub(super) body: String,
}

/// A header's line, or its lines.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "a text, or a list of texts")]
pub(super) enum Lines {
    One(String),
    Many(Vec<String>),
}

/// `cases[].session`
#[derive(Debug)]
pub(super) enum Session {
    Word(String),
    Written(Box<Written>),
}

/// `{aal, methods, identity, set_up}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) aal: Spanned<String>,
    #[serde(default)]
    pub(super) methods: Vec<Used>,
    pub(super) identity: Option<serde_json::Map<String, serde_json::Value>>,
    pub(super) set_up: Option<Vec<Spanned<String>>>,
}

/// `{method, aal, age}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Used {
    pub(super) method: String,
    pub(super) aal: Option<Spanned<String>>,
    pub(super) age: Option<Spanned<String>>,
}

/// `cases[].expect`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    pub(super) decision: Option<String>,
    pub(super) status: Option<u16>,
    pub(super) reason: Option<String>,
    pub(super) lifted: Option<String>,
    pub(super) rule: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) location: Option<Option<String>>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Option<Lines>>,
}

/// A key that is written, even as `null`.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Case {
    /// What the case means; `None` after noting why it means nothing.
    pub(super) fn check(&self, faults: &mut Collector) -> Option<super::Case> {
        let request = request::check(faults, &self.request);
        let said = session::check(faults, self.session.as_ref());
        let expect = expect::check(faults, &self.expect);
        for (door, reason) in &self.not_for {
            if !DOORS.contains(&&**door) {
                let doors = DOORS.join("`, `");
                faults.add(
                    reason.referenced,
                    format_args!("`{door}` is no door; there are `{doors}`"),
                );
            }
        }
        let not_for = self.not_for.iter();
        Some(super::Case {
            name: (&*self.name.value).into(),
            line: self.name.referenced.line(),
            request: request?,
            said: said?,
            expect: expect?,
            not_for: not_for
                .map(|(door, reason)| ((&**door).into(), (&*reason.value).into()))
                .collect(),
        })
    }
}

impl Lines {
    /// The lines, one or many.
    pub(super) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(line) => vec![line],
            Self::Many(lines) => lines,
        }
    }
}

impl<'de> Deserialize<'de> for Session {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrMap;
        impl<'de> Visitor<'de> for WordOrMap {
            type Value = Session;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word such as `aal1`, or a map such as `{aal: aal2, methods: [{method: totp, aal: aal2, age: 5m}]}`")
            }

            fn visit_str<E>(self, text: &str) -> Result<Session, E> {
                Ok(Session::Word(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Session, A::Error> {
                Written::deserialize(MapAccessDeserializer::new(map))
                    .map(|written| Session::Written(Box::new(written)))
            }
        }
        deserializer.deserialize_any(WordOrMap)
    }
}

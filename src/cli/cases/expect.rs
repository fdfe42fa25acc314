//! The answer that a case wants, and how it differs from the one that was heard.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use serde_saphyr::Spanned;

use super::shape;
use crate::{
    authorizer::Answer,
    config::Collector,
    domain::reply::{Refusal, Reply, Through},
};

/// What an answer must be, as far as it is named.
#[derive(Debug, Default)]
pub struct Expect {
    /// Single facts, in the order they are shown.
    words: Vec<(&'static str, String)>,
    /// Where it sends the client; `Some(None)`: nowhere.
    location: Option<Option<String>>,
    /// Headers by name in lower case; `None` for one that must not be there.
    headers: BTreeMap<String, Option<Vec<String>>>,
}

/// An answer, whichever way it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The HTTP status; 200 for an allow.
    pub status: u16,
    /// The decision's word, where the door tells it.
    pub decision: Option<String>,
    /// The reason's word, where the door tells it.
    pub reason: Option<String>,
    /// The decision that a rule in shadow did not enforce, or nothing; no door tells it.
    pub lifted: Option<String>,
    /// The rule's id, where the door tells it.
    pub rule: Option<String>,
    /// By name in lower case: the headers of a refusal, or those that an allow sets for the upstream.
    pub headers: BTreeMap<String, Vec<String>>,
    /// Names that an allow takes away from the request, sorted.
    pub removed: Vec<String>,
    /// The body of a refusal.
    pub body: String,
}

/// One thing that is not as wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// What: `status`, or `headers.vary`.
    pub key: String,
    /// The value wanted; empty for none.
    pub want: String,
    /// The value heard; empty for none.
    pub got: String,
}

/// What is written, or `None` after noting that nothing is.
pub(super) fn check(faults: &mut Collector, written: &Spanned<shape::Expect>) -> Option<Expect> {
    let expect = &written.value;
    let words = [
        ("decision", expect.decision.clone()),
        ("status", expect.status.map(|status| status.to_string())),
        ("reason", expect.reason.clone()),
        ("lifted", expect.lifted.clone()),
        ("rule", expect.rule.clone()),
    ];
    let words: Vec<_> = words
        .into_iter()
        .filter_map(|(key, word)| Some((key, word?)))
        .collect();
    if words.is_empty() && expect.location.is_none() && expect.headers.is_empty() {
        faults.add(
            written.referenced,
            "`expect` is empty; name what must hold, such as `decision: step_up`",
        );
        return None;
    }
    let headers = expect.headers.iter().map(|(name, lines)| {
        (
            name.to_ascii_lowercase(),
            lines.clone().map(shape::Lines::into_vec),
        )
    });
    Some(Expect {
        words,
        location: expect.location.clone(),
        headers: headers.collect(),
    })
}

impl Expect {
    /// Everything that is not as wanted. What a door doesn't tell can't be missed there.
    #[must_use]
    pub fn misses(&self, heard: &Heard) -> Vec<Miss> {
        let words = self
            .words
            .iter()
            .filter_map(|(key, want)| Some(Miss::new(key, want, &heard.word(key)?)));
        let location = self
            .location
            .iter()
            .map(|want| Miss::new("location", text(want.as_ref()), &heard.location()));
        let headers = self.headers.iter().map(|(name, want)| {
            let want = want
                .as_ref()
                .map_or(String::new(), |lines| lines.join("\n"));
            let key = format!("headers.{name}");
            Miss::new(&key, &want, &heard.header(name, want.is_empty()))
        });
        words
            .chain(location)
            .chain(headers)
            .filter(|miss| miss.want != miss.got)
            .collect()
    }
}

fn text(value: Option<&String>) -> &str {
    value.map_or("", String::as_str)
}

impl Miss {
    fn new(key: &str, want: &str, got: &str) -> Self {
        Self {
            key: key.to_owned(),
            want: want.to_owned(),
            got: got.to_owned(),
        }
    }
}

impl Heard {
    /// Where it sends the client: the `Location`, or `redirect_browser_to` in a JSON body; empty for nowhere.
    #[must_use]
    pub fn location(&self) -> String {
        let named = self.headers.get("location").and_then(|lines| lines.first());
        let told = || {
            let body: serde_json::Value = serde_json::from_str(&self.body).ok()?;
            Some(body.get("redirect_browser_to")?.as_str()?.to_owned())
        };
        named.cloned().or_else(told).unwrap_or_default()
    }

    fn word(&self, key: &str) -> Option<String> {
        match key {
            "decision" => self.decision.clone(),
            "status" => Some(self.status.to_string()),
            "reason" => self.reason.clone(),
            "lifted" => self.lifted.clone(),
            _ => self.rule.clone(),
        }
    }

    /// The lines of a header. Where an allow must keep it from the upstream, it is not enough that nothing sets it.
    fn header(&self, name: &str, is_unwanted: bool) -> String {
        let is_kept = self.status == 200 && !self.removed.iter().any(|gone| gone == name);
        match self.headers.get(name) {
            Some(lines) => lines.join("\n"),
            None if is_unwanted && is_kept => "(what the client sent)".to_owned(),
            None => String::new(),
        }
    }
}

impl From<Answer> for Heard {
    fn from(answer: Answer) -> Self {
        let heard = match answer.reply {
            Reply::Through(Through { mutations, .. }) => Self {
                status: 200,
                headers: by_name(&mutations.set),
                removed: sorted(mutations.remove),
                ..Self::default()
            },
            Reply::Refused(Refusal {
                status,
                headers,
                body,
                ..
            }) => Self {
                status: status.as_u16(),
                headers: by_name(&headers),
                body,
                ..Self::default()
            },
        };
        let lifted = answer.lifted.map(|verdict| verdict.decision);
        Self {
            decision: Some(answer.decision.to_owned()),
            reason: Some(answer.reason.to_owned()),
            lifted: Some(lifted.unwrap_or_default().to_owned()),
            rule: Some(answer.rule.into()),
            ..heard
        }
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

fn by_name(lines: &[(HeaderName, HeaderValue)]) -> BTreeMap<String, Vec<String>> {
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in lines {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers
            .entry(name.as_str().to_owned())
            .or_default()
            .push(value);
    }
    headers
}

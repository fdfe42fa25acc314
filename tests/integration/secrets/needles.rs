//! What must not be found, and how it is looked for.

use std::collections::HashMap;

use percent_encoding::percent_decode;
use serde_json::Value;
use stepgate::domain::request::Facts;

use super::inputs::{Input, lines};

/// What is shorter may stand anywhere by chance.
const SHORTEST: usize = 8;

/// Headers that are secrets as a whole.
const CREDENTIALS: [&str; 4] = ["cookie", "authorization", "x-session-token", "set-cookie"];
/// Headers that hold an address, whose query is a secret.
const ADDRESSES: [&str; 4] = [
    "referer",
    "x-return-to",
    "x-forwarded-uri",
    "x-original-url",
];

/// Secrets, by their first bytes.
#[derive(Debug, Default)]
pub(super) struct Needles(HashMap<[u8; SHORTEST], HashMap<Vec<u8>, &'static str>>);

impl Needles {
    pub(super) fn add(&mut self, what: &'static str, secret: &[u8]) {
        let secret = secret.trim_ascii();
        if let Some(start) = secret.first_chunk() {
            let alike = self.0.entry(*start).or_default();
            alike.insert(secret.to_vec(), what);
        }
    }

    /// All that is secret in a request.
    pub(super) fn add_all(&mut self, input: &Input) {
        let facts: &Facts = input.facts();
        self.add_query(&facts.target);
        self.add("a body", input.body());
        for (name, value) in lines(facts) {
            let name = String::from_utf8_lossy(&name).to_lowercase();
            if CREDENTIALS.contains(&name.as_str()) {
                self.add_parts(&value);
            } else if ADDRESSES.contains(&name.as_str()) {
                self.add_query(&value);
            }
        }
    }

    /// A credential, and what it is made of.
    fn add_parts(&mut self, value: &[u8]) {
        self.add("a credential", value);
        for part in value.split(|&b| b";, ".contains(&b)) {
            self.add("a part of a credential", part);
            let mut pair = part.splitn(2, |&b| b == b'=');
            let (_, value) = (pair.next(), pair.next());
            self.add("a cookie", value.unwrap_or_default());
        }
    }

    /// A query, and its values as they are and decoded.
    fn add_query(&mut self, target: &[u8]) {
        let Some(query) = target.splitn(2, |&b| b == b'?').nth(1) else {
            return;
        };
        self.add("a query", query);
        for pair in query.split(|&b| b == b'&') {
            let value = pair.splitn(2, |&b| b == b'=').nth(1).unwrap_or(pair);
            self.add("a query value", value);
            let decoded: Vec<u8> = percent_decode(value).collect();
            self.add("a query value", &decoded);
        }
    }

    /// Leaves out what is said openly as well, so that finding it proves nothing: `/transfer` may be a value of a query, and is
    /// a path all the same.
    pub(super) fn forgive(&mut self, open: &[u8]) {
        let known = self.found_as_is(open);
        for alike in self.0.values_mut() {
            alike.retain(|secret, what| !known.contains(&told(secret, what)));
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.values().map(HashMap::len).sum()
    }

    /// Which of them an output holds, as it is or inside of JSON.
    pub(super) fn found_in(&self, output: &[u8]) -> Vec<String> {
        let mut found = self.found_as_is(output);
        for line in output.split(|&b| b == b'\n') {
            if let Ok(json) = serde_json::from_slice::<Value>(line) {
                let mut texts = String::new();
                gather(&json, &mut texts);
                found.extend(self.found_as_is(texts.as_bytes()));
            }
        }
        found.sort();
        found.dedup();
        found
    }

    fn found_as_is(&self, output: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        for (at, window) in output.windows(SHORTEST).enumerate() {
            let Some(alike) = self.0.get(window) else {
                continue;
            };
            let rest = output.get(at..).unwrap_or_default();
            let here = alike.iter().filter(|(secret, _)| rest.starts_with(secret));
            found.extend(here.map(|(secret, what)| told(secret, what)));
        }
        found
    }
}

fn told(secret: &[u8], what: &str) -> String {
    format!("{what}: `{}`", String::from_utf8_lossy(secret))
}

/// Every text in it.
fn gather(json: &Value, texts: &mut String) {
    match json {
        Value::String(text) => {
            texts.push_str(text);
            texts.push('\n');
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, texts)),
        Value::Object(members) => members.values().for_each(|value| gather(value, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

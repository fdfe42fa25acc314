//! The fields that a body carries, as Kratos reads it: a form, or one flat JSON object.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use crate::domain::{
    form::{Field, urlencoded},
    request::Facts,
};

/// The fields, in their order and as often as they came; `None` where there is no whole body, or none that can be read
/// without doubt.
pub(super) fn fields(facts: &Facts) -> Option<Vec<Field>> {
    let body = facts.body.as_deref()?;
    match &*media_type(facts)? {
        b"application/x-www-form-urlencoded" => of_form(body),
        b"application/json" => of_json(body),
        _ => None,
    }
}

/// The type that is named once, without its parameters, in lower case. Where a comma may stand for a line's end, it may hold
/// two.
fn media_type(facts: &Facts) -> Option<Vec<u8>> {
    let mut types = facts.headers.all(b"content-type");
    let named = types.next().filter(|_| types.next().is_none())?;
    let essence = named.split(|&b| b == b';').next()?.trim_ascii();
    (!named.contains(&b',')).then(|| essence.to_ascii_lowercase())
}

/// Some servers end a field at a `;` too.
fn of_form(body: &[u8]) -> Option<Vec<Field>> {
    (!body.contains(&b';')).then(|| urlencoded(body))?
}

/// Text that is no UTF-8 is no JSON, also where nobody reads it.
fn of_json(body: &[u8]) -> Option<Vec<Field>> {
    let text = std::str::from_utf8(body).ok()?;
    let members: Members = serde_json::from_str(text).ok()?;
    Some(members.0)
}

/// Every member of an object, also those of one name.
struct Members(Vec<Field>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object without objects or lists in it")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut all = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Scalar>()? {
                    all.push(Field {
                        name: name.into_bytes(),
                        value: value.into_text().into_bytes(),
                    });
                }
                Ok(Members(all))
            }
        }
        deserializer.deserialize_map(All)
    }
}

/// A value with nothing in it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Switch(bool),
    Nothing(()),
}

impl Scalar {
    /// As Kratos makes a form's field of it.
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Switch(is_on) => is_on.to_string(),
            Self::Nothing(()) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::domain::{body::Body, headers::Headers};

    fn read(types: &[&str], body: &str) -> Option<Vec<(String, String)>> {
        let line = |text: &&str| (Bytes::from("content-type"), Bytes::from((*text).to_owned()));
        let facts = Facts {
            headers: Headers::raw(types.iter().map(line).collect()),
            body: Body::new(Bytes::from(body.to_owned())),
            ..Facts::default()
        };
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let fields = fields(&facts)?.into_iter();
        Some(
            fields
                .map(|field| (text(field.name), text(field.value)))
                .collect(),
        )
    }

    fn pairs(pairs: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        let own = pairs
            .iter()
            .map(|&(name, value)| (name.into(), value.into()));
        Some(own.collect())
    }

    #[test]
    fn a_form_and_a_flat_object_hold_fields() {
        let form = ["application/x-www-form-urlencoded"];
        let json = ["Application/JSON; charset=utf-8"];
        let both = pairs(&[("method", "totp"), ("method", "a b")]);
        assert_eq!(read(&form, "method=totp&method=a+b"), both);
        assert_eq!(
            read(&json, r#"{"method":"totp","m\u0065thod":"a b"}"#),
            both
        );
        assert_eq!(
            read(&json, r#"{"a":true,"b":null}"#),
            pairs(&[("a", "true"), ("b", "")])
        );
        assert_eq!(read(&json, "{}"), pairs(&[]));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_read() {
        for (types, body) in [
            (&[][..], "method=totp"),
            (&["text/plain"], "method=totp"),
            (&["multipart/form-data; boundary=x"], "--x"),
            (&["application/x-www-form-urlencoded"], "method=totp;link=x"),
            (&["application/x-www-form-urlencoded"], "method=%"),
            (
                &["application/x-www-form-urlencoded, application/json"],
                "method=totp",
            ),
            (&["application/json", "application/json"], "{}"),
            (&["application/json"], r#"{"method":"totp"}{"link":"x"}"#),
            (&["application/json"], r#"{"method":["totp"]}"#),
            (&["application/json"], r#"{"method":{"x":"totp"}}"#),
            (&["application/json"], r#"["totp"]"#),
            (&["application/json"], "\u{feff}{}"),
            (&["application/json"], r#"{"method":"\ud800"}"#),
            (&["application/json"], ""),
            (&["application/json"], "null"),
        ] {
            assert_eq!(read(types, body), None, "{types:?} {body}");
        }
    }
}

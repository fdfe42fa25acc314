//! The JSON body of a refusal, in the shape of Kratos' errors.

use std::fmt::Write;

use http::StatusCode;

use super::words;
use crate::domain::reason::Reason;

/// What the body says.
pub(super) struct Error<'a> {
    pub(super) reason: Reason,
    pub(super) status: StatusCode,
    pub(super) redirect: Option<&'a str>,
    pub(super) rule: Option<&'a str>,
    pub(super) request_id: &'a str,
}

pub(super) fn render(error: &Error<'_>) -> String {
    let words = words::of(error.reason);
    let id = quote(error.reason.as_str());
    let status = quote(error.status.canonical_reason().unwrap_or_default());
    let mut body = format!(
        r#"{{"error":{{"id":{id},"code":{},"status":{status},"reason":{},"message":{}}},"error_id":{id}"#,
        error.status.as_u16(),
        quote(words.what),
        quote(words.mend),
    );
    let members = [
        ("redirect_browser_to", error.redirect),
        ("rule", error.rule),
        ("request_id", Some(error.request_id)),
    ];
    for (name, value) in members {
        body.extend(value.map(|value| format!(r#","{name}":{}"#, quote(value))));
    }
    body.push('}');
    body
}

/// A JSON string.
fn quote(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                // Writing to a string can't fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_a_json_string() {
        for text in ["", "plain", "\"\\\u{0}\n\u{7f}é😀\u{2028}"] {
            let parsed: serde_json::Value = serde_json::from_str(&quote(text)).unwrap();
            assert_eq!(parsed, text);
        }
    }
}

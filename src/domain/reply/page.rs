//! The one page that people see when a challenge can't help them: plain, without script or outside assets.

use super::words;
use crate::domain::reason::Reason;

const TEMPLATE: &str = include_str!("page.html");

/// What happened, and what to do.
pub(super) fn body(reason: Reason) -> String {
    let words = words::of(reason);
    format!("<p>{}</p>\n<p>{}</p>", words.what, words.mend)
}

/// The page around a body, under the reason's own title.
pub(super) fn render(reason: Reason, body: &str, request_id: &str) -> String {
    titled(words::of(reason).title, reason, body, request_id)
}

/// The same under another title. The request id is a token, so it needs no escaping.
pub(super) fn titled(title: &str, reason: Reason, body: &str, request_id: &str) -> String {
    let fields = [
        ("{title}", title),
        ("{reason}", reason.as_str()),
        ("{request_id}", request_id),
        ("{body}", body),
    ];
    fields
        .iter()
        .fold(TEMPLATE.to_owned(), |page, (name, value)| {
            page.replace(name, value)
        })
}

/// For text in an attribute between double quotes.
pub(super) fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('"', "&quot;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

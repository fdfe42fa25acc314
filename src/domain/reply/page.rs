//! The one page that people see when a challenge can't help them: plain, without script or outside assets.

use super::words;
use crate::domain::reason::Reason;

const TEMPLATE: &str = include_str!("page.html");

/// The page for a reason. The request id is a token, so it needs no escaping.
pub(super) fn render(reason: Reason, request_id: &str) -> String {
    let words = words::of(reason);
    let fields = [
        ("{title}", words.title),
        ("{what}", words.what),
        ("{mend}", words.mend),
        ("{reason}", reason.as_str()),
        ("{request_id}", request_id),
    ];
    fields
        .iter()
        .fold(TEMPLATE.to_owned(), |page, (name, value)| {
            page.replace(name, value)
        })
}

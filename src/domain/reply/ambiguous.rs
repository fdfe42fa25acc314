//! What ends two sessions at once: the page takes the session cookie away wherever it may have been set, and leads to log in.

use http::HeaderValue;

use super::page;
use crate::domain::{
    challenge::{self, Asked},
    decision::Decision,
    pattern::parents,
    reason::Reason,
};

/// Longest link; the page stays under 4 KiB with it.
const MAX_LINK_BYTES: usize = 1024;

/// The page's body.
pub(super) fn body(asked: &Asked<'_>) -> String {
    let words = page::body(Reason::SessionAmbiguous);
    let address = challenge::shortened(&Decision::Login, asked, MAX_LINK_BYTES);
    let link = address.map(|address| page::escape(&address));
    let link = link.map(|address| format!("\n<p><a href=\"{address}\">Log in again</a></p>"));
    format!("{words}{}", link.unwrap_or_default())
}

/// The cookie's end on this very host, and on each domain above it: whichever of them set it twice, it is gone. A domain
/// that takes no cookies, such as `com`, is left out where it has one label.
pub(super) fn expiry(asked: &Asked<'_>) -> Vec<HeaderValue> {
    let name = &asked.site.domain.cookie;
    let host = asked.request.authority.host.as_str();
    let above = parents(host).filter(|parent| parent.contains('.') && !host.starts_with('['));
    let domains = [host]
        .into_iter()
        .chain(above)
        .map(|domain| format!("; Domain={domain}"));
    let lines = [String::new()].into_iter().chain(domains);
    lines
        .filter_map(|domain| {
            HeaderValue::try_from(format!("{name}=; Path=/; Max-Age=0{domain}")).ok()
        })
        .collect()
}

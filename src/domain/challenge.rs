//! Where a challenge sends someone, and where it brings them back to.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use url::Url;

use super::{
    client::Client,
    decision::{Decision, StepUp},
    headers::Headers,
    identity_domain::{IdentityDomain, Refresh},
    origin::Origin,
    policy::{Policy, Site},
    request::Request,
    rule::Rule,
    settings::SETTINGS_RULE,
};

/// Longest `Location` in bytes.
const MAX_LOCATION_BYTES: usize = 4 * 1024;
/// Longest address in a JSON body, which stays under 4 KiB with all else in it.
const MAX_BODY_ADDRESS_BYTES: usize = 3 * 1024;

/// What most addresses need beside their own bytes.
const ROOM_FOR_ESCAPES: usize = 64;

/// What `encodeURIComponent` encodes.
pub const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Kratos' flows, up to the `return_to`.
const LOGIN: &str = "/self-service/login/browser?";
const STEP_UP: &str = "/self-service/login/browser?aal=aal2&";
const REFRESH: &str = "/self-service/login/browser?aal=aal2&refresh=true&";
const SETTINGS: &str = "/self-service/settings/browser?";

/// What a return address is made from.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The configuration.
    pub policy: &'a Policy,
    /// Where the request belongs.
    pub site: &'a Site<'a>,
    /// The request.
    pub request: &'a Request,
    /// Its headers.
    pub headers: &'a Headers,
    /// Its client.
    pub client: Client,
    /// Its rule.
    pub rule: &'a Rule,
}

/// The `Location` of a challenge: `None` for a decision that sends nobody anywhere.
#[must_use]
pub fn location(decision: &Decision, asked: &Asked<'_>) -> Option<String> {
    let max_bytes = match asked.client {
        Client::Page => MAX_LOCATION_BYTES,
        _ => MAX_BODY_ADDRESS_BYTES,
    };
    shortened(decision, asked, max_bytes)
}

/// The same in at most this many bytes, with a shorter return address if need be.
#[must_use]
pub fn shortened(decision: &Decision, asked: &Asked<'_>, max_bytes: usize) -> Option<String> {
    within(max_bytes, &start(decision, asked.site.domain)?, asked)
}

/// The same with a return address that is a path on the request's own origin.
#[must_use]
pub fn by_way_of(decision: &Decision, site: &Site<'_>, path: &str) -> Option<String> {
    let address = format!("{}{path}", site.origin);
    let return_to = percent_encode(address.as_bytes(), COMPONENT);
    let start = start(decision, site.domain)?;
    Some(format!("{start}return_to={return_to}"))
}

/// Where the person changes what they prove themselves with, in at most this many bytes.
#[must_use]
pub fn settings(asked: &Asked<'_>, max_bytes: usize) -> Option<String> {
    within(max_bytes, &settings_start(asked.site.domain), asked)
}

/// A flow with its return address: whole, or without what is too long.
fn within(max_bytes: usize, start: &str, asked: &Asked<'_>) -> Option<String> {
    let return_to = asked.return_to();
    let origin = return_to.origin.to_string();
    let whole = |target: &[u8]| {
        let address = [origin.as_bytes(), target].concat();
        let bytes = start.len().saturating_add(ROOM_FOR_ESCAPES);
        let mut form = String::with_capacity(bytes.saturating_add(address.len()));
        form.extend([start, "return_to="]);
        form.extend(percent_encode(&address, COMPONENT));
        form
    };
    let targets = [&*return_to.target, return_to.without_query(), b"/"];
    let mut forms = targets.into_iter().map(whole);
    forms.find(|form| form.len() <= max_bytes)
}

/// The flow, up to its `return_to`.
fn start(decision: &Decision, domain: &IdentityDomain) -> Option<String> {
    let flow = match decision {
        Decision::Login => LOGIN,
        Decision::StepUp(StepUp { is_stale, .. })
            if *is_stale || domain.refresh == Refresh::Always =>
        {
            REFRESH
        }
        Decision::StepUp(_) => STEP_UP,
        Decision::Enrol => SETTINGS,
        _ => return None,
    };
    Some([domain.browser_url.as_str(), flow].concat())
}

fn settings_start(domain: &IdentityDomain) -> String {
    [domain.browser_url.as_str(), SETTINGS].concat()
}

/// An address on a guarded origin. Scheme, host and port are the configured origin's, never a client's own words.
struct ReturnTo {
    origin: Origin,
    target: Vec<u8>,
}

impl ReturnTo {
    fn without_query(&self) -> &[u8] {
        self.target
            .split(|b| b"?#".contains(b))
            .next()
            .unwrap_or_default()
    }
}

impl Asked<'_> {
    /// For a page that a link may repeat, the page itself; else the first address that is given and lies in the identity domain.
    fn return_to(&self) -> ReturnTo {
        // What was held in Kratos' settings may hold a password, and no link may send it again.
        let is_held = &*self.rule.id == SETTINGS_RULE;
        if self.client == Client::Page && self.request.is_repeatable() && !is_held {
            return self.here(self.request.target.to_vec());
        }
        let header = |name| {
            self.headers
                .first(name)
                .and_then(|value| self.trusted(value))
        };
        header(b"x-return-to")
            .or_else(|| {
                self.rule
                    .return_to
                    .as_deref()
                    .and_then(|text| self.trusted(text.as_bytes()))
            })
            .or_else(|| header(b"referer"))
            .unwrap_or_else(|| self.here(b"/".to_vec()))
    }

    fn here(&self, target: Vec<u8>) -> ReturnTo {
        ReturnTo {
            origin: self.site.origin.clone(),
            target,
        }
    }

    /// Rebuilds an address that somebody wrote down, if it is a path or lies on an origin of this identity domain.
    fn trusted(&self, text: &[u8]) -> Option<ReturnTo> {
        let text = std::str::from_utf8(text).ok()?;
        if text.contains('\\') || text.bytes().any(|b| b <= b' ' || b == 0x7f) {
            return None;
        }
        let here = self.site.origin.to_string();
        let is_path = text.starts_with('/') && !text.starts_with("//");
        let url = if is_path {
            Url::parse(&here).ok()?.join(text).ok()?
        } else {
            Url::parse(text).ok()?
        };
        if !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let (origin, domain) = self.policy.origins.of_link(&url)?;
        (domain == self.site.domain_id).then(|| ReturnTo {
            origin,
            target: target_of(&url),
        })
    }
}

fn target_of(url: &Url) -> Vec<u8> {
    let query = url
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let fragment = url
        .fragment()
        .map(|fragment| format!("#{fragment}"))
        .unwrap_or_default();
    format!("{}{query}{fragment}", url.path()).into_bytes()
}

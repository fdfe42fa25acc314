use url::form_urlencoded::byte_serialize;

use super::Place;
use super::browser::{Answer, Browser, Http};
use super::tale::{End, Tale, same};
use crate::origins::host;

const ASKED: &str = "/transfer?to=Hermes&amount=250";

/// A part of the story: a new browser, and an empty ledger.
pub(super) struct Part<'a> {
    pub(super) place: &'a Place,
    pub(super) tale: &'a mut Tale,
    pub(super) browser: Browser,
    /// The page that the whole part is about.
    pub(super) asked: String,
}

impl<'a> Part<'a> {
    pub(super) fn new(place: &'a Place, http: Http, tale: &'a mut Tale) -> Result<Self, End> {
        place.ledger.clear();
        let hosts = [place.app.as_str(), place.ciam.as_str()].map(host);
        let browser = Browser::new(http, &hosts, place.envoy).map_err(|error| error.to_string());
        let browser = tale.step(format!("a new browser, {http}"), browser)?;
        Ok(Self {
            place,
            tale,
            browser,
            asked: format!("{}{ASKED}", place.app),
        })
    }

    /// Asks for the transfer, and is sent to `want` before anything reached the bank.
    pub(super) async fn challenged(&mut self, name: &str, want: &str) -> Result<(), End> {
        let answer = self.browser.get(&self.asked).await;
        let sent = answer
            .and_then(|answer| sent_to(&answer, want))
            .and_then(|()| self.reached(0));
        self.tale.step(name, sent)
    }

    /// Where Kratos starts a flow that ends where the part began: `flow` and its query, then `return_to`.
    pub(super) fn flow(&self, flow: &str) -> String {
        let mark = if flow.contains('?') { '&' } else { '?' };
        format!(
            "{}/self-service/{flow}{mark}return_to={}",
            self.place.ciam,
            encoded(&self.asked)
        )
    }

    pub(super) fn reached(&self, times: usize) -> Result<(), String> {
        same(
            "transfers that reached the bank",
            &self.place.ledger.count("/transfer"),
            &times,
        )
    }

    /// The last visit is one of `path`, by somebody at this level.
    pub(super) fn seen(&self, path: &str, aal: &str) -> Result<(), String> {
        let visit = self
            .place
            .ledger
            .visits()
            .pop()
            .ok_or("nothing reached the bank")?;
        same("path", visit.path.as_str(), path)?;
        same(
            "X-User-Aal",
            visit.user_aal.as_deref().unwrap_or("(none)"),
            aal,
        )?;
        match visit.user_id.as_deref() {
            None | Some("" | "forged") => Err(format!("X-User-Id: got {:?}", visit.user_id)),
            Some(id) if id.contains(',') => Err(format!("X-User-Id twice: {id}")),
            Some(_) => Ok(()),
        }
    }

    /// The last visit was told nothing of its sender.
    pub(super) fn unseen(&self) -> Result<(), String> {
        let visit = self
            .place
            .ledger
            .visits()
            .pop()
            .ok_or("nothing reached the bank")?;
        same(
            "X-User-Id",
            visit.user_id.as_deref().unwrap_or("(none)"),
            "(none)",
        )?;
        same(
            "X-User-Aal",
            visit.user_aal.as_deref().unwrap_or("(none)"),
            "(none)",
        )
    }
}

pub(super) fn sent_to(answer: &Answer, want: &str) -> Result<(), String> {
    same("status", &answer.status, &303)?;
    same(
        "Location",
        answer.raw_location().unwrap_or("(not exactly one)"),
        want,
    )
}

pub(super) fn with_field(page: Answer, field: &str) -> Result<Answer, String> {
    same("status", &page.status, &200)?;
    let found = page.body.contains(&format!("name=\"{field}\""));
    if found {
        Ok(page)
    } else {
        Err(format!("{} asks for no {field}", page.url))
    }
}

/// The key that the settings page shows beside its QR code.
pub(super) fn key(page: &str) -> Option<&str> {
    page.split_once("<code class=\"key\">")?
        .1
        .split_once('<')
        .map(|(key, _)| key)
}

/// As `encodeURIComponent` writes it, for the characters that these URLs have.
fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

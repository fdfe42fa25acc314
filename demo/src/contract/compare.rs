//! What several rows look at: the shape of errors, of sessions and of flows.

use serde_json::{Value, json};

use super::Error;
use super::answer::Answer;
use super::client::{Ask, Kratos};
use super::sheet::Sheet;

/// The header that tells upstreams who it is.
pub(super) const IDENTITY: &str = "x-kratos-authenticated-identity-id";

impl Sheet {
    /// `E-401`: what whoami says to everybody it does not know.
    pub(super) fn e401(&mut self, what: &str, answer: &Answer) {
        let error = json!({
            "code": 401,
            "status": "Unauthorized",
            "reason": "No valid session credentials found in the request.",
            "message": "The request could not be authorized",
        });
        self.same(
            what,
            json!([answer.status, answer.at("/error")]),
            json!([401, error]),
        );
        self.same(
            format!("{what}: Ory-Error-Id"),
            answer.header("ory-error-id"),
            "",
        );
        self.same(
            format!("{what}: identity header"),
            answer.header(IDENTITY),
            Value::Null,
        );
        self.no_cookie(what, answer);
    }

    /// `E-403-AAL2`, with the link to the step-up in both places.
    pub(super) fn e403_aal2(&mut self, what: &str, answer: &Answer, link: &str) {
        self.refused(what, answer, 403, Some("session_aal2_required"));
        let links = json!([
            answer.at("/redirect_browser_to"),
            answer.at("/error/details/redirect_browser_to")
        ]);
        self.same(
            format!("{what}: redirect_browser_to"),
            links,
            json!([link, link]),
        );
        let identity = json!([answer.at("/identity"), answer.header(IDENTITY)]);
        self.same(
            format!("{what}: no identity"),
            identity,
            json!([null, null]),
        );
    }

    /// A JSON error with this id, or without one: the header is there, and empty, all the same.
    pub(super) fn refused(&mut self, what: &str, answer: &Answer, status: u16, id: Option<&str>) {
        let got = json!([
            answer.status,
            answer.at("/error/id"),
            answer.header("ory-error-id")
        ]);
        self.same(what, got, json!([status, id, id.unwrap_or_default()]));
        self.same(format!("{what}: code"), answer.at("/error/code"), status);
    }

    /// 200 with the session of that identity.
    pub(super) fn session(&mut self, what: &str, answer: &Answer, aal: &str, identity: &str) {
        let got = json!([
            answer.status,
            answer.at("/authenticator_assurance_level"),
            answer.at("/identity/id"),
            answer.header(IDENTITY)
        ]);
        self.same(what, got, json!([200, aal, identity, identity]));
    }

    /// 303 to exactly this place.
    pub(super) fn sent_to(&mut self, what: &str, answer: &Answer, location: &str) {
        self.same(
            what,
            json!([answer.status, answer.location()]),
            json!([303, location]),
        );
    }

    /// 303 to a place that starts so.
    pub(super) fn sent_near(&mut self, what: &str, answer: &Answer, start: &str) {
        self.same(what, answer.status, 303);
        self.starts(format!("{what}: Location"), answer.location(), start);
    }

    /// No cookie is set.
    pub(super) fn no_cookie(&mut self, what: &str, answer: &Answer) {
        self.same(
            format!("{what}: Set-Cookie"),
            answer.set_cookies(),
            json!([]),
        );
    }

    /// 400 with the flow, which shows this message.
    pub(super) fn flow_says(&mut self, what: &str, answer: &Answer, message: u64) {
        self.same(
            what,
            json!([answer.status, answer.messages()]),
            json!([400, [message]]),
        );
    }

    /// 200 after a submit, which goes on to this place.
    pub(super) fn goes_on_to(&mut self, what: &str, answer: &Answer, location: &str) {
        let step = json!({"action": "redirect_browser_to", "redirect_browser_to": location});
        self.same(
            what,
            json!([answer.status, answer.at("/continue_with")]),
            json!([200, [step]]),
        );
    }

    /// 303 to the error UI, and the error that it can read there.
    pub(super) async fn error_page(
        &mut self,
        what: &str,
        kratos: &Kratos<'_>,
        answer: &Answer,
        status: u16,
        id: Option<&str>,
    ) -> Result<(), Error> {
        let start = format!("{}/error?id=", kratos.target().ui);
        self.sent_near(what, answer, &start);
        let error = answer
            .location()
            .and_then(|to| to.strip_prefix(&start))
            .unwrap_or_default();
        let read = kratos
            .send(Ask::get(format!("/self-service/errors?id={error}")).json())
            .await?;
        let got = json!([read.status, read.at("/error/code"), read.at("/error/id")]);
        self.same(format!("{what}: error"), got, json!([200, status, id]));
        Ok(())
    }
}

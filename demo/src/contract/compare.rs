//! What several rows look at: the shape of errors, of sessions and of flows.

use serde_json::{Value, json};

use super::client::Answer;
use super::sheet::Sheet;

/// The header that tells upstreams who it is.
pub(super) const IDENTITY: &str = "x-kratos-authenticated-identity-id";

impl Answer {
    /// The form's fields as `group:name`, in order.
    pub(super) fn nodes(&self) -> Vec<String> {
        let name = |node: &Value| format!("{}:{}", text(node, "/group"), node_name(node));
        self.node_list().map(name).collect()
    }

    /// The ids of all messages, the flow's first, then those at its fields.
    pub(super) fn messages(&self) -> Vec<u64> {
        let own = ids(self.json.pointer("/ui/messages"));
        own.chain(
            self.node_list()
                .flat_map(|node| ids(node.pointer("/messages"))),
        )
        .collect()
    }

    /// The value of the field of that name.
    pub(super) fn node_value(&self, name: &str) -> String {
        let node = self.node_list().find(|node| node_name(node) == name);
        node.map(|node| text(node, "/attributes/value"))
            .unwrap_or_default()
    }

    /// The text that the node of that id shows.
    pub(super) fn node_text(&self, id: &str) -> Option<String> {
        let node = self.node_list().find(|node| node_name(node) == id)?;
        Some(text(node, "/attributes/text/text"))
    }

    /// The backup codes that a settings flow shows once.
    pub(super) fn backup_codes(&self) -> Vec<String> {
        let node = self
            .node_list()
            .find(|node| node_name(node) == "lookup_secret_codes");
        let secrets =
            node.and_then(|node| node.pointer("/attributes/text/context/secrets")?.as_array());
        secrets
            .into_iter()
            .flatten()
            .map(|secret| text(secret, "/context/secret"))
            .collect()
    }

    /// Methods with their AAL in the order of use: `password/aal1`.
    pub(super) fn methods(&self) -> Vec<String> {
        let at = if self.json.get("session").is_some() {
            "/session"
        } else {
            ""
        };
        methods(&self.at(at))
    }

    fn node_list(&self) -> impl Iterator<Item = &Value> {
        self.json
            .pointer("/ui/nodes")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    }
}

/// Methods of a session with their AAL in the order of use.
pub(super) fn methods(session: &Value) -> Vec<String> {
    let list = session
        .pointer("/authentication_methods")
        .and_then(Value::as_array);
    let name = |entry: &Value| format!("{}/{}", text(entry, "/method"), text(entry, "/aal"));
    list.into_iter().flatten().map(name).collect()
}

fn node_name(node: &Value) -> String {
    let name = text(node, "/attributes/name");
    if name.is_empty() {
        text(node, "/attributes/id")
    } else {
        name
    }
}

fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn ids(messages: Option<&Value>) -> impl Iterator<Item = u64> {
    let list = messages.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|message| message.pointer("/id").and_then(Value::as_u64))
}

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
}

//! An answer of Kratos, and how a row reads it: headers, JSON, and the fields and messages of a flow.

use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::Value;

use super::Error;
use super::client::SESSION;

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: u16,
    /// The headers as sent.
    pub(super) headers: HeaderMap,
    /// The body as sent.
    pub(super) body: Bytes,
    /// The body as JSON, or null.
    pub(super) json: Value,
}

impl Answer {
    /// A header, if it is there and is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Location.
    pub(super) fn location(&self) -> Option<&str> {
        self.header("location")
    }

    /// All Set-Cookie values.
    pub(super) fn set_cookies(&self) -> Vec<&str> {
        self.headers
            .get_all("set-cookie")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect()
    }

    /// The session cookie that is set, if any.
    pub(super) fn new_session(&self) -> Option<String> {
        let start = format!("{SESSION}=");
        let cookies = self.set_cookies();
        let cookie = cookies
            .iter()
            .find_map(|cookie| cookie.strip_prefix(start.as_str()))?;
        cookie.split(';').next().map(str::to_owned)
    }

    /// A member of the JSON body by JSON pointer; null where there is none.
    pub(super) fn at(&self, pointer: &str) -> Value {
        self.json.pointer(pointer).cloned().unwrap_or_default()
    }

    /// The same as text, empty where it is none.
    pub(super) fn text(&self, pointer: &str) -> String {
        self.at(pointer).as_str().unwrap_or_default().to_owned()
    }

    /// The answer, if its status is one of these.
    pub(super) fn expect(self, step: &'static str, statuses: &[u16]) -> Result<Self, Error> {
        if statuses.contains(&self.status) {
            return Ok(self);
        }
        let body = match self.message_texts() {
            texts if texts.is_empty() => String::from_utf8_lossy(&self.body)
                .chars()
                .take(300)
                .collect(),
            texts => texts.join("; "),
        };
        Err(Error::Prepare {
            step,
            status: self.status,
            body,
        })
    }
}

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

    /// The text of all messages, each with its id.
    fn message_texts(&self) -> Vec<String> {
        let own = list(self.json.pointer("/ui/messages"));
        let all = own.chain(
            self.node_list()
                .flat_map(|node| list(node.pointer("/messages"))),
        );
        let told = |message: &Value| {
            format!(
                "{} {}",
                message.get("id").unwrap_or(&Value::Null),
                text(message, "/text")
            )
        };
        all.map(told).collect()
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
    list(messages).filter_map(|message| message.pointer("/id").and_then(Value::as_u64))
}

fn list(messages: Option<&Value>) -> impl Iterator<Item = &Value> {
    messages.and_then(Value::as_array).into_iter().flatten()
}

//! A flow as Kratos describes it to a UI; only what is drawn is read.

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(super) struct Flow {
    pub(super) ui: Ui,
    pub(super) return_to: Option<String>,
    pub(super) requested_aal: Option<String>,
    #[serde(default)]
    pub(super) refresh: bool,
    pub(super) identity: Option<Identity>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Identity {
    #[serde(default)]
    pub(super) traits: Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct Ui {
    pub(super) action: String,
    pub(super) method: String,
    // Kratos writes `null` where there are none (K-108).
    pub(super) nodes: Option<Vec<Node>>,
    pub(super) messages: Option<Vec<Message>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Node {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) group: String,
    pub(super) attributes: Attributes,
    pub(super) messages: Option<Vec<Message>>,
    #[serde(default)]
    pub(super) meta: Meta,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) value: Value,
    pub(super) required: bool,
    pub(super) disabled: bool,
    pub(super) autocomplete: Option<String>,
    pub(super) id: String,
    pub(super) text: Option<Message>,
    pub(super) src: String,
    pub(super) href: String,
    pub(super) title: Option<Message>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Meta {
    pub(super) label: Option<Message>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Message {
    #[serde(default)]
    pub(super) text: String,
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) context: Value,
}

impl Flow {
    pub(super) fn nodes(&self) -> &[Node] {
        self.ui.nodes.as_deref().unwrap_or_default()
    }

    pub(super) fn messages(&self) -> &[Message] {
        self.ui.messages.as_deref().unwrap_or_default()
    }

    pub(super) fn asks_for_second_factor(&self) -> bool {
        self.requested_aal.as_deref() == Some("aal2")
    }

    /// The groups that hold a way on, in Kratos' order; `default` goes with each of them.
    pub(super) fn groups(&self) -> Vec<&str> {
        let mut groups = Vec::new();
        for node in self.nodes() {
            if node.group != "default" && !groups.contains(&node.group.as_str()) {
                groups.push(node.group.as_str());
            }
        }
        groups
    }

    pub(super) fn email(&self) -> Option<&str> {
        self.identity.as_ref()?.traits.get("email")?.as_str()
    }
}

impl Node {
    pub(super) fn label(&self) -> &str {
        self.meta
            .label
            .as_ref()
            .map_or("", |label| label.text.as_str())
    }

    pub(super) fn messages(&self) -> &[Message] {
        self.messages.as_deref().unwrap_or_default()
    }

    pub(super) fn is_button(&self) -> bool {
        matches!(self.attributes.kind.as_str(), "submit" | "button")
    }
}

impl Attributes {
    /// The value as a form sends it.
    pub(super) fn value(&self) -> String {
        match &self.value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

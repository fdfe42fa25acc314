//! An error as Kratos answers it; which there are, and their words, is in [`words`].
//!
//! An error without id still has the `Ory-Error-Id` header, empty.

mod words;

use axum::http::StatusCode;
use serde_json::{Map, Value};

/// An error as JSON carries it.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    id: &'static str,
    status: StatusCode,
    /// Boxed, so that an error costs little where there is none.
    words: Box<Words>,
}

#[derive(Clone, Debug)]
struct Words {
    reason: Option<String>,
    details: Option<Value>,
    message: String,
    /// Members beside `error`.
    beside: Map<String, Value>,
}

impl Fault {
    fn new(id: &'static str, status: StatusCode, message: &str) -> Self {
        let words = Words {
            reason: None,
            details: None,
            message: message.to_owned(),
            beside: Map::new(),
        };
        Self {
            id,
            status,
            words: Box::new(words),
        }
    }

    fn because(mut self, reason: impl Into<String>) -> Self {
        self.words.reason = Some(reason.into());
        self
    }

    fn detailed(mut self, details: Value) -> Self {
        self.words.details = Some(details);
        self
    }

    fn beside(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.words.beside.insert(name.to_owned(), value.into());
        self
    }

    /// `error.id`, or the empty text.
    pub(crate) fn id(&self) -> &'static str {
        self.id
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What a form shows of it.
    pub(crate) fn reason(&self) -> &str {
        self.words.reason.as_deref().unwrap_or_default()
    }

    /// The member `error`.
    pub(crate) fn error(&self, request_id: Option<&str>) -> Value {
        let mut error = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                error.insert(name.to_owned(), value);
            }
        };
        put(
            "id",
            Some(self.id).filter(|id| !id.is_empty()).map(Value::from),
        );
        put("code", Some(Value::from(self.status.as_u16())));
        put(
            "status",
            Some(Value::from(
                self.status.canonical_reason().unwrap_or_default(),
            )),
        );
        put("request", request_id.map(Value::from));
        put("reason", self.words.reason.clone().map(Value::from));
        put("details", self.words.details.clone());
        put("message", Some(Value::from(self.words.message.clone())));
        Value::Object(error)
    }

    /// The whole body.
    pub(crate) fn body(&self, request_id: Option<&str>) -> Value {
        let mut body = Map::new();
        body.insert(String::from("error"), self.error(request_id));
        body.extend(self.words.beside.clone());
        Value::Object(body)
    }
}

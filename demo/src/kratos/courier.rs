//! The mails a double would send: kept, and shown to its admin.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::Answer;
use super::asked::Asked;
use super::clock::stored;
use super::csrf::Csrf;
use super::state::Kratos;

/// A mail.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    id: Uuid,
    to: String,
    subject: String,
    body: String,
    at: Timestamp,
}

impl Mail {
    /// The one that brings a recovery code.
    pub(crate) fn recovery(to: &str, code: &str, now: Timestamp) -> Self {
        Self {
            id: Uuid::new_v4(),
            to: to.to_owned(),
            subject: format!("Use code {code} to recover access to your account"),
            body: format!(
                "Recover access to your account by entering the following code:\n\n{code}\n"
            ),
            at: stored(now),
        }
    }

    fn json(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "status": "queued",
            "type": "email",
            "recipient": self.to,
            "body": self.body,
            "subject": self.subject,
            "template_type": "recovery_code_valid",
            "send_count": 0,
            "created_at": self.at.to_string(),
            "updated_at": self.at.to_string(),
        })
    }
}

/// `GET /admin/courier/messages`, newest first.
pub(crate) fn list(kratos: &Kratos, _: &Asked, _: &mut Csrf) -> Answer {
    let mails: Vec<Value> = kratos.store().mails.iter().rev().map(Mail::json).collect();
    Answer::json(StatusCode::OK, &Value::from(mails))
}

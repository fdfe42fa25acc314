//! Errors that the error page shows: kept for anybody who has the id, as often as they like (K-53).

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::Answer;
use super::asked::Asked;
use super::clock::stored;
use super::csrf::Csrf;
use super::errors::Fault;
use super::state::Kratos;

/// An error that was shown to a browser.
#[derive(Debug)]
pub(crate) struct UserError {
    error: Value,
    created_at: Timestamp,
}

/// `GET /self-service/errors?id=`.
pub(crate) fn read(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let id = asked.query("id").unwrap_or_default();
    if id == "stub:500" {
        let never = "0001-01-01T00:00:00Z";
        return Answer::json(
            StatusCode::OK,
            &shown(Uuid::new_v4(), &Fault::stub().error(None), never),
        );
    }
    let store = kratos.store();
    let found = Uuid::parse_str(&id)
        .ok()
        .and_then(|id| Some((id, store.errors.get(id)?)));
    match found {
        Some((id, kept)) => Answer::json(
            StatusCode::OK,
            &shown(id, &kept.error, &kept.created_at.to_string()),
        ),
        None => Answer::fault(asked, &Fault::unknown_id()),
    }
}

fn shown(id: Uuid, error: &Value, at: &str) -> Value {
    json!({ "id": id.to_string(), "error": error, "created_at": at, "updated_at": at })
}

impl Kratos {
    /// Tells of an error: JSON to those who want it, else a redirect to the error page.
    pub(crate) fn forward(&self, asked: &Asked, fault: &Fault) -> Answer {
        if asked.is_json() || asked.accepts_json() {
            return Answer::fault(asked, fault);
        }
        let id = Uuid::new_v4();
        let kept = UserError {
            error: fault.error(asked.request_id()),
            created_at: stored(self.now()),
        };
        self.store().errors.put(id, kept);
        Answer::see_other(asked, &self.page("error", "id", &id.to_string()))
    }
}

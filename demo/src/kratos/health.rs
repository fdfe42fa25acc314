//! Health on both ports, and the version on the admin port (K-111).

use axum::http::StatusCode;
use serde_json::json;

use super::answer::Answer;
use super::asked::Asked;
use super::csrf::Csrf;
use super::state::Kratos;

/// `GET /health/alive` and `GET /health/ready`.
pub(crate) fn ok(_: &Kratos, _: &Asked, _: &mut Csrf) -> Answer {
    Answer::json(StatusCode::OK, &json!({ "status": "ok" }))
}

/// `GET /version`.
pub(crate) fn version(_: &Kratos, _: &Asked, _: &mut Csrf) -> Answer {
    Answer::json(StatusCode::OK, &json!({ "version": "v26.2.0" }))
}

//! From a reply to Envoy's message.

use std::collections::HashMap;

use envoy_types::pb::{
    envoy::{
        config::core::v3::{
            HeaderValue as EnvoyHeader, HeaderValueOption, header_value_option::HeaderAppendAction,
        },
        service::auth::v3::{
            CheckResponse, DeniedHttpResponse, OkHttpResponse, check_response::HttpResponse,
        },
        r#type::v3::HttpStatus,
    },
    google::{
        protobuf::{Struct, Value, value::Kind},
        rpc::Status,
    },
};
use http::{HeaderName, HeaderValue, header::SET_COOKIE};

use crate::{
    authorizer::Answer,
    domain::reply::{Code, Refusal, Reply, Through},
};

/// The message for an answer.
pub(super) fn response(answer: Answer) -> CheckResponse {
    let metadata = metadata(&answer);
    let (code, http) = match answer.reply {
        Reply::Through(through) => (tonic::Code::Ok, HttpResponse::OkResponse(ok(through))),
        Reply::Refused(refusal) => (
            code(refusal.code),
            HttpResponse::DeniedResponse(denied(refusal)),
        ),
    };
    let status = Status {
        code: i32::from(code),
        ..Status::default()
    };
    CheckResponse {
        status: Some(status),
        dynamic_metadata: Some(metadata),
        http_response: Some(http),
    }
}

fn ok(through: Through) -> OkHttpResponse {
    let headers = through
        .mutations
        .set
        .iter()
        .map(|(name, value)| overwrite(name, value));
    OkHttpResponse {
        headers: headers.collect(),
        headers_to_remove: through.mutations.remove,
        response_headers_to_add: through
            .response_headers
            .iter()
            .map(|(name, value)| append(name, value))
            .collect(),
        ..OkHttpResponse::default()
    }
}

fn denied(refusal: Refusal) -> DeniedHttpResponse {
    DeniedHttpResponse {
        status: Some(HttpStatus {
            code: i32::from(refusal.status.as_u16()),
        }),
        headers: refusal
            .headers
            .iter()
            .map(|(name, value)| match *name {
                SET_COOKIE => append(name, value),
                _ => overwrite(name, value),
            })
            .collect(),
        body: refusal.body,
    }
}

fn code(code: Code) -> tonic::Code {
    match code {
        Code::InvalidArgument => tonic::Code::InvalidArgument,
        Code::PermissionDenied => tonic::Code::PermissionDenied,
        Code::Unavailable => tonic::Code::Unavailable,
        Code::Unauthenticated => tonic::Code::Unauthenticated,
    }
}

fn overwrite(name: &HeaderName, value: &HeaderValue) -> HeaderValueOption {
    option(name, value, HeaderAppendAction::OverwriteIfExistsOrAdd)
}

/// Beside others of its name. The older `append` flag stays unset: where it is set on a refusal, Envoy drops the header.
fn append(name: &HeaderName, value: &HeaderValue) -> HeaderValueOption {
    option(name, value, HeaderAppendAction::AppendIfExistsOrAdd)
}

fn option(name: &HeaderName, value: &HeaderValue, action: HeaderAppendAction) -> HeaderValueOption {
    let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
    HeaderValueOption {
        header: Some(EnvoyHeader {
            key: name.as_str().to_owned(),
            value,
            ..EnvoyHeader::default()
        }),
        append_action: action.into(),
        ..HeaderValueOption::default()
    }
}

/// What Envoy's own log may say of the check: words, no identifiers.
fn metadata(answer: &Answer) -> Struct {
    let words = [
        ("rule", &*answer.rule),
        ("decision", answer.decision),
        ("reason", answer.reason),
        ("aal", answer.aal),
    ];
    let field = |(name, word): (&str, &str)| {
        (
            name.to_owned(),
            Value {
                kind: Some(Kind::StringValue(word.to_owned())),
            },
        )
    };
    Struct {
        fields: HashMap::from(words.map(field)),
    }
}

//! From a reply to Envoy's message.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header::SET_COOKIE};

use crate::{
    authorizer::Answer,
    domain::reply::{Code, Refusal, Reply, Through},
    proto::{
        self, CheckResponse, DeniedHttpResponse, HeaderValueOption, HttpStatus, OkHttpResponse,
        Status, Struct,
        check_response::HttpResponse,
        header_value_option::HeaderAppendAction,
        r#struct::{Field, Value},
    },
};

/// The message for an answer.
#[must_use]
pub fn response(mut answer: Answer) -> CheckResponse {
    let metadata = metadata(&mut answer);
    let (code, http) = match answer.reply {
        Reply::Through(through) => (tonic::Code::Ok, HttpResponse::OkResponse(ok(through))),
        Reply::Refused(refusal) => (
            code(refusal.code),
            HttpResponse::DeniedResponse(denied(refusal)),
        ),
    };
    CheckResponse {
        status: Some(Status {
            code: i32::from(code),
        }),
        dynamic_metadata: Some(metadata),
        http_response: Some(http),
    }
}

fn ok(through: Through) -> OkHttpResponse {
    let (mutations, added) = (through.mutations, through.response_headers);
    OkHttpResponse {
        headers: mutations.set.into_iter().map(overwrite).collect(),
        headers_to_remove: mutations.remove.into_iter().map(Bytes::from).collect(),
        response_headers_to_add: added.into_iter().map(append).collect(),
    }
}

fn denied(refusal: Refusal) -> DeniedHttpResponse {
    let headers = refusal.headers.into_iter().map(|header| match header.0 {
        SET_COOKIE => append(header),
        _ => overwrite(header),
    });
    DeniedHttpResponse {
        status: Some(HttpStatus {
            code: i32::from(refusal.status.as_u16()),
        }),
        headers: headers.collect(),
        body: refusal.body.into(),
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

fn overwrite(header: (HeaderName, HeaderValue)) -> HeaderValueOption {
    option(header, HeaderAppendAction::OverwriteIfExistsOrAdd)
}

/// Beside others of its name.
fn append(header: (HeaderName, HeaderValue)) -> HeaderValueOption {
    option(header, HeaderAppendAction::AppendIfExistsOrAdd)
}

fn option(
    (name, value): (HeaderName, HeaderValue),
    action: HeaderAppendAction,
) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(proto::HeaderValue {
            key: Bytes::from_owner(name),
            value: text(value),
            raw_value: Bytes::new(),
        }),
        append_action: action.into(),
    }
}

/// The value's bytes, as they are where they are ASCII: Envoy refuses a whole answer with text that is not UTF-8.
fn text(value: HeaderValue) -> Bytes {
    if value.as_bytes().is_ascii() {
        Bytes::from_owner(value)
    } else {
        String::from_utf8_lossy(value.as_bytes())
            .into_owned()
            .into()
    }
}

/// What Envoy's own log may say of the check: words, no identifiers.
fn metadata(answer: &mut Answer) -> Struct {
    let rule = std::mem::take(&mut answer.rule);
    let words = [
        ("rule", Bytes::from(rule.into_string())),
        ("decision", Bytes::from_static(answer.decision.as_bytes())),
        ("reason", Bytes::from_static(answer.reason.as_bytes())),
        ("aal", Bytes::from_static(answer.aal.as_bytes())),
    ];
    let field = |(name, word): (&'static str, Bytes)| Field {
        key: Bytes::from_static(name.as_bytes()),
        value: Some(Value { string_value: word }),
    };
    Struct {
        fields: words.map(field).into(),
    }
}

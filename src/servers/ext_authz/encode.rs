//! From a reply to the bytes of Envoy's message, written in one go: field numbers are those of `proto/ext_authz.proto`.

mod message;

use std::borrow::Cow;

use http::{HeaderName, HeaderValue, header::SET_COOKIE};

use crate::{
    authorizer::Answer,
    domain::reply::{Code, Refusal, Reply, Through},
};
use message::{bytes, bytes_or_empty, message, number};

/// `APPEND_IF_EXISTS_OR_ADD`: beside others of its name.
const APPEND: u64 = 0;
/// `OVERWRITE_IF_EXISTS_OR_ADD`
const OVERWRITE: u64 = 2;

/// Room for nearly every answer but a page.
const USUAL_BYTES: usize = 1024;

/// The `CheckResponse` for an answer, behind so many zeros for what goes in front of it.
#[must_use]
pub fn response(answer: &Answer, in_front: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(USUAL_BYTES);
    out.resize(in_front, 0);
    message(&mut out, 1, |status| number(status, 1, code(&answer.reply)));
    match &answer.reply {
        Reply::Refused(refusal) => message(&mut out, 2, |denied| write_denied(denied, refusal)),
        Reply::Through(through) => message(&mut out, 3, |ok| write_ok(ok, through)),
    }
    message(&mut out, 4, |metadata| write_metadata(metadata, answer));
    out
}

/// `google.rpc.Status`' code.
fn code(reply: &Reply) -> u64 {
    match reply {
        Reply::Through(_) => 0,
        Reply::Refused(refusal) => match refusal.code {
            Code::InvalidArgument => 3,
            Code::PermissionDenied => 7,
            Code::Unavailable => 14,
            Code::Unauthenticated => 16,
        },
    }
}

/// `OkHttpResponse`
fn write_ok(ok: &mut Vec<u8>, through: &Through) {
    for (name, value) in &through.mutations.set {
        write_header(ok, 2, name, value, OVERWRITE);
    }
    for name in &through.mutations.remove {
        bytes(ok, 5, name.as_bytes());
    }
    for (name, value) in &through.response_headers {
        write_header(ok, 6, name, value, APPEND);
    }
}

/// `DeniedHttpResponse`
fn write_denied(denied: &mut Vec<u8>, refusal: &Refusal) {
    message(denied, 1, |status| {
        number(status, 1, refusal.status.as_u16().into());
    });
    for (name, value) in &refusal.headers {
        let action = if *name == SET_COOKIE {
            APPEND
        } else {
            OVERWRITE
        };
        write_header(denied, 2, name, value, action);
    }
    bytes(denied, 3, refusal.body.as_bytes());
}

/// `HeaderValueOption`
fn write_header(out: &mut Vec<u8>, field: u8, name: &HeaderName, value: &HeaderValue, action: u64) {
    message(out, field, |option| {
        message(option, 1, |header| {
            bytes(header, 1, name.as_str().as_bytes());
            bytes(header, 2, &text(value));
        });
        number(option, 3, action);
    });
}

/// The value's bytes, as they are where they are ASCII: Envoy refuses a whole answer with text that is not UTF-8.
fn text(value: &HeaderValue) -> Cow<'_, [u8]> {
    let bytes = value.as_bytes();
    if bytes.is_ascii() {
        bytes.into()
    } else {
        String::from_utf8_lossy(bytes)
            .into_owned()
            .into_bytes()
            .into()
    }
}

/// What Envoy's own log may say of the check: words, no identifiers.
fn write_metadata(metadata: &mut Vec<u8>, answer: &Answer) {
    for (name, word) in [
        ("rule", &*answer.rule),
        ("decision", answer.decision),
        ("reason", answer.reason),
        ("aal", answer.aal),
    ] {
        message(metadata, 1, |field| {
            bytes(field, 1, name.as_bytes());
            message(field, 2, |value| bytes_or_empty(value, 3, word.as_bytes()));
        });
    }
}

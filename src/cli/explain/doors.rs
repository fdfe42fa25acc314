//! The answer as each door sends it, made by the door's own encoder.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use http::Response;
use prost::Message;

use crate::{
    authorizer::Answer,
    cli::speak::STRONG,
    domain::request::Reach,
    proto::{CheckResponse, HeaderValueOption, check_response::HttpResponse},
    servers::{
        ext_authz,
        forward_auth::{self, Caller},
    },
};

/// Tells what every door sends.
pub(super) fn tell(out: &mut impl Write, answer: impl Fn(Reach) -> Answer) -> io::Result<()> {
    writeln!(out, "\n{STRONG}Envoy hears, over gRPC{STRONG:#}")?;
    let bytes = ext_authz::encode::response(&answer(Reach::Edits), 0);
    // Read back as Envoy reads it.
    let response = CheckResponse::decode(&*bytes).map_err(io::Error::other)?;
    tell_envoy(out, &response)?;
    for (caller, who) in [
        (
            Caller::ForwardAuth,
            "Caddy and Traefik hear, at /forward-auth",
        ),
        (Caller::AuthRequest, "nginx hears, at /auth-request"),
    ] {
        writeln!(out, "\n{STRONG}{who}{STRONG:#}")?;
        tell_proxy(
            out,
            &forward_auth::encode::response(caller, answer(Reach::Copies)),
        )?;
    }
    Ok(())
}

fn tell_envoy(out: &mut impl Write, response: &CheckResponse) -> io::Result<()> {
    let code = response.status.as_ref().map_or(0, |status| status.code);
    writeln!(out, "  status.code: {code} ({:?})", tonic::Code::from(code))?;
    match &response.http_response {
        Some(HttpResponse::OkResponse(ok)) => {
            writeln!(out, "  ok_response:")?;
            headers(out, "headers", &ok.headers)?;
            if !ok.headers_to_remove.is_empty() {
                let names: Vec<_> = ok.headers_to_remove.iter().map(|name| text(name)).collect();
                writeln!(out, "    headers_to_remove: {}", names.join(", "))?;
            }
            headers(out, "response_headers_to_add", &ok.response_headers_to_add)?;
        }
        Some(HttpResponse::DeniedResponse(denied)) => {
            let status = denied.status.map_or(0, |status| status.code);
            writeln!(out, "  denied_response: {status}")?;
            headers(out, "headers", &denied.headers)?;
            body(out, "    ", &text(&denied.body))?;
        }
        None => {}
    }
    metadata(out, response)
}

fn headers(out: &mut impl Write, key: &str, all: &[HeaderValueOption]) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    writeln!(out, "    {key}:")?;
    let headers = all.iter().filter_map(|option| option.header.as_ref());
    headers.into_iter().try_for_each(|header| {
        let (name, value) = (text(&header.key), text(&header.value));
        writeln!(out, "      {name}: {value}")
    })
}

fn metadata(out: &mut impl Write, response: &CheckResponse) -> io::Result<()> {
    let metadata = response.dynamic_metadata.iter();
    let words = metadata.flat_map(|metadata| &metadata.fields).map(|field| {
        let word = field.value.as_ref().map(|value| text(&value.string_value));
        format!("{}: {:?}", text(&field.key), word.unwrap_or_default())
    });
    let words: Vec<_> = words.collect();
    writeln!(out, "  dynamic_metadata: {{ {} }}", words.join(", "))
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn tell_proxy(out: &mut impl Write, response: &Response<String>) -> io::Result<()> {
    writeln!(out, "  {}", response.status())?;
    for (name, value) in response.headers() {
        writeln!(out, "    {name}: {}", text(value.as_bytes()))?;
    }
    body(out, "    ", response.body())
}

fn body(out: &mut impl Write, indent: &str, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    text.lines()
        .try_for_each(|line| writeln!(out, "{indent}{line}"))
}

//! Any bytes as Envoy's message, through a real door: an error, or an answer whose two halves agree.

use bytes::Bytes;
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use http::uri::PathAndQuery;
use proptest::{prelude::*, test_runner::TestRunner};
use prost::Message;
use stepgate::{
    domain::request::Facts,
    proto::{AttributeContext, CheckRequest, Entry, HeaderMap, HeaderValue, attribute_context},
};
use tonic::{Request, client::Grpc, transport::Channel};

use super::requests::facts;
use crate::{
    door::raw,
    gate::{Gate, Heard},
};

/// A message with these facts, whose strings are any bytes, in one of the header modes or in both.
fn message(facts: Facts, mode: u8) -> CheckRequest {
    let entry = |(key, value): (Bytes, Bytes)| Entry { key, value };
    let line = |(key, raw_value): (Bytes, Bytes)| HeaderValue {
        key,
        raw_value,
        ..HeaderValue::default()
    };
    let pair = |name: &[u8]| {
        let value = facts.headers.first(name).unwrap_or_default();
        (Bytes::copy_from_slice(name), Bytes::copy_from_slice(value))
    };
    let pairs: Vec<_> = facts.headers.names().map(pair).collect();
    let http = attribute_context::HttpRequest {
        method: facts.method,
        host: facts.host,
        path: facts.target,
        headers: if mode == 1 {
            vec![]
        } else {
            pairs.iter().cloned().map(entry).collect()
        },
        header_map: (mode > 0).then(|| HeaderMap {
            headers: pairs.into_iter().map(line).collect(),
        }),
        ..attribute_context::HttpRequest::default()
    };
    CheckRequest {
        attributes: Some(AttributeContext {
            request: Some(attribute_context::Request { http: Some(http) }),
            context_extensions: facts.context.into_iter().map(entry).collect(),
        }),
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let whole = (facts(), 0..3_u8).prop_map(|(facts, mode)| message(facts, mode).encode_to_vec());
    let damage = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let damaged = (whole, damage).prop_map(|(mut bytes, damage)| {
        for (at, byte) in damage {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        bytes
    });
    prop_oneof![4 => damaged, 1 => prop::collection::vec(any::<u8>(), 0..300)]
}

async fn ask(channel: &Channel, bytes: Vec<u8>) -> Option<Heard> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let path = PathAndQuery::from_static("/envoy.service.auth.v3.Authorization/Check");
    let answer = grpc.unary(Request::new(bytes), path, raw::Codec).await;
    let answer = answer.ok()?.into_inner();
    Some(Heard::from(CheckResponse::decode(&*answer).unwrap()))
}

#[test]
fn any_message_gets_an_error_or_an_answer_that_envoy_understands() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let rules = "  - { id: transfer, match: { path: /transfer/** }, require: aal2 }";
    let (gate, channel) = runtime.block_on(async {
        let gate = Gate::start(rules).await;
        let channel = Channel::from_shared(gate.url.clone())
            .unwrap()
            .connect()
            .await
            .unwrap();
        (gate, channel)
    });
    let mut runner = TestRunner::default();
    let outcome = runner.run(&bytes(), |bytes| {
        let decodes = CheckRequest::decode(&*bytes).is_ok();
        // `Heard` holds that code and answer agree; a message that can't be decoded is the only one without an answer.
        let heard = runtime.block_on(ask(&channel, bytes));
        prop_assert_eq!(heard.is_some(), decodes);
        Ok(())
    });
    outcome.unwrap();
    drop(gate);
}

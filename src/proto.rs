//! The wire format of Envoy's checks and their answers, written by `build.rs` from `proto/ext_authz.proto`.

#![expect(
    missing_docs,
    clippy::doc_markdown,
    reason = "generated code; its words are in the .proto file"
)]

include!(concat!(env!("OUT_DIR"), "/envoy.service.auth.v3.rs"));

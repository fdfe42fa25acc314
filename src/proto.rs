//! The wire format of Envoy's checks and their answers, written by `build.rs` from `proto/ext_authz.proto`, and its codec.

#![expect(
    missing_docs,
    unused_qualifications,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::default_constructed_unit_structs,
    clippy::doc_markdown,
    clippy::too_many_lines,
    reason = "generated code; its words are in the .proto file"
)]

pub mod codec;

tonic::include_proto!("envoy.service.auth.v3");

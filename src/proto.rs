//! The wire format of Envoy's checks, written by `build.rs` from `proto/ext_authz.proto`.

#![expect(
    missing_docs,
    unused_qualifications,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::doc_markdown,
    clippy::too_many_lines,
    reason = "generated code; its words are in the .proto file"
)]

tonic::include_proto!("envoy.service.auth.v3");

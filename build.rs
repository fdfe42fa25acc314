//! Compiles `proto/ext_authz.proto`, our reading of Envoy's `CheckRequest`, without needing a `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto/ext_authz.proto");
    let descriptors = protox::compile(["ext_authz.proto"], ["proto"])?;
    tonic_prost_build::configure()
        .build_client(false)
        .bytes(".")
        .extern_path(
            ".envoy.service.auth.v3.CheckResponse",
            "::envoy_types::pb::envoy::service::auth::v3::CheckResponse",
        )
        .compile_fds(descriptors)?;
    Ok(())
}

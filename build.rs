//! Compiles `proto/ext_authz.proto`, our part of Envoy's API, without needing a `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto/ext_authz.proto");
    let descriptors = protox::compile(["ext_authz.proto"], ["proto"])?;
    tonic_prost_build::configure()
        .build_client(false)
        .bytes(".")
        .codec_path("crate::proto::codec::CheckCodec")
        .compile_fds(descriptors)?;
    Ok(())
}

//! Compiles `proto/ext_authz.proto`, our part of Envoy's API, without needing a `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto/ext_authz.proto");
    let descriptors = protox::compile(["ext_authz.proto"], ["proto"])?;
    prost_build::Config::new()
        .bytes(["."])
        .compile_fds(descriptors)?;
    Ok(())
}

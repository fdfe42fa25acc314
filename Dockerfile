# Stepgate as an image: the binary, the roots of public certificate authorities, and nothing else. No shell, no user but a
# number, nothing to write. Built from this folder:
#
#   docker build -t stepgate .                                       this machine's architecture
#   docker buildx build --platform linux/amd64,linux/arm64 …         both
#
# Base images are arguments, for where these can't be pulled:
#
#   RUST     what builds it: a Rust of at least 1.95, a C compiler, cmake, and the static C library
#   BINARY   a stage or an image that holds /out/stepgate and /out/etc already; then nothing is built
#   BASE     what it runs on, if not on nothing
#
# The binary is static: glibc linked in, DNS and /etc/hosts included, so it runs on `scratch` and on any Linux.

ARG RUST=rust:1.95-bookworm
ARG BINARY=build
ARG BASE=scratch

FROM ${RUST} AS build
WORKDIR /stepgate
# `--target` keeps the static flag from build scripts and macros, which are loaded while building.
ENV RUSTFLAGS="-C target-feature=+crt-static"
COPY . .
ARG CARGO_FLAGS=--locked
RUN target="$(rustc -vV | sed -n 's/^host: //p')" \
 && cargo build --release ${CARGO_FLAGS} --package stepgate --bin stepgate --target "$target" \
 && mkdir -p /out/etc/ssl/certs \
 && cp "target/$target/release/stepgate" /out/stepgate \
 && strip /out/stepgate \
 && cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/

FROM ${BINARY} AS binary

FROM ${BASE}
COPY --from=binary /out/ /
# Any number but 0; it owns nothing.
USER 65532:65532
# gRPC for Envoy, HTTP for other proxies, admin.
EXPOSE 9191 4456 4457
ENV STEPGATE_CONFIG=/etc/stepgate/stepgate.yaml
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s --retries=2 CMD ["/stepgate", "health"]
ENTRYPOINT ["/stepgate"]
CMD ["serve"]

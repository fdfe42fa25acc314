//! `servers`: the doors as they are written.

use std::num::NonZero;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::config::{forms, shape::Word};

/// `servers`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Servers {
    /// Envoy's door, with `grpc.health.v1` beside it.
    #[serde(default)]
    pub(in crate::config) grpc: GrpcServer,
    /// The [HTTP door](http-door.md) for Caddy, Traefik, nginx and the like. Left out, there is none.
    pub(in crate::config) http: Option<HttpServer>,
    /// The [admin door](operations.md#the-admin-door): health, readiness, metrics, version.
    #[serde(default)]
    pub(in crate::config) admin: AdminServer,
}

/// `servers.grpc`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct GrpcServer {
    /// Where it listens: an address and a port, or `unix:` and the absolute path of a [socket file](#socket-files).
    #[schemars(with = "Option<forms::Address>", extend("default" = "0.0.0.0:9191"))]
    pub(in crate::config) listen: Option<Spanned<String>>,
    /// Who may open the socket file that `listen` names, as `chmod` takes it: octal, in quotes.
    #[schemars(with = "Option<forms::FileMode>", extend("default" = "0660"))]
    pub(in crate::config) socket_mode: Option<Spanned<String>>,
    /// How many connections it holds; above it new ones are closed at once, with a line in the log.
    #[schemars(with = "Option<NonZero<u32>>", extend("default" = 10000))]
    pub(in crate::config) max_connections: Option<Spanned<usize>>,
    /// The door behind [TLS](#tls). Left out, it is plain.
    pub(in crate::config) tls: Option<Tls>,
}

/// `servers.admin`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct AdminServer {
    /// Where it listens, as above; `off` for no such door.
    #[schemars(
        with = "Option<forms::AddressOrOff>",
        extend("default" = "127.0.0.1:4457")
    )]
    pub(in crate::config) listen: Option<Spanned<Word>>,
    /// Who may open the socket file that `listen` names, as `chmod` takes it: octal, in quotes.
    #[schemars(with = "Option<forms::FileMode>", extend("default" = "0660"))]
    pub(in crate::config) socket_mode: Option<Spanned<String>>,
    /// How many connections it holds; above it new ones are closed at once, with a line in the log.
    #[schemars(with = "Option<NonZero<u32>>", extend("default" = 10000))]
    pub(in crate::config) max_connections: Option<Spanned<usize>>,
    /// The door behind [TLS](#tls). Left out, it is plain.
    pub(in crate::config) tls: Option<Tls>,
}

/// `servers.http`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct HttpServer {
    /// Where it listens, as above; usually `0.0.0.0:4456`. Whoever may open a socket file is trusted as a proxy.
    #[schemars(with = "forms::Address")]
    pub(in crate::config) listen: Spanned<String>,
    /// Who may open the socket file that `listen` names, as `chmod` takes it: octal, in quotes.
    #[schemars(with = "Option<forms::FileMode>", extend("default" = "0660"))]
    pub(in crate::config) socket_mode: Option<Spanned<String>>,
    /// How many connections it holds; above it new ones are closed at once, with a line in the log.
    #[schemars(with = "Option<NonZero<u32>>", extend("default" = 10000))]
    pub(in crate::config) max_connections: Option<Spanned<usize>>,
    /// The door behind [TLS](#tls). Left out, it is plain.
    pub(in crate::config) tls: Option<Tls>,
    /// The networks or addresses that may ask; anybody else gets 403 `peer_untrusted`.
    #[schemars(
        with = "Option<Vec<forms::Network>>",
        length(min = 1),
        extend("default" = ["127.0.0.0/8", "::1/128"])
    )]
    pub(in crate::config) trusted_proxies: Option<Spanned<Vec<Spanned<String>>>>,
}

/// `servers.*.tls`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Tls {
    /// The door's certificate in PEM form, its own first, then those between it and the authority.
    #[schemars(with = "String")]
    pub(in crate::config) cert_file: Spanned<String>,
    /// Its private key in PEM form (PKCS#8, PKCS#1 or SEC1), without a password.
    #[schemars(with = "String")]
    pub(in crate::config) key_file: Spanned<String>,
    /// PEM certificates of authorities; with it, only a client that shows a certificate signed by one of them gets in. Left
    /// out, anybody does. Set it on Envoy's door wherever others can reach the port.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) client_ca_file: Option<Spanned<String>>,
}

impl Tls {
    /// Every file it names.
    pub(in crate::config) fn files(&self) -> impl Iterator<Item = &Spanned<String>> {
        [&self.cert_file, &self.key_file]
            .into_iter()
            .chain(&self.client_ca_file)
    }
}

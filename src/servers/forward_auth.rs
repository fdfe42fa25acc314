//! The HTTP door: for Caddy, Traefik, nginx, callers of Oathkeeper, and Envoy where it asks over HTTP.
//!
//! Only a peer in `trusted_proxies` may ask, for the facts of a request are what its headers say. Each fact comes exactly
//! once, or the request can't be judged. Paths are read byte for byte, and bodies not at all.

mod caller;
pub mod encode;
mod heads;
mod trusted;

use std::{convert::Infallible, sync::Arc, time::Duration};

use hyper::{
    Request, Response, body::Body, body::Incoming, server::conn::http1, service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;

use super::{
    connection::Connection,
    door::{Door, drive},
    listen::Peer,
};
use crate::{
    authorizer::{Answer, Authorizer},
    domain::{decision::Decision, reason::Reason},
};
use heads::Heads;

pub use caller::Caller;
pub use trusted::{NetworkError, TrustedProxies};

/// Most bytes of a request's line and headers.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Most headers of a request: what `envoy/envoy.yaml` lets through, and the proxy's own.
const MAX_HEADERS: usize = 300;
/// How long a connection may wait for its next request: longer than proxies keep theirs, so that they close it.
const IDLE: Duration = Duration::from_secs(150);

/// The door.
#[derive(Clone, Debug)]
pub struct ForwardAuth {
    authorizer: Arc<Authorizer>,
    trusted: Arc<TrustedProxies>,
}

impl ForwardAuth {
    /// A door that believes these peers.
    #[must_use]
    pub fn door(authorizer: Arc<Authorizer>, trusted: TrustedProxies) -> impl Door {
        Self {
            authorizer,
            trusted: Arc::new(trusted),
        }
    }

    /// Whoever may open a socket file is believed: its mode says who that is.
    fn trusts(&self, peer: Peer) -> bool {
        match peer {
            Peer::Tcp(peer) => self.trusted.contains(peer.ip()),
            Peer::Unix => true,
        }
    }

    async fn respond(
        &self,
        request: Request<Incoming>,
        is_trusted: bool,
    ) -> Result<Response<String>, Infallible> {
        let has_body = !request.body().is_end_stream();
        let response = match Caller::find(request.uri()) {
            Some((caller, target)) => {
                let answer = self.answer(caller, target, &request, is_trusted).await;
                encode::response(caller, answer)
            }
            None => encode::not_found(),
        };
        // What is left of a body would be taken for the next request.
        Ok(encode::with_end(response, has_body || !is_trusted))
    }

    async fn answer(
        &self,
        caller: Caller,
        target: &str,
        request: &Request<Incoming>,
        is_trusted: bool,
    ) -> Answer {
        let (facts, fault) = caller.facts(request.method(), target, request.headers());
        let refusal = if is_trusted {
            fault.err().map(Decision::Malformed)
        } else {
            Some(Decision::Deny(Reason::PeerUntrusted))
        };
        match refusal {
            Some(decision) => self.authorizer.refuse(Self::NAME, &facts, decision),
            None => self.authorizer.check(Self::NAME, &facts, None).await,
        }
    }
}

impl Door for ForwardAuth {
    const NAME: &'static str = "http";

    async fn serve(self, connection: Connection, stop: watch::Receiver<bool>) {
        let is_trusted = self.trusts(connection.peer());
        if !is_trusted {
            tracing::info!(peer = %connection.peer(), "a peer outside `trusted_proxies` has connected");
        }
        let service = service_fn(|request| self.respond(request, is_trusted));
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .max_buf_size(MAX_HEAD_BYTES)
            .max_headers(MAX_HEADERS)
            .serve_connection(TokioIo::new(Heads::new(connection)), service);
        drive(served, stop).await;
    }
}

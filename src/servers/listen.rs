//! Where a door listens.

use std::{fmt, io, net::SocketAddr};

use tokio::net::TcpListener;

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub SocketAddr);

/// Why a door can't listen.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on `{listen}`; is something else running there?")]
pub struct ListenError {
    listen: Listen,
    source: io::Error,
}

impl Listen {
    /// Takes the address.
    ///
    /// # Errors
    /// [`ListenError`] where it is taken or not this machine's.
    pub async fn bind(self) -> Result<TcpListener, ListenError> {
        TcpListener::bind(self.0)
            .await
            .map_err(|source| ListenError {
                listen: self,
                source,
            })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

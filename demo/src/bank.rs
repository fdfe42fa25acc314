//! Olympus Bank, the application behind Envoy.
//!
//! It has an open page, a page for people who are signed in, and a page that moves money. It holds no auth code: it
//! serves whoever reaches it, shows what it was told of them, and writes each request into a [`Ledger`], so that a
//! test sees at the app itself what got through.

mod ledger;
mod reading;
mod site;

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use ledger::{Ledger, Visit};

/// A running bank; dropping it stops it.
#[derive(Debug)]
pub struct Bank {
    address: SocketAddr,
    ledger: Ledger,
    server: JoinHandle<()>,
}

impl Bank {
    /// Serves on `listener`. `login_pages` is the origin of the login pages, which the bank links to.
    ///
    /// # Errors
    ///
    /// When the listener has no address of its own.
    pub fn start(listener: TcpListener, login_pages: &str) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let ledger = Ledger::default();
        let app = site::router(login_pages, ledger.clone());
        let server = tokio::spawn(async move {
            // Ends when it is aborted; `serve` itself never fails.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self {
            address,
            ledger,
            server,
        })
    }

    /// Serves the ledger too, for a reader in another process; see [`Ledger::at`].
    #[must_use]
    pub fn open_ledger(self, listener: TcpListener) -> Self {
        let app = reading::router(self.ledger.clone());
        // Ends with the runtime: nobody opens a ledger for less long than the bank.
        tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        self
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What reached it.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        self.server.abort();
    }
}

//! The login pages: password, second factor, settings, error, and a page that says who is logged in.
//!
//! They drive Kratos' public API as any Kratos UI does: Kratos sends the browser here with a flow's id, the page asks
//! Kratos for that flow with the browser's own cookies, and draws the form it gets. The browser posts that form to
//! Kratos itself. So the pages keep no state, see no password, and serve the double and a real Kratos alike.

mod body;
mod flow;
mod form;
mod kratos;
mod qr;
mod site;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use kratos::{Fault, Kratos};

/// Running login pages; dropping them stops them.
#[derive(Debug)]
pub struct Pages {
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Pages {
    /// Serves on `listener`. `kratos` is the public API as it is reached from here, `bank` the origin of the bank.
    ///
    /// # Errors
    ///
    /// When the listener has no address of its own.
    pub fn start(listener: TcpListener, kratos: Kratos, bank: &str) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let app = site::router(kratos, bank);
        let server = tokio::spawn(async move {
            // Ends when it is aborted; `serve` itself never fails.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { address, server })
    }

    /// Where they listen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.server.abort();
    }
}

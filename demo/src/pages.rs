//! The login pages: password, second factor, recovery, settings, error, and a page that says who is logged in.
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

use tokio::net::TcpListener;

pub use kratos::{Fault, Kratos};

use crate::look::Brand;
use crate::server::Server;

/// Serves on `listener`. `kratos` is the public API as it is reached from here, `home` the origin of the app.
///
/// # Errors
///
/// When the listener has no address of its own.
pub fn start(
    listener: TcpListener,
    kratos: Kratos,
    brand: Brand,
    home: &str,
) -> std::io::Result<Server> {
    Server::start(listener, site::router(kratos, brand, home))
}

//! A ledger over HTTP: `GET /` reads it, `DELETE /` clears it. The reader waits where it stands, as a test may.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};

use super::ledger::{Ledger, Visit};

/// Longest a reader waits.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn router(ledger: Ledger) -> Router {
    let read = |State(ledger): State<Ledger>| async move { Json(ledger.visits()) };
    let clear = |State(ledger): State<Ledger>| async move { ledger.clear() };
    Router::new()
        .route("/", get(read).delete(clear))
        .with_state(ledger)
}

pub(super) fn visits(address: SocketAddr) -> io::Result<Vec<Visit>> {
    serde_json::from_str(&ask(address, "GET")?).map_err(io::Error::other)
}

pub(super) fn clear(address: SocketAddr) -> io::Result<()> {
    ask(address, "DELETE").map(drop)
}

/// The body of the answer. HTTP/1.0, so that the answer ends where the connection does.
fn ask(address: SocketAddr, method: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "{method} / HTTP/1.0\r\nHost: ledger\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.0 200") => Ok(body.to_owned()),
        _ => Err(io::Error::other("no ledger there")),
    }
}

#[cfg(test)]
mod tests {
    use axum::middleware;
    use tokio::net::TcpListener;

    use super::super::{open_ledger, record};
    use super::*;
    use crate::server::Server;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_ledger_is_read_and_cleared_from_elsewhere() {
        let listen = || TcpListener::bind("127.0.0.1:0");
        let ledger = Ledger::default();
        let app = Router::new()
            .fallback(|| async {})
            .layer(middleware::from_fn_with_state(ledger.clone(), record));
        let bank = Server::start(listen().await.unwrap(), app).unwrap();
        let open = open_ledger(listen().await.unwrap(), ledger.clone()).unwrap();
        let reader = Ledger::at(open.address());
        let url = format!("http://{}/account?a=b", bank.address());
        let client = crate::client::builder().build().unwrap();
        client
            .get(url)
            .header("x-user-aal", "aal1")
            .send()
            .await
            .unwrap();
        assert_eq!(reader.visits(), ledger.visits());
        assert_eq!(reader.count("/account"), 1);
        reader.clear();
        assert_eq!(reader.count("/account"), 0);
    }

    #[test]
    fn a_ledger_that_cannot_be_read_never_counts_as_empty() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = closed.local_addr().unwrap();
        drop(closed);
        assert_eq!(Ledger::at(address).count("/"), usize::MAX);
    }
}

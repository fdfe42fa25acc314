//! The trading floor: a WebSocket that tells a price a second.

use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;

/// Between two prices.
const PAUSE: Duration = Duration::from_secs(1);
/// The price of ambrosia, round and round.
const PRICES: [&str; 6] = ["104.20", "104.35", "104.10", "103.90", "104.05", "104.60"];

pub(super) async fn trade(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(tell)
}

async fn tell(mut socket: WebSocket) {
    for price in PRICES.iter().cycle() {
        if socket.send(Message::text(*price)).await.is_err() {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

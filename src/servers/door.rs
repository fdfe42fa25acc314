//! What the doors have in common: connections served side by side, each until it ends or its door closes.

use std::pin::pin;

use hyper_util::server::graceful::GracefulConnection;
use tokio::{sync::watch, task::JoinSet};
use tokio_stream::StreamExt;

use super::{connection::Connection, runtime::Connections};

/// What speaks one protocol.
pub trait Door: Clone + Send + 'static {
    /// Its name in the log.
    const NAME: &'static str;

    /// Serves one connection until it ends. Once `stop` holds true it finishes the checks in flight and ends it.
    fn serve(
        self,
        connection: Connection,
        stop: watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + Send;
}

/// Serves one worker's share of the connections, until no more come and the last has ended.
pub(super) async fn serve_all(
    door: impl Door,
    mut connections: Connections,
    stop: watch::Receiver<bool>,
) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            connection = connections.next() => match connection {
                Some(Ok(connection)) => {
                    open.spawn(door.clone().serve(connection, stop.clone()));
                }
                Some(Err(error)) => tracing::debug!(%error, "a connection was lost"),
                None => break,
            },
            Some(_) = open.join_next() => {}
        }
    }
    while open.join_next().await.is_some() {}
}

/// Drives a connection to its end. Once `stop` holds true it takes no new request, and ends with the answers that are due.
pub(super) async fn drive(
    connection: impl GracefulConnection<Error = hyper::Error>,
    stop: watch::Receiver<bool>,
) {
    let mut served = pin!(connection);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = told(stop) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

/// Returns when `stop` holds true, or when nobody is left who could say so: then it is time to stop as well.
pub(super) async fn told(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

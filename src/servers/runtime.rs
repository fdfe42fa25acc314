//! One current-thread runtime a core. Connections are accepted in one place and handed round.

use std::{io, net, num::NonZero, sync::Arc, thread, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::transport::Server;
use tonic_health::{
    ServingStatus,
    pb::health_server::{Health, HealthServer},
};

use super::ext_authz::ExtAuthz;
use crate::authorizer::Authorizer;

/// The service that `grpc.health.v1` answers for beside the empty name.
const AUTHORIZATION: &str = "envoy.service.auth.v3.Authorization";
/// Accepted connections that wait for one worker.
const BACKLOG: usize = 1024;
/// A connection that sends nothing is asked whether it lives.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Pause after `accept` fails, as it does when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves Envoy's door on this listener until `stop` holds true, then finishes the checks in flight.
///
/// # Errors
/// Where a worker can't be started.
pub async fn serve(
    listener: TcpListener,
    authorizer: Arc<Authorizer>,
    workers: NonZero<usize>,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter
        .set_service_status(AUTHORIZATION, ServingStatus::Serving)
        .await;
    let start = |_| Worker::start(Arc::clone(&authorizer), health.clone(), stop.clone());
    let mut workers = (0..workers.get())
        .map(start)
        .collect::<io::Result<Vec<_>>>()?;
    tokio::select! {
        () = hand_round(&listener, &workers) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    reporter
        .set_service_status("", ServingStatus::NotServing)
        .await;
    reporter
        .set_service_status(AUTHORIZATION, ServingStatus::NotServing)
        .await;
    for worker in &mut workers {
        worker.finish().await;
    }
    Ok(())
}

/// Accepts connections and gives each to the next worker.
async fn hand_round(listener: &TcpListener, workers: &[Worker]) {
    for worker in workers.iter().cycle() {
        match listener
            .accept()
            .await
            .and_then(|(stream, _)| stream.into_std())
        {
            Ok(stream) => worker.take(stream).await,
            Err(error) => {
                tracing::warn!(%error, "can't accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A thread with a runtime of its own.
struct Worker {
    connections: Option<mpsc::Sender<net::TcpStream>>,
    done: watch::Receiver<()>,
}

impl Worker {
    fn start<H: Health>(
        authorizer: Arc<Authorizer>,
        health: HealthServer<H>,
        stop: watch::Receiver<bool>,
    ) -> io::Result<Self> {
        let (connections, accepted) = mpsc::channel(BACKLOG);
        let (alive, done) = watch::channel(());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        thread::Builder::new()
            .name("checks".to_owned())
            .spawn(move || {
                runtime.block_on(serve_connections(accepted, authorizer, health, stop));
                drop(alive);
            })?;
        Ok(Self {
            connections: Some(connections),
            done,
        })
    }

    async fn take(&self, stream: net::TcpStream) {
        if let Some(connections) = &self.connections {
            // It fails only where the worker has stopped; the connection closes then.
            let _ = connections.send(stream).await;
        }
    }

    /// Takes no more connections and waits until those there are done.
    async fn finish(&mut self) {
        self.connections = None;
        // The sender is never used, only dropped, which is the sign.
        let _ = self.done.changed().await;
    }
}

async fn serve_connections<H: Health>(
    accepted: mpsc::Receiver<net::TcpStream>,
    authorizer: Arc<Authorizer>,
    health: HealthServer<H>,
    mut stop: watch::Receiver<bool>,
) {
    let connections = ReceiverStream::new(accepted).map(adopt);
    let stopped = async move {
        // An error means that nobody can stop us any more: then it is time to stop.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let served = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .add_service(ExtAuthz::service(authorizer))
        .add_service(health)
        .serve_with_incoming_shutdown(connections, stopped)
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "a worker stopped");
    }
}

/// Makes an accepted connection this runtime's.
fn adopt(stream: net::TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    TcpStream::from_std(stream)
}

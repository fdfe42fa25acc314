//! One current-thread runtime a core. Each door accepts in one place, up to its bound, and hands its connections round.

use std::{
    io,
    num::NonZero,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    thread,
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    task::{JoinHandle, JoinSet},
};
use tokio_stream::Stream;

use super::{
    Listening,
    connection::{Accepted, Connection},
    door::{Door, serve_all, told},
    listen::{Bare, Peer},
    tls::Tls,
};

/// Accepted connections that wait for one worker.
const BACKLOG: usize = 1024;
/// Pause after `accept` fails, as it does when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The connections that one worker serves for one door. Where the door has TLS, hands are shaken already.
#[derive(Debug)]
pub struct Connections {
    accepted: mpsc::Receiver<Accepted>,
    tls: Option<Tls>,
    /// Side by side, so that a slow client holds up nobody else.
    handshakes: JoinSet<Option<Connection>>,
}

impl Connections {
    fn new(accepted: mpsc::Receiver<Accepted>, tls: Option<Tls>) -> Self {
        Self {
            accepted,
            tls,
            handshakes: JoinSet::new(),
        }
    }

    /// The next connection that needs no handshake. Begins the handshake of each that comes before it.
    fn poll_plain(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Connection>>> {
        while let Some(accepted) = ready!(self.accepted.poll_recv(context)) {
            match (accepted.adopt(), &self.tls) {
                (Ok(connection), Some(tls)) => {
                    self.handshakes.spawn(connection.behind(tls.clone()));
                }
                (adopted, _) => return Poll::Ready(Some(adopted)),
            }
        }
        Poll::Ready(None)
    }

    /// The next connection whose handshake is done.
    fn poll_shaken(&mut self, context: &mut Context<'_>) -> Poll<Connection> {
        while let Poll::Ready(Some(shaken)) = self.handshakes.poll_join_next(context) {
            match shaken {
                Ok(Some(connection)) => return Poll::Ready(connection),
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "a TLS handshake stopped"),
            }
        }
        Poll::Pending
    }
}

impl Stream for Connections {
    type Item = io::Result<Connection>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Connection>>> {
        if let Poll::Ready(next) = self.poll_plain(context) {
            return Poll::Ready(next);
        }
        self.poll_shaken(context)
            .map(|connection| Some(Ok(connection)))
    }
}

/// Serves one door on all workers until `stop` holds true, then finishes the checks in flight.
pub async fn serve<D: Door>(
    listening: Listening,
    door: D,
    workers: &Workers,
    stop: watch::Receiver<bool>,
) {
    let shares = workers.share(&door, listening.tls.as_ref(), &stop);
    // With the listener gone, whoever connects from then on is told so at once.
    tokio::select! {
        () = hand_round(listening, D::NAME, &shares) => {}
        () = told(stop) => {}
    }
    for share in shares {
        share.finish().await;
    }
}

/// Accepts connections and gives each to the next worker.
async fn hand_round(listening: Listening, door: &'static str, shares: &[Share]) {
    let mut places = Places::new(door, listening.max_connections);
    for share in shares.iter().cycle() {
        match listening.listener.accept().await {
            Ok((stream, peer)) => share.take(places.seat(stream, peer)).await,
            Err(error) => {
                tracing::warn!(%error, "can't accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The places of one door.
struct Places {
    door: &'static str,
    free: Arc<Semaphore>,
    max_connections: NonZero<usize>,
    were_full: bool,
}

impl Places {
    fn new(door: &'static str, max_connections: NonZero<usize>) -> Self {
        let free = max_connections.get().min(Semaphore::MAX_PERMITS);
        Self {
            door,
            free: Arc::new(Semaphore::new(free)),
            max_connections,
            were_full: false,
        }
    }

    /// Gives a connection its place; where there is none it is closed at once.
    fn seat(&mut self, stream: Bare, peer: Peer) -> Option<Accepted> {
        let place = self.place()?;
        Some(Accepted {
            stream,
            peer,
            place,
        })
    }

    /// A free place. The log tells when they run out, not of each connection that finds none.
    fn place(&mut self) -> Option<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.free).try_acquire_owned().ok();
        if place.is_none() && !self.were_full {
            let (door, max_connections) = (self.door, self.max_connections);
            tracing::warn!(
                door,
                max_connections,
                "no connection is free; new ones are closed"
            );
        }
        self.were_full = place.is_none();
        place
    }
}

/// Threads with a runtime each. They end when this is dropped.
#[derive(Debug)]
pub struct Workers(Vec<Worker>);

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    /// Never used, only dropped, which is the sign to end.
    _end: oneshot::Sender<()>,
}

impl Workers {
    /// Starts so many.
    ///
    /// # Errors
    /// Where a runtime or a thread can't be had.
    pub fn start(count: NonZero<usize>) -> io::Result<Self> {
        let workers = (0..count.get()).map(|_| Worker::start());
        workers.collect::<io::Result<_>>().map(Self)
    }

    /// Opens the door on each.
    fn share(
        &self,
        door: &impl Door,
        tls: Option<&Tls>,
        stop: &watch::Receiver<bool>,
    ) -> Vec<Share> {
        let open = |worker: &Worker| worker.open(door.clone(), tls.cloned(), stop.clone());
        self.0.iter().map(open).collect()
    }
}

impl Worker {
    fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel();
        let thread = thread::Builder::new().name("checks".to_owned());
        // An error from the receiver is the sign itself.
        thread.spawn(move || runtime.block_on(ended).is_ok())?;
        Ok(Self {
            runtime: handle,
            _end: end,
        })
    }

    fn open(&self, door: impl Door, tls: Option<Tls>, stop: watch::Receiver<bool>) -> Share {
        let (connections, accepted) = mpsc::channel(BACKLOG);
        let accepted = Connections::new(accepted, tls);
        let served = self.runtime.spawn(serve_all(door, accepted, stop));
        Share {
            connections,
            served,
        }
    }
}

/// What one worker does for one door.
struct Share {
    connections: mpsc::Sender<Accepted>,
    served: JoinHandle<()>,
}

impl Share {
    async fn take(&self, accepted: Option<Accepted>) {
        if let Some(accepted) = accepted {
            // It fails only where the worker has stopped; the connection closes then.
            let _ = self.connections.send(accepted).await;
        }
    }

    /// Gives no more connections and waits until those there are done.
    async fn finish(self) {
        drop(self.connections);
        if let Err(error) = self.served.await {
            tracing::error!(%error, "a worker stopped");
        }
    }
}

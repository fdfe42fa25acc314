//! One current-thread runtime a core. Each door accepts in one place, up to its bound, and hands its connections round.

use std::{
    io,
    net::SocketAddr,
    num::NonZero,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    thread,
    time::Duration,
};

use tokio::{
    net::TcpStream,
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    task::JoinHandle,
};
use tokio_stream::Stream;

use super::{
    Listening,
    connection::{Accepted, Connection},
};

/// Accepted connections that wait for one worker.
const BACKLOG: usize = 1024;
/// Pause after `accept` fails, as it does when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What speaks one protocol.
pub trait Door: Clone + Send + 'static {
    /// Its name in the log.
    const NAME: &'static str;

    /// Serves one worker's share of the connections. Once `stop` holds true it finishes the checks in flight and ends.
    fn serve(
        self,
        connections: Connections,
        stop: watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + Send;
}

/// The connections that one worker serves for one door.
#[derive(Debug)]
pub struct Connections(mpsc::Receiver<Accepted>);

impl Stream for Connections {
    type Item = io::Result<Connection>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Connection>>> {
        let next = self.0.poll_recv(context);
        next.map(|accepted| accepted.map(Accepted::adopt))
    }
}

/// Returns when `stop` holds true, or when nobody is left who could say so: then it is time to stop as well.
pub(super) async fn told(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Serves one door on all workers until `stop` holds true, then finishes the checks in flight.
pub async fn serve<D: Door>(
    listening: Listening,
    door: D,
    workers: &Workers,
    stop: watch::Receiver<bool>,
) {
    let shares = workers.share(&door, &stop);
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
    fn seat(&mut self, stream: TcpStream, peer: SocketAddr) -> Option<Accepted> {
        let place = self.place()?;
        let stream = stream.into_std().ok()?;
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
    fn share(&self, door: &impl Door, stop: &watch::Receiver<bool>) -> Vec<Share> {
        let open = |worker: &Worker| worker.open(door.clone(), stop.clone());
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

    fn open(&self, door: impl Door, stop: watch::Receiver<bool>) -> Share {
        let (connections, accepted) = mpsc::channel(BACKLOG);
        let served = self.runtime.spawn(door.serve(Connections(accepted), stop));
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

//! Starting and stopping a double; what a test does to it besides is in [`hands`].
//!
//! Everything acts on the store that the HTTP side answers from.

mod hands;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use super::clock::Clock;
use super::options::Options;
use super::server::Door;
use super::state::Kratos;
pub use hands::{Person, SessionCookie};

/// How long connections may take to end when a double is stopped.
const GRACE: Duration = Duration::from_secs(2);

/// A running Kratos; it stops when it is dropped.
#[derive(Debug)]
pub struct Double {
    kratos: Arc<Kratos>,
    public_url: Url,
    admin_url: Url,
    /// Both doors close when this goes.
    open: watch::Sender<()>,
    doors: Vec<JoinHandle<io::Result<()>>>,
}

impl Double {
    /// Opens both doors and answers from then on, as long as the runtime runs.
    ///
    /// # Errors
    ///
    /// An address can't be listened on.
    pub async fn start(options: Options) -> io::Result<Self> {
        let public = TcpListener::bind(options.public_listen).await?;
        let admin = TcpListener::bind(options.admin_listen).await?;
        let public_url = url_of(public.local_addr()?)?;
        let admin_url = url_of(admin.local_addr()?)?;
        let base = options
            .base_url
            .clone()
            .unwrap_or_else(|| public_url.clone());
        let kratos = Arc::new(Kratos::new(
            options,
            Clock::default(),
            base.as_str(),
            admin_url.as_str(),
        ));
        let (open, closed) = watch::channel(());
        let door = |door: Door, listener| {
            tokio::spawn(serve(door, listener, Arc::clone(&kratos), closed.clone()))
        };
        let doors = vec![door(Door::Public, public), door(Door::Admin, admin)];
        Ok(Self {
            kratos,
            public_url,
            admin_url,
            open,
            doors,
        })
    }

    /// Where the public API listens; links in answers start with `base_url`, which may differ.
    #[must_use]
    pub fn public_url(&self) -> Url {
        self.public_url.clone()
    }

    /// Where the admin API listens.
    #[must_use]
    pub fn admin_url(&self) -> Url {
        self.admin_url.clone()
    }

    /// The clock that everything in the double ages by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.kratos.clock
    }

    /// Closes both doors, and ends every connection soon after.
    pub async fn stop(self) {
        let Self { open, doors, .. } = self;
        drop(open);
        for mut door in doors {
            if tokio::time::timeout(GRACE, &mut door).await.is_err() {
                door.abort();
            }
        }
    }

    /// How often whoami was asked, whatever it answered.
    #[must_use]
    pub fn whoami_calls(&self) -> u64 {
        self.calls("/sessions/whoami")
    }

    /// How often the public API was asked for exactly that path.
    #[must_use]
    pub fn calls(&self, path: &str) -> u64 {
        self.kratos.calls(path)
    }
}

fn serve(
    door: Door,
    listener: TcpListener,
    kratos: Arc<Kratos>,
    mut closed: watch::Receiver<()>,
) -> impl Future<Output = io::Result<()>> + Send + use<> {
    let service = door
        .service(kratos)
        .into_make_service_with_connect_info::<SocketAddr>();
    async move {
        let until = async move {
            // Only an error ends this: the sender is gone.
            while closed.changed().await.is_ok() {}
        };
        axum::serve(listener, service)
            .with_graceful_shutdown(until)
            .await
    }
}

fn url_of(address: SocketAddr) -> io::Result<Url> {
    Url::parse(&format!("http://{address}/")).map_err(io::Error::other)
}

//! The doors. They turn what arrives into facts, ask the authorizer, and encode its reply; they hold no logic of their own.
//!
//! [`Doors`] opens what the configuration lists. [`runtime`] accepts connections, so many and no more, and hands them round
//! to one worker a core, where each [`Door`](door::Door) serves its share.

pub mod admin;
mod connection;
pub mod door;
pub mod ext_authz;
pub mod forward_auth;
pub mod listen;
pub mod runtime;
pub mod tls;

use std::{io, num::NonZero, sync::Arc};

use tokio::{sync::watch, task::JoinHandle};

use crate::authorizer::Authorizer;
use admin::Admin;
use forward_auth::{ForwardAuth, TrustedProxies};
use listen::{Listen, ListenError, Listener};
use runtime::Workers;
use tls::Tls;

/// The configuration's `servers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Envoy's door.
    pub grpc: DoorSettings,
    /// The HTTP door, where it is wanted.
    pub http: Option<HttpSettings>,
    /// Health, readiness and metrics, unless they are off.
    pub admin: Option<DoorSettings>,
}

/// What every door needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorSettings {
    /// Where it listens.
    pub listen: Listen,
    /// How many connections it holds at once.
    pub max_connections: NonZero<usize>,
    /// Its certificate and whose it asks for; `None` where it speaks plainly.
    pub tls: Option<Tls>,
}

/// What the HTTP door needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// As every door.
    pub door: DoorSettings,
    /// Who may ask.
    pub trusted_proxies: TrustedProxies,
}

/// Every door, listening.
#[derive(Debug)]
pub struct Doors {
    grpc: Listening,
    http: Option<(Listening, TrustedProxies)>,
    admin: Option<Listening>,
    drain: watch::Sender<bool>,
}

/// A door's listener, its bound and its TLS.
#[derive(Debug)]
pub struct Listening {
    listener: Listener,
    max_connections: NonZero<usize>,
    tls: Option<Tls>,
}

impl Settings {
    /// Takes over, without a restart, what may change without one: what stands in the files of `tls`.
    pub fn take_over(&self, newer: &Self) {
        let http = self.http.as_ref().zip(newer.http.as_ref());
        let http = http.map(|(http, newer)| (&http.door, &newer.door));
        let admin = self.admin.as_ref().zip(newer.admin.as_ref());
        let doors = [Some((&self.grpc, &newer.grpc)), http, admin];
        for (door, newer) in doors.into_iter().flatten() {
            if let Some((tls, newer)) = door.tls.as_ref().zip(newer.tls.as_ref()) {
                tls.take_over(newer);
            }
        }
    }
}

impl Doors {
    /// Takes every address.
    ///
    /// # Errors
    /// [`ListenError`] for the first that can't be had.
    pub async fn open(settings: Settings) -> Result<Self, ListenError> {
        let grpc = Listening::open(settings.grpc).await?;
        let http = match settings.http {
            Some(http) => Some((Listening::open(http.door).await?, http.trusted_proxies)),
            None => None,
        };
        let admin = match settings.admin {
            Some(admin) => Some(Listening::open(admin).await?),
            None => None,
        };
        let (drain, _) = watch::channel(false);
        Ok(Self {
            grpc,
            http,
            admin,
            drain,
        })
    }

    /// Where Envoy's door listens.
    ///
    /// # Errors
    /// Where the system won't say.
    pub fn grpc_address(&self) -> io::Result<Listen> {
        self.grpc.listener.place()
    }

    /// Where the HTTP door listens, if it does.
    ///
    /// # Errors
    /// Where the system won't say.
    pub fn http_address(&self) -> io::Result<Option<Listen>> {
        let http = self.http.as_ref();
        http.map(|(door, _)| door.listener.place()).transpose()
    }

    /// Where health, readiness and metrics are served, if they are.
    ///
    /// # Errors
    /// Where the system won't say.
    pub fn admin_address(&self) -> io::Result<Option<Listen>> {
        let admin = self.admin.as_ref();
        admin.map(|door| door.listener.place()).transpose()
    }

    /// Where to say that the end is near: once it holds true, health is `NOT_SERVING`, while checks are answered as ever.
    #[must_use]
    pub fn drain(&self) -> watch::Sender<bool> {
        self.drain.clone()
    }

    /// Serves every door on the same workers until `stop` holds true, then finishes the checks in flight. The admin door
    /// has a worker of its own, so that no check waits for a scrape, and is the last to close.
    ///
    /// # Errors
    /// Where a worker can't be started.
    pub async fn serve(
        self,
        authorizer: Arc<Authorizer>,
        workers: NonZero<usize>,
        stop: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let workers = Workers::start(workers)?;
        let (close, closed) = watch::channel(false);
        let admin = self.admin.map(|door| open_admin(door, &self.drain, closed));
        let admin = admin.transpose()?;
        let envoy = ext_authz::door(Arc::clone(&authorizer), self.drain.subscribe()).await;
        let grpc = runtime::serve(self.grpc, envoy, &workers, stop.clone());
        match self.http {
            Some((http, trusted)) => {
                let proxies = ForwardAuth::door(authorizer, trusted);
                let http = runtime::serve(http, proxies, &workers, stop);
                tokio::join!(grpc, http);
            }
            None => grpc.await,
        }
        close.send_replace(true);
        if let Some(admin) = admin {
            // It has nothing left to say to whom it matters.
            let _ = admin.await;
        }
        Ok(())
    }
}

/// Opens the admin door on a worker of its own.
fn open_admin(
    door: Listening,
    drain: &watch::Sender<bool>,
    closed: watch::Receiver<bool>,
) -> io::Result<JoinHandle<()>> {
    let worker = Workers::start(NonZero::<usize>::MIN)?;
    let admin = Admin::door(drain.subscribe());
    Ok(tokio::spawn(async move {
        runtime::serve(door, admin, &worker, closed).await;
    }))
}

impl Listening {
    async fn open(settings: DoorSettings) -> Result<Self, ListenError> {
        Ok(Self {
            listener: settings.listen.bind().await?,
            max_connections: settings.max_connections,
            tls: settings.tls,
        })
    }
}

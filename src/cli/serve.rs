//! `stepgate serve`: configuration, log, clients, doors, then checks until told to stop.

use std::{error::Error, io, num::NonZero, path::Path, sync::Arc, thread, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::JoinHandle,
};

use super::{Exit, complain, live::Survey};
use crate::{
    authorizer::Authorizer,
    config::{
        Config,
        reload::{Asker, Reloader},
    },
    servers::Doors,
    telemetry::{clock::Clock, loads, log, traces},
};

/// What checks in flight may take at the end beyond their wait for Kratos: for slow networks, on either side.
const MARGIN: Duration = Duration::from_secs(5);

/// Serves, and says how it ended.
pub(super) fn run(config: &Path) -> Exit {
    let mut reloader = Reloader::new(config.to_owned());
    let config = match reloader.load() {
        Ok(config) => config,
        Err(faults) => {
            complain(&faults);
            return Exit::BadConfig;
        }
    };
    let served = serve(config, reloader);
    traces::flush();
    log::flush();
    match served {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&*error);
            Exit::Internal
        }
    }
}

fn serve(config: Config, reloader: Reloader) -> Result<(), Box<dyn Error>> {
    log::init(config.log)?;
    traces::start();
    config.tell_warnings();
    let reloader = reloader.started_with(&config);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut signals = Signals::new()?;
        let doors = Doors::open(config.servers.clone()).await?;
        let grpc = doors.grpc_address()?;
        let http = doors.http_address()?.map(|http| http.to_string());
        let admin = doors.admin_address()?.map(|admin| admin.to_string());
        let rules = config.policy.rules.rules().len();
        let workers = config.workers.unwrap_or_else(cores);
        let survey = Survey::of(&config);
        let drain = config.drain;
        let authorizer = Arc::new(Authorizer::new(config.into_snapshot()?, Clock::system()));
        loads::started(rules);
        let draining = doors.drain();
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(doors.serve(Arc::clone(&authorizer), workers, stopped));
        tokio::spawn(hang_ups(signal(SignalKind::hangup())?, reloader.asker()));
        reloader.spawn(Arc::clone(&authorizer))?;
        tracing::info!(%grpc, http, admin, rules, workers = workers.get(), "serving");
        tokio::spawn(survey.warn());
        signals.next().await;
        let ending = Ending {
            drain,
            draining,
            stop,
            authorizer,
        };
        tokio::select! {
            ended = ending.run(serving) => ended,
            () = signals.next() => {
                tracing::warn!("told twice; checks in flight are cut off");
                Ok(())
            }
        }
    })
}

/// How it ends, once it is told to.
struct Ending {
    drain: Duration,
    draining: watch::Sender<bool>,
    stop: watch::Sender<bool>,
    authorizer: Arc<Authorizer>,
}

impl Ending {
    /// Goes on answering while health says that it won't for long; then has every connection end and the checks in flight
    /// finish.
    async fn run(self, serving: JoinHandle<io::Result<()>>) -> Result<(), Box<dyn Error>> {
        tracing::info!(drain = ?self.drain, "draining");
        self.draining.send_replace(true);
        tokio::time::sleep(self.drain).await;
        tracing::info!("stopping");
        self.stop.send_replace(true);
        if let Ok(ended) = tokio::time::timeout(self.limit(), serving).await {
            return Ok(ended??);
        }
        tracing::warn!("checks in flight took too long and are cut off");
        Ok(())
    }

    /// As long as a check may take: the longest that one waits for any Kratos, and a margin.
    fn limit(&self) -> Duration {
        let snapshot = self.authorizer.snapshot();
        let longest = snapshot.kratos.iter().map(|kratos| kratos.timeout()).max();
        longest.unwrap_or_default().saturating_add(MARGIN)
    }
}

fn cores() -> NonZero<usize> {
    thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

/// Asks for a reload at each SIGHUP.
async fn hang_ups(mut hang_ups: Signal, asker: Asker) {
    while hang_ups.recv().await.is_some() {
        asker.ask();
    }
}

/// What tells it to stop: SIGTERM and Ctrl-C.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens from now on, so that none is lost between two waits.
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

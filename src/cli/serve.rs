//! `stepgate serve`: configuration, log, clients, doors, then checks until told to stop.

use std::{error::Error, num::NonZero, path::Path, sync::Arc, thread, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use super::{Exit, complain};
use crate::{
    authorizer::Authorizer,
    config::{
        Config,
        reload::{Asker, Reloader},
    },
    servers::Doors,
    telemetry::{clock::Clock, log},
};

/// The longest that checks in flight hold up the end.
const MAX_STOP: Duration = Duration::from_secs(10);

/// Serves, and says how it ended.
pub(super) fn run(config: &Path) -> Exit {
    let reloader = Reloader::new(config.to_owned());
    let config = match Config::load(config) {
        Ok(config) => config,
        Err(faults) => {
            complain(&faults);
            return Exit::BadConfig;
        }
    };
    let served = serve(config, reloader);
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
    config.tell_warnings();
    let reloader = reloader.started_with(&config);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let doors = Doors::open(config.servers.clone()).await?;
        let grpc = doors.grpc_address()?;
        let http = doors.http_address()?.map(|http| http.to_string());
        let rules = config.policy.rules.rules().len();
        let workers = config.workers.unwrap_or_else(cores);
        let authorizer = Arc::new(Authorizer::new(config.into_snapshot()?, Clock::system()));
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(doors.serve(Arc::clone(&authorizer), workers, stopped));
        tokio::spawn(hang_ups(signal(SignalKind::hangup())?, reloader.asker()));
        reloader.spawn(authorizer)?;
        tracing::info!(%grpc, http, rules, workers = workers.get(), "serving");
        until_told().await?;
        tracing::info!("stopping");
        stop.send_replace(true);
        tokio::time::timeout(MAX_STOP, serving).await???;
        Ok(())
    })
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

/// Waits for SIGTERM or Ctrl-C.
async fn until_told() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

//! All of it at once: two Kratos doubles, the bank, the console, the login pages, Stepgate and Envoy, started in order,
//! waited for, and stopped together.
//!
//! In place of Envoy another proxy may stand, which asks Stepgate over HTTP.
//!
//! `envoy/envoy.yaml` and `demo/stepgate.yaml` are used as they stand; a stage on free ports uses copies in which
//! nothing but the port numbers differs. Nothing listens anywhere but on loopback.

mod apps;
mod error;
mod files;
mod kratos;
mod people;
mod ports;
mod process;
mod proxy;
mod ready;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

pub use error::StageError;
pub use kratos::customers;
pub use people::{code, people, staff};
pub use ports::{Choice, Ports};
pub use proxy::Proxy;
use tempfile::TempDir;

use crate::bank::Ledger;
use crate::kratos::{Double, RequiredAal};
use crate::story::{Customer, Place};
use apps::Apps;
use ports::Reserved;
use process::Process;

/// Who plays Kratos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cast {
    /// Two doubles, started and stopped with the stage.
    Doubles,
    /// Two that run already on the demo's ports, with people of their own: real ones, to hold the stage against.
    Outside,
}

/// How a stage is set.
#[derive(Debug, Clone)]
pub struct StageOptions {
    /// The demo's own ports, or free ones. Default: free.
    pub ports: Choice,
    /// Envoy's `encode_raw_headers`; the file says `true`.
    pub encode_raw_headers: bool,
    /// Kratos' `session.whoami.required_aal`. Default: `aal1`.
    pub whoami_required_aal: RequiredAal,
    /// Who plays Kratos. Default: doubles.
    pub kratos: Cast,
    /// Stepgate's configuration, with the demo's ports. Default: `demo/stepgate.yaml`.
    pub config: Option<String>,
    /// Pieces of `envoy/envoy.yaml` and what stands in their place, with the demo's ports. Default: none.
    pub envoy_edits: Vec<(String, String)>,
    /// The port of 127.0.0.1 where an app in the bank's place listens already; it answers `/` with 200. Default: the
    /// bank itself.
    pub app_port: Option<u16>,
    /// The Stepgate to start. Default: `STEPGATE_BIN`, else the one beside the running program.
    pub stepgate: Option<PathBuf>,
    /// What stands in front. Default: Envoy, asking over gRPC.
    pub proxy: Proxy,
    /// The proxy to start. Default: `ENVOY_BIN`, else the one on `PATH`, else the one under `target/tools`; and so on for
    /// the other proxies.
    pub program: Option<PathBuf>,
}

/// Everything running. Dropping it stops everything.
#[derive(Debug)]
pub struct Stage {
    // Dropped from the top: the doors first, then what stands behind them, at last the folder with their logs.
    proxy: Option<Process>,
    stepgate: Option<Process>,
    _apps: Apps,
    ledger: Ledger,
    console: Ledger,
    double: Option<Double>,
    staff_double: Option<Double>,
    whoami_required_aal: RequiredAal,
    ports: Ports,
    _reserved: Reserved,
    folder: TempDir,
}

impl Default for StageOptions {
    fn default() -> Self {
        Self {
            ports: Choice::Free,
            encode_raw_headers: true,
            whoami_required_aal: RequiredAal::Aal1,
            kratos: Cast::Doubles,
            config: None,
            envoy_edits: Vec::new(),
            app_port: None,
            stepgate: None,
            proxy: Proxy::Envoy,
            program: None,
        }
    }
}

impl Stage {
    /// Starts everything, and waits until the bank and the login pages answer through Envoy and Stepgate.
    ///
    /// # Errors
    ///
    /// A [`StageError`] says what is missing or what stopped, with the end of its log.
    pub async fn start(options: StageOptions) -> Result<Self, StageError> {
        let stepgate = files::stepgate(options.stepgate.as_deref())?;
        let program = files::proxy(&options)?;
        let (mut ports, reserved) = Ports::choose(options.ports, options.kratos)?;
        ports.bank = options.app_port.unwrap_or(ports.bank);
        let folder = tempfile::Builder::new()
            .prefix("olympus-bank-")
            .tempdir()
            .map_err(StageError::Folder)?;
        let [double, staff_double] = kratos::doubles(&options, &ports).await?;
        let clock = double.as_ref().map(|double| double.clock().clone());
        let [stepgate_file, proxy_file] = files::configs(&options, &ports, folder.path())?;
        let backstage = apps::backstage(&ports, clock, Path::new(&stepgate_file), folder.path())?;
        let (ledger, console) = (Ledger::default(), Ledger::default());
        let with_bank = options.app_port.is_none();
        let apps = Apps::start(&ports, backstage, with_bank, [&ledger, &console]).await?;
        let arguments = ["serve", "-c", &stepgate_file];
        let stepgate = Process::spawn("stepgate", &stepgate, &arguments, folder.path())?;
        let arguments = options.proxy.arguments(&proxy_file, folder.path());
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let proxy = Process::spawn(options.proxy.program(), &program, &arguments, folder.path())?;
        let mut stage = Self {
            proxy: Some(proxy),
            stepgate: Some(stepgate),
            _apps: apps,
            ledger,
            console,
            double,
            staff_double,
            whoami_required_aal: options.whoami_required_aal,
            ports,
            _reserved: reserved,
            folder,
        };
        ready::wait(&mut stage).await?;
        stage.ledger.clear();
        Ok(stage)
    }

    /// Where everything listens.
    #[must_use]
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// What reached the bank; nothing where another app stands in its place.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What reached the staff's console.
    #[must_use]
    pub fn console(&self) -> &Ledger {
        &self.console
    }

    /// The staff's Kratos double.
    #[must_use]
    pub fn staff_double(&self) -> Option<&Double> {
        self.staff_double.as_ref()
    }

    /// The customers' Kratos double, until [`Stage::stop_kratos`].
    #[must_use]
    pub fn double(&self) -> Option<&Double> {
        self.double.as_ref()
    }

    /// The folder with the logs of Stepgate and the proxy, gone with the stage.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The stage as a place for the story.
    #[must_use]
    pub fn place(&self) -> Place {
        let clock = self
            .double
            .as_ref()
            .map(|double| double.clock().clone())
            .unwrap_or_default();
        Place {
            envoy: SocketAddr::from(([127, 0, 0, 1], self.ports.envoy)),
            app: self.ports.app(),
            ciam: self.ports.ciam(),
            ledger: self.ledger.clone(),
            hides_enrolled: self.whoami_required_aal == RequiredAal::HighestAvailable,
            code: Box::new(move |secret| code(secret, clock.now())),
        }
    }

    /// Lets `customer` in on the stage, besides the people who are always there.
    pub fn add(&self, customer: &Customer) {
        if let Some(double) = &self.double {
            double.add_person(people::person(customer));
        }
    }

    /// Stops the customers' Kratos, as an outage would; the rest goes on.
    pub async fn stop_kratos(&mut self) {
        if let Some(double) = self.double.take() {
            double.stop().await;
        }
    }

    /// Starts the customers' Kratos anew after [`Stage::stop_kratos`]: the same people, no sessions.
    ///
    /// # Errors
    ///
    /// When its ports can't be had again.
    pub async fn start_kratos(&mut self) -> Result<(), StageError> {
        self.double =
            Some(customers(&self.ports, self.whoami_required_aal, Ipv4Addr::LOCALHOST).await?);
        Ok(())
    }

    /// Kills Stepgate; the rest goes on.
    pub async fn kill_stepgate(&mut self) {
        if let Some(stepgate) = self.stepgate.take() {
            stepgate.kill().await;
        }
    }

    /// Returns when Stepgate or the proxy has stopped by itself, which neither should.
    pub async fn broken(&mut self) -> StageError {
        tokio::select! {
            error = ended(&mut self.stepgate) => error,
            error = ended(&mut self.proxy) => error,
        }
    }

    /// Stops everything. Returns what Stepgate had logged.
    pub async fn stop(mut self) -> String {
        let log = self.stepgate.as_ref().map(Process::log);
        for process in [self.proxy.take(), self.stepgate.take()]
            .into_iter()
            .flatten()
        {
            process.kill().await;
        }
        self.stop_kratos().await;
        if let Some(double) = self.staff_double.take() {
            double.stop().await;
        }
        log.unwrap_or_default()
    }
}

async fn ended(process: &mut Option<Process>) -> StageError {
    match process {
        Some(process) => process.ended().await,
        None => std::future::pending().await,
    }
}

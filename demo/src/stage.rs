//! All of it at once: the Kratos double, the bank, the login pages, Stepgate and Envoy, started in order, waited for,
//! and stopped together.
//!
//! In place of Envoy another proxy may stand, which asks Stepgate over HTTP.
//!
//! `envoy/envoy.yaml` and `demo/stepgate.yaml` are used as they stand; a stage on free ports uses copies in which
//! nothing but the port numbers differs. Nothing listens anywhere but on loopback.

mod error;
mod files;
mod people;
mod ports;
mod process;
mod proxy;
mod ready;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::net::TcpListener;
use url::Url;

pub use error::StageError;
pub use people::{code, people};
pub use ports::{Choice, Ports};
pub use proxy::Proxy;

use crate::bank::{Bank, Ledger};
use crate::kratos::{Double, Options, RequiredAal};
use crate::pages::{Kratos, Pages};
use crate::story::{Customer, Place};
use ports::Reserved;
use process::Process;

/// How a stage is set.
#[derive(Debug, Clone)]
pub struct StageOptions {
    /// The demo's own ports, or free ones. Default: free.
    pub ports: Choice,
    /// Envoy's `encode_raw_headers`; the file says `true`.
    pub encode_raw_headers: bool,
    /// Kratos' `session.whoami.required_aal`. Default: `aal1`.
    pub whoami_required_aal: RequiredAal,
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
    _pages: Pages,
    _bank: Option<Bank>,
    ledger: Ledger,
    double: Option<Double>,
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
        let (mut ports, reserved) = Ports::choose(options.ports)?;
        ports.bank = options.app_port.unwrap_or(ports.bank);
        let folder = tempfile::Builder::new()
            .prefix("olympus-bank-")
            .tempdir()
            .map_err(StageError::Folder)?;
        let kratos = Options {
            whoami_required_aal: options.whoami_required_aal,
            ..kratos_options(&ports)?
        };
        let double = double(kratos).await?;
        let bank = match options.app_port {
            Some(_) => None,
            None => Some(bank(&ports).await?),
        };
        let pages = pages(&ports).await?;
        let [stepgate_file, proxy_file] = files::configs(&options, &ports, folder.path())?;
        let stepgate = Process::spawn(
            "stepgate",
            &stepgate,
            &["serve", "-c", &stepgate_file],
            folder.path(),
        )?;
        let arguments = options.proxy.arguments(&proxy_file, folder.path());
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let proxy = Process::spawn(options.proxy.program(), &program, &arguments, folder.path())?;
        let mut stage = Self {
            proxy: Some(proxy),
            stepgate: Some(stepgate),
            _pages: pages,
            ledger: bank
                .as_ref()
                .map(|bank| bank.ledger().clone())
                .unwrap_or_default(),
            _bank: bank,
            double: Some(double),
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

    /// The Kratos double, until [`Stage::stop_kratos`].
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

    /// Stops Kratos, as an outage would; the rest goes on.
    pub async fn stop_kratos(&mut self) {
        if let Some(double) = self.double.take() {
            double.stop().await;
        }
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

    /// Stops everything.
    pub async fn stop(mut self) {
        for process in [self.proxy.take(), self.stepgate.take()]
            .into_iter()
            .flatten()
        {
            process.kill().await;
        }
        self.stop_kratos().await;
    }
}

async fn ended(process: &mut Option<Process>) -> StageError {
    match process {
        Some(process) => process.ended().await,
        None => std::future::pending().await,
    }
}

/// A Kratos as the demo sets it, for these ports.
///
/// # Errors
///
/// An origin is no URL.
pub fn kratos_options(ports: &Ports) -> Result<Options, StageError> {
    let ciam = url(&ports.ciam())?;
    let welcome = url(&format!("{}/welcome", ports.ciam()))?;
    Ok(Options {
        base_url: Some(ciam.clone()),
        ui_url: ciam,
        default_return_url: welcome.clone(),
        logout_return_url: welcome,
        allowed_return_urls: vec![format!("{}/", ports.app()), format!("{}/", ports.ciam())],
        cookie_domain: Some("bank.localhost".to_owned()),
        totp_issuer: "Olympus Bank".to_owned(),
        public_listen: SocketAddr::from(([127, 0, 0, 1], ports.kratos_public)),
        admin_listen: SocketAddr::from(([127, 0, 0, 1], ports.kratos_admin)),
        ..Options::default()
    })
}

/// A double with the people of the demo.
///
/// # Errors
///
/// An address can't be listened on.
pub async fn double(options: Options) -> Result<Double, StageError> {
    let double = Double::start(options).await.map_err(StageError::Double)?;
    for customer in people() {
        double.add_person(people::person(&customer));
    }
    Ok(double)
}

async fn bank(ports: &Ports) -> Result<Bank, StageError> {
    Bank::start(listen(ports.bank).await?, &ports.ciam()).map_err(StageError::Folder)
}

async fn pages(ports: &Ports) -> Result<Pages, StageError> {
    let kratos = Kratos::new(&format!("http://127.0.0.1:{}", ports.kratos_public))?;
    Pages::start(listen(ports.pages).await?, kratos, &ports.app()).map_err(StageError::Folder)
}

async fn listen(port: u16) -> Result<TcpListener, StageError> {
    TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|source| StageError::Port {
            port,
            user: "the demo",
            source,
        })
}

fn url(text: &str) -> Result<Url, StageError> {
    Url::parse(text).map_err(|source| StageError::Url {
        text: text.to_owned(),
        source,
    })
}

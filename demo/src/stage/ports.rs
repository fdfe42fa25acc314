use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

use super::error::StageError;

/// Which ports a stage takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Those that `envoy/envoy.yaml` and `demo/stepgate.yaml` name.
    Demo,
    /// Any that are free, so that several stages stand side by side.
    Free,
}

/// Where everything listens, all on 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Envoy, or another proxy: the only one a browser needs.
    pub envoy: u16,
    /// Stepgate's gRPC door.
    pub stepgate: u16,
    /// Stepgate's HTTP door.
    pub stepgate_http: u16,
    /// Stepgate's admin door.
    pub stepgate_admin: u16,
    /// Kratos' public API.
    pub kratos_public: u16,
    /// Kratos' admin API.
    pub kratos_admin: u16,
    /// The bank itself, behind Envoy.
    pub bank: u16,
    /// The login pages, behind Envoy.
    pub pages: u16,
}

/// Keeps free ports from everybody but those who name them: a socket that is bound but doesn't listen.
#[derive(Debug, Default)]
pub(super) struct Reserved {
    sockets: Vec<TcpSocket>,
}

impl Ports {
    /// The ports in the project's files.
    pub const DEMO: Self = Self {
        envoy: 8080,
        stepgate: 9191,
        stepgate_http: 4456,
        stepgate_admin: 4457,
        kratos_public: 4433,
        kratos_admin: 4434,
        bank: 8081,
        pages: 8082,
    };

    /// The bank's origin.
    #[must_use]
    pub fn app(&self) -> String {
        format!("http://app.bank.localhost:{}", self.envoy)
    }

    /// The origin of Kratos and the login pages.
    #[must_use]
    pub fn ciam(&self) -> String {
        format!("http://ciam.bank.localhost:{}", self.envoy)
    }

    pub(super) fn choose(choice: Choice) -> Result<(Self, Reserved), StageError> {
        match choice {
            Choice::Demo => Self::DEMO
                .checked()
                .map(|ports| (ports, Reserved::default())),
            Choice::Free => Self::free().map_err(StageError::Folder),
        }
    }

    /// Each port of the demo's with the one here.
    pub(super) fn instead_of_demo(&self) -> [(u16, u16); 8] {
        let pairs = Self::DEMO.all().into_iter().zip(self.all());
        let mut table = [(0, 0); 8];
        table
            .iter_mut()
            .zip(pairs)
            .for_each(|(slot, ((demo, _), (here, _)))| *slot = (demo, here));
        table
    }

    fn all(&self) -> [(u16, &'static str); 8] {
        [
            (self.envoy, "Envoy"),
            (self.stepgate, "Stepgate"),
            (self.stepgate_http, "Stepgate's HTTP door"),
            (self.stepgate_admin, "Stepgate's admin door"),
            (self.kratos_public, "Kratos' public API"),
            (self.kratos_admin, "Kratos' admin API"),
            (self.bank, "the bank"),
            (self.pages, "the login pages"),
        ]
    }

    /// Listens on each for a moment, to say in plain words which one is taken.
    fn checked(self) -> Result<Self, StageError> {
        for (port, user) in self.all() {
            std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))
                .map_err(|source| StageError::Port { port, user, source })?;
        }
        Ok(self)
    }

    fn free() -> io::Result<(Self, Reserved)> {
        let mut reserved = Reserved::default();
        let mut next = || reserved.take();
        let ports = Self {
            envoy: next()?,
            stepgate: next()?,
            stepgate_http: next()?,
            stepgate_admin: next()?,
            kratos_public: next()?,
            kratos_admin: next()?,
            bank: next()?,
            pages: next()?,
        };
        Ok((ports, reserved))
    }
}

impl Reserved {
    /// Elsewhere than on Linux a bound port can't be bound again, so it is free for all until it is used.
    fn take(&mut self) -> io::Result<u16> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        #[cfg(target_os = "linux")]
        socket.set_reuseport(true)?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let port = socket.local_addr()?.port();
        if cfg!(target_os = "linux") {
            self.sockets.push(socket);
        }
        Ok(port)
    }
}

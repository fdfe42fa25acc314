use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

use super::Cast;
use super::error::StageError;
use crate::origins::Origins;

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
    /// The customers' login pages, behind Envoy.
    pub pages: u16,
    /// The staff's console, behind Envoy.
    pub console: u16,
    /// The staff's login pages, behind Envoy.
    pub staff_pages: u16,
    /// The caught mails, behind Envoy.
    pub mail: u16,
    /// The public API of the staff's Kratos.
    pub iam_public: u16,
    /// The admin API of the staff's Kratos.
    pub iam_admin: u16,
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
        console: 8083,
        staff_pages: 8084,
        mail: 8085,
        iam_public: 4533,
        iam_admin: 4534,
    };

    /// The bank's origin.
    #[must_use]
    pub fn app(&self) -> String {
        self.origin("app.bank")
    }

    /// The origin of the customers' Kratos and its login pages.
    #[must_use]
    pub fn ciam(&self) -> String {
        self.origin("ciam.bank")
    }

    /// Every origin that a browser may meet.
    #[must_use]
    pub fn origins(&self) -> Origins {
        Origins {
            app: self.app(),
            api: self.origin("api.bank"),
            ciam: self.ciam(),
            console: self.origin("console.corp"),
            iam: self.origin("iam.corp"),
            mail: self.origin("mail.bank"),
        }
    }

    fn origin(&self, name: &str) -> String {
        format!("http://{name}.localhost:{}", self.envoy)
    }

    pub(super) fn choose(choice: Choice, kratos: Cast) -> Result<(Self, Reserved), StageError> {
        match choice {
            Choice::Demo => Self::DEMO
                .checked(kratos)
                .map(|ports| (ports, Reserved::default())),
            Choice::Free => Self::free().map_err(StageError::Folder),
        }
    }

    /// Each port of the demo's with the one here.
    pub(super) fn instead_of_demo(&self) -> Vec<(u16, u16)> {
        let pairs = Self::DEMO.all().into_iter().zip(self.all());
        pairs.map(|((demo, _), (here, _))| (demo, here)).collect()
    }

    fn all(&self) -> [(u16, &'static str); 13] {
        [
            (self.envoy, "Envoy"),
            (self.stepgate, "Stepgate"),
            (self.stepgate_http, "Stepgate's HTTP door"),
            (self.stepgate_admin, "Stepgate's admin door"),
            (self.kratos_public, "Kratos' public API"),
            (self.kratos_admin, "Kratos' admin API"),
            (self.bank, "the bank"),
            (self.pages, "the customers' login pages"),
            (self.console, "the staff's console"),
            (self.staff_pages, "the staff's login pages"),
            (self.mail, "the caught mails"),
            (self.iam_public, "the staff's Kratos"),
            (self.iam_admin, "the admin API of the staff's Kratos"),
        ]
    }

    /// Listens on each for a moment, to say in plain words which one is taken; a Kratos that runs already has its own.
    fn checked(self, kratos: Cast) -> Result<Self, StageError> {
        let runs = [
            self.kratos_public,
            self.kratos_admin,
            self.iam_public,
            self.iam_admin,
        ];
        for (port, user) in self.all() {
            if kratos == Cast::Outside && runs.contains(&port) {
                continue;
            }
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
            console: next()?,
            staff_pages: next()?,
            mail: next()?,
            iam_public: next()?,
            iam_admin: next()?,
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

//! What stands behind the proxy: the bank, the console, both sets of login pages, and the caught mails.

use std::path::Path;

use tokio::net::TcpListener;

use super::Ports;
use super::error::StageError;
use super::people::{people, staff};
use crate::admin::Admin;
use crate::backstage::Backstage;
use crate::bank::{self, Ledger};
use crate::decisions::Decisions;
use crate::kratos::Clock;
use crate::look::Brand;
use crate::pages::{self, Kratos};
use crate::server::Server;
use crate::{console, mail};

/// Running apps; dropping them stops them.
#[derive(Debug)]
pub(super) struct Apps {
    _servers: Vec<Server>,
}

impl Apps {
    /// `ledgers` are the bank's and the console's. Another app may stand in the bank's place.
    pub(super) async fn start(
        ports: &Ports,
        backstage: Backstage,
        with_bank: bool,
        ledgers: [&Ledger; 2],
    ) -> Result<Self, StageError> {
        let [ledger, console_ledger] = ledgers.map(Ledger::clone);
        let mut servers = Vec::new();
        if with_bank {
            servers.push(bank::start(
                listen(ports.bank).await?,
                backstage.clone(),
                ledger,
            ));
        }
        let listener = listen(ports.console).await?;
        servers.push(console::start(listener, backstage.clone(), console_ledger));
        for (brand, port, kratos, home) in [
            (
                Brand::Bank,
                ports.pages,
                ports.kratos_public,
                &backstage.origins.app,
            ),
            (
                Brand::Staff,
                ports.staff_pages,
                ports.iam_public,
                &backstage.origins.console,
            ),
        ] {
            let kratos = Kratos::new(&local(kratos))?;
            servers.push(pages::start(listen(port).await?, kratos, brand, home));
        }
        servers.push(Server::start(
            listen(ports.mail).await?,
            mail::router(backstage),
        ));
        let servers = servers.into_iter().collect::<Result<_, _>>();
        Ok(Self {
            _servers: servers.map_err(StageError::Folder)?,
        })
    }
}

/// What the apps show of what is behind the curtain. `rules` is the file Stepgate runs with, `folder` that of its log.
pub(super) fn backstage(
    ports: &Ports,
    clock: Option<Clock>,
    rules: &Path,
    folder: &Path,
) -> Result<Backstage, StageError> {
    let admin = |port| Admin::new(&local(port)).map_err(pages::Fault::from);
    Ok(Backstage {
        origins: ports.origins(),
        ciam: admin(ports.kratos_admin)?,
        iam: admin(ports.iam_admin)?,
        decisions: Decisions::new(&folder.join("stepgate.log")),
        rules: rules.to_owned(),
        customers: people(),
        staff: staff(),
        clock: clock.unwrap_or_default(),
    })
}

fn local(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
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

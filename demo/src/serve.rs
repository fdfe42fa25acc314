//! Each part of the stage by itself, for a container: it listens on every address, on the demo's own port.

use std::convert::Infallible;
use std::error::Error;
use std::future::pending;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use demo::admin::Admin;
use demo::backstage::Backstage;
use demo::bank::{self, Ledger};
use demo::decisions::Decisions;
use demo::kratos::{Clock, RequiredAal};
use demo::look::Brand;
use demo::pages::{self, Kratos};
use demo::stage::{self, Ports, people as customers};
use demo::story::Customer;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::sleep;

/// Where `demo bank` shows what reached it.
const LEDGER: u16 = 8090;
/// The rules that Stepgate runs with, where the bank finds them.
const RULES: &str = "/etc/stepgate/stepgate.yaml";
/// Where no Kratos is.
const NOBODY: &str = "http://127.0.0.1:9";
/// Between two tries to reach a Kratos that is still starting.
const PAUSE: Duration = Duration::from_millis(500);
const TRIES: usize = 120;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The bank, and its ledger beside it. `admin` is the customers' Kratos' admin API.
pub(crate) async fn bank(admin: &str) -> Outcome<Infallible> {
    let ledger = Ledger::default();
    let listener = listen(Ports::DEMO.bank).await?;
    let _bank = bank::start(listener, backstage(admin)?, ledger.clone())?;
    let _ledger = bank::open_ledger(listen(LEDGER).await?, ledger)?;
    Ok(pending().await)
}

/// There is no staff, and Stepgate's log stays in its own containers.
fn backstage(admin: &str) -> Outcome<Backstage> {
    Ok(Backstage {
        origins: Ports::DEMO.origins(),
        ciam: Admin::new(admin)?,
        iam: Admin::new(NOBODY)?,
        decisions: Decisions::new(Path::new("stepgate.log")),
        rules: RULES.into(),
        customers: customers(),
        staff: Vec::new(),
        clock: Clock::default(),
    })
}

/// The login pages, which reach Kratos' public API at `kratos`.
pub(crate) async fn pages(kratos: &str) -> Outcome<Infallible> {
    let listener = listen(Ports::DEMO.pages).await?;
    let home = Ports::DEMO.app();
    let _open = pages::start(listener, Kratos::new(kratos)?, Brand::Bank, &home)?;
    Ok(pending().await)
}

/// The double where Kratos would be. It takes Kratos' own arguments: it has no tables to make, and needs no other.
pub(crate) async fn kratos(arguments: &[String]) -> Outcome<()> {
    if arguments.first().is_some_and(|verb| verb == "migrate") {
        println!("demo: the double has no tables to make");
        return Ok(());
    }
    let required = RequiredAal::Aal1;
    let _open = stage::customers(&Ports::DEMO, required, Ipv4Addr::UNSPECIFIED).await?;
    pending().await
}

/// Makes the people of the demo, with their passwords, at a Kratos with its admin API at `admin`. A second factor can't be
/// given to anybody from outside; they set one up themselves.
pub(crate) async fn people(admin: &str) -> Outcome<()> {
    let client = demo::client::builder().build()?;
    for customer in customers() {
        let status = made(&client, admin, &customer).await?;
        println!("demo: {} ({status})", customer.email);
    }
    Ok(())
}

/// 201 for somebody new, 409 for somebody who is there.
async fn made(client: &reqwest::Client, admin: &str, customer: &Customer) -> Outcome<u16> {
    let url = format!("{}/admin/identities", admin.trim_end_matches('/'));
    let person = json!({
        "schema_id": "default",
        "traits": {"email": customer.email},
        "credentials": {"password": {"config": {"password": customer.password}}},
    });
    let mut last = String::new();
    for _ in 0..TRIES {
        match client.post(&url).json(&person).send().await {
            Ok(answer) if [201, 409].contains(&answer.status().as_u16()) => {
                return Ok(answer.status().as_u16());
            }
            Ok(answer) => last = format!("{url} answers {}", answer.status()),
            Err(error) => last = error.to_string(),
        }
        sleep(PAUSE).await;
    }
    Err(last.into())
}

async fn listen(port: u16) -> Outcome<TcpListener> {
    Ok(TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await?)
}

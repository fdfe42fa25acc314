//! Each part of the stage by itself, for a container: it listens on every address, on the demo's own port.

use std::convert::Infallible;
use std::error::Error;
use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use demo::bank::Bank;
use demo::kratos::Options;
use demo::pages::{Kratos, Pages};
use demo::stage::{self, Ports, people as customers};
use demo::story::Customer;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::sleep;

/// Where `demo bank` shows what reached it.
const LEDGER: u16 = 8090;
/// Between two tries to reach a Kratos that is still starting.
const PAUSE: Duration = Duration::from_millis(500);
const TRIES: usize = 120;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The bank, and its ledger beside it.
pub(crate) async fn bank() -> Outcome<Infallible> {
    let bank = Bank::start(listen(Ports::DEMO.bank).await?, &Ports::DEMO.ciam())?;
    let _open = bank.open_ledger(listen(LEDGER).await?);
    Ok(pending().await)
}

/// The login pages, which reach Kratos' public API at `kratos`.
pub(crate) async fn pages(kratos: &str) -> Outcome<Infallible> {
    let listener = listen(Ports::DEMO.pages).await?;
    let _open = Pages::start(listener, Kratos::new(kratos)?, &Ports::DEMO.app())?;
    Ok(pending().await)
}

/// The double where Kratos would be. It takes Kratos' own arguments: it has no tables to make, and needs no other.
pub(crate) async fn kratos(arguments: &[String]) -> Outcome<()> {
    if arguments.first().is_some_and(|verb| verb == "migrate") {
        println!("demo: the double has no tables to make");
        return Ok(());
    }
    let everywhere = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let _open = stage::double(Options {
        public_listen: everywhere(Ports::DEMO.kratos_public),
        admin_listen: everywhere(Ports::DEMO.kratos_admin),
        ..stage::kratos_options(&Ports::DEMO)?
    })
    .await?;
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

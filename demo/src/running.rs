//! The story, and load, on a stage that runs already, such as the containers of `envoy/docker-compose.yml`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use demo::bank::Ledger;
use demo::kratos::Clock;
use demo::stage::{Ports, code, people};
use demo::story::{Browser, Customer, Http, Place, tap};
use tokio::task::JoinSet;

/// How many knock at once.
const HANDS: usize = 8;

/// Walks the story; whether every step held.
pub(crate) async fn walk(envoy: SocketAddr, ledger: SocketAddr, http: &[String]) -> bool {
    let http = match http.first().map(String::as_str) {
        Some("2") => Http::Two,
        _ => Http::One,
    };
    let place = Place {
        envoy,
        app: Ports::DEMO.app(),
        ciam: Ports::DEMO.ciam(),
        ledger: Ledger::at(ledger),
        hides_enrolled: false,
        code: Box::new(|secret| code(secret, Clock::default().now())),
    };
    let people = people();
    let steps = match people.as_slice() {
        [enrolled, plain, ..] => demo::story::walk(&place, http, enrolled, plain).await,
        _ => Vec::new(),
    };
    print!("{}", tap(&steps));
    !steps.is_empty() && steps.iter().all(|step| step.miss.is_none())
}

/// Opens the account for so many seconds with several browsers at once; whether every try succeeded.
pub(crate) async fn knock(envoy: SocketAddr, seconds: u64) -> Result<bool, String> {
    let mut browsers = Vec::new();
    for _ in 0..HANDS {
        let browser = signed_in(envoy).await?;
        browsers.push(browser);
    }
    println!("knock: {HANDS} browsers for {seconds} s");
    let is_over = Arc::new(AtomicBool::new(false));
    let mut hands = JoinSet::new();
    for browser in browsers {
        hands.spawn(knocks(browser, Arc::clone(&is_over)));
    }
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    is_over.store(true, Ordering::Relaxed);
    let (mut tries, mut misses) = (0, Vec::new());
    while let Some(hand) = hands.join_next().await {
        let (times, missed) = hand.map_err(|error| error.to_string())?;
        tries += times;
        misses.extend(missed);
    }
    println!("knock: {tries} tries, {} failed", misses.len());
    misses.iter().take(5).for_each(|miss| println!("  {miss}"));
    Ok(misses.is_empty() && tries > 0)
}

async fn knocks(mut browser: Browser, is_over: Arc<AtomicBool>) -> (usize, Vec<String>) {
    let url = format!("{}/account", Ports::DEMO.app());
    let (mut tries, mut misses) = (0, Vec::new());
    while !is_over.load(Ordering::Relaxed) {
        tries += 1;
        match browser.get(&url).await {
            Ok(answer) if answer.status == 200 => {}
            Ok(answer) => misses.push(format!("{} instead of 200", answer.status)),
            Err(error) => misses.push(error),
        }
    }
    (tries, misses)
}

/// A browser of the first of the demo's people, with a password given.
async fn signed_in(envoy: SocketAddr) -> Result<Browser, String> {
    let hosts = ["app.bank.localhost", "ciam.bank.localhost"];
    let mut browser = Browser::new(Http::One, &hosts, envoy).map_err(|error| error.to_string())?;
    let Some(Customer {
        email, password, ..
    }) = people().into_iter().next()
    else {
        return Err("the demo has no people".to_owned());
    };
    let page = browser
        .follow(&format!("{}/account", Ports::DEMO.app()))
        .await?;
    browser
        .submit(&page, &[("identifier", &email), ("password", &password)])
        .await?;
    Ok(browser)
}

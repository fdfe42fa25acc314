//! One of two Stepgates goes, in each way it can, while people are at work. Nobody notices, and nothing gets through.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use reqwest::{Client, StatusCode};
use tempfile::TempDir;
use tokio::{net::TcpSocket, task::JoinSet};

use super::*;
use crate::{
    reload::RELOADED,
    serving::{PATIENCE, Serving},
};

const ENDPOINT: &str = "              - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: 9191 } } }\n";
/// How many are at work.
const HANDS: usize = 4;

/// The second Stepgate: its port, which nobody else gets, and its configuration.
struct Second {
    port: u16,
    _reserved: TcpSocket,
    folder: TempDir,
}

impl Second {
    fn new() -> Self {
        let reserved = TcpSocket::new_v4().unwrap();
        reserved.set_reuseaddr(true).unwrap();
        reserved.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self {
            port: reserved.local_addr().unwrap().port(),
            _reserved: reserved,
            folder: TempDir::new().unwrap(),
        }
    }

    /// Envoy's file with both endpoints.
    fn edit(&self) -> (String, String) {
        let own = ENDPOINT.replace("9191", &self.port.to_string());
        (ENDPOINT.to_owned(), format!("{ENDPOINT}{own}"))
    }

    fn write(&self, way: &Way, closed: &str) {
        let ports = way.stage.ports();
        let config = CONFIG
            .replace(":4433", &format!(":{}", ports.kratos_public))
            .replace(":8080", &format!(":{}", ports.envoy))
            .replace(":9191", &format!(":{}", self.port))
            .replace("id: closed", &format!("id: {closed}"))
            .replace("listen: off", "listen: 127.0.0.1:0");
        fs::write(
            self.folder.path().join("stepgate.yaml"),
            config + "drain: 1s\n",
        )
        .unwrap();
    }

    /// Starts it, and waits until Envoy asks it.
    async fn start(&self) -> Serving {
        let serving = Serving::start(&self.folder.path().join("stepgate.yaml")).await;
        let is_asked = async {
            while !serving
                .admin("/metrics")
                .await
                .1
                .contains("rule=\"account\"")
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, is_asked).await.unwrap();
        serving
    }
}

/// Opens, again and again, a page that a session suffices for, and one that needs more: how often, and what went wrong.
async fn work(way: Arc<Way>, cookie: String, is_over: Arc<AtomicBool>) -> (usize, Vec<String>) {
    let client = demo::client::builder().build().unwrap();
    let (mut tries, mut misses) = (0, Vec::new());
    while !is_over.load(Ordering::Relaxed) {
        for (page, wanted) in [
            ("/account", StatusCode::OK),
            ("/transfer", StatusCode::SEE_OTHER),
        ] {
            tries += 1;
            match open(&client, &way, page, &cookie).await {
                Ok(status) if status == wanted => {}
                heard => misses.push(format!("{page}: {heard:?}")),
            }
        }
    }
    (tries, misses)
}

async fn open(client: &Client, way: &Way, page: &str, cookie: &str) -> reqwest::Result<StatusCode> {
    let asked = client
        .get(format!("http://{}{page}", way.envoy()))
        .header("host", way.host("app"))
        .header("sec-fetch-mode", "navigate")
        .header("cookie", cookie);
    Ok(asked.send().await?.status())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_is_killed_terminated_and_reloaded_and_nobody_notices() {
    let second = Second::new();
    let options = StageOptions {
        envoy_edits: vec![second.edit()],
        ..StageOptions::default()
    };
    let way = Arc::new(Way::with(options).await);
    second.write(&way, "closed");
    let is_over = Arc::new(AtomicBool::new(false));
    let mut hands = JoinSet::new();
    for _ in 0..HANDS {
        let cookie = way.sessions().aal1.header();
        hands.spawn(work(Arc::clone(&way), cookie, Arc::clone(&is_over)));
    }

    let mut killed = second.start().await;
    killed.signal("KILL");
    assert_eq!(killed.ended().await, None);

    let mut terminated = second.start().await;
    terminated.signal("TERM");
    assert_eq!(terminated.ended().await, Some(0));

    let mut reloaded = second.start().await;
    second.write(&way, "shut");
    reloaded.signal("HUP");
    reloaded.wait_for(RELOADED).await;

    is_over.store(true, Ordering::Relaxed);
    let done = hands.join_all().await;
    let tries: usize = done.iter().map(|(tries, _)| tries).sum();
    let misses: Vec<_> = done.into_iter().flat_map(|(_, misses)| misses).collect();
    assert!(
        misses.is_empty(),
        "{} of {tries} failed: {:?}",
        misses.len(),
        misses.first()
    );
    assert!(tries > 100, "{tries} tries");
    let through = way.app.received();
    assert!(
        !through
            .iter()
            .any(|seen| seen.target.starts_with("/transfer"))
    );
}

//! chromedriver on a port of its own, ended with the value that holds it.

use std::process::Stdio;

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A running chromedriver.
pub(crate) struct Driver {
    url: String,
    _child: Child,
}

impl Driver {
    pub(crate) async fn start() -> Self {
        // It takes a port for IPv4 that may be in use for IPv6, and ends then.
        for _ in 0..5 {
            if let Some(driver) = Self::attempt().await {
                return driver;
            }
        }
        panic!("chromedriver says no port; `make tour` gets it");
    }

    async fn attempt() -> Option<Self> {
        let program =
            std::env::var("CHROMEDRIVER_BIN").unwrap_or_else(|_| "chromedriver".to_owned());
        let mut child = Command::new(program)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver starts; `make tour` gets it");
        let mut lines = BufReader::new(child.stdout.take()?).lines();
        let url = loop {
            let line = lines.next_line().await.ok()??;
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
            }
        };
        // Whatever else it says is read, so that its pipe never fills.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Some(Self { url, _child: child })
    }

    /// A new browser, with nothing of any other.
    pub(crate) async fn browser(&self) -> Client {
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-proxy-server",
            "--host-resolver-rules=MAP *.localhost 127.0.0.1",
        ];
        let options = json!({ "goog:chromeOptions": { "args": arguments } });
        ClientBuilder::new(HttpConnector::new())
            .capabilities(options.as_object().cloned().unwrap())
            .connect(&self.url)
            .await
            .unwrap()
    }
}

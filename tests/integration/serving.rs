//! The real binary, running.

use std::{path::Path, process::Stdio, time::Duration};

use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr, Command},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};
use tonic::transport::Channel;

use crate::gate::{Heard, request};

/// The longest wait for a line of the log, or for the end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running `stepgate serve`, killed when it is dropped.
pub(crate) struct Serving {
    child: Child,
    log: UnboundedReceiver<String>,
    /// The line that tells where everything listens.
    told: Value,
    pub(crate) client: AuthorizationClient<Channel>,
}

impl Serving {
    pub(crate) async fn start(config: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stepgate"))
            .args(["serve", "-c"])
            .arg(config)
            .env_remove("STEPGATE_SECRET")
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut log = lines(child.stderr.take().unwrap());
        let line = wait_for(&mut log, "serving").await;
        let told: Value = serde_json::from_str(&line).unwrap();
        let grpc = address(&told, "grpc");
        let url = match grpc.strip_prefix("unix:") {
            Some(_) => grpc.to_owned(),
            None => format!("http://{grpc}"),
        };
        let client = AuthorizationClient::connect(url).await.unwrap();
        Self {
            child,
            log,
            told,
            client,
        }
    }

    /// Where a door listens: `grpc`, `http` or `admin`.
    pub(crate) fn address(&self, door: &str) -> &str {
        address(&self.told, door)
    }

    /// Asks about a GET of `app.test` without a session.
    pub(crate) async fn ask(&self, path: &str) -> Heard {
        let check = request("GET", "app.test", path, &[]);
        let response = self.client.clone().check(check).await.unwrap();
        Heard::from(response.into_inner())
    }

    /// Status and text of a page of the admin door.
    pub(crate) async fn admin(&self, path: &str) -> (u16, String) {
        let url = format!("http://{}{path}", self.address("admin"));
        let client = demo::client::builder().build().unwrap();
        let response = client.get(url).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub(crate) async fn wait_for(&mut self, message: &str) -> String {
        wait_for(&mut self.log, message).await
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-s", name, &id])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Its exit code, once it has ended by itself.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.unwrap().unwrap().code()
    }
}

fn address<'a>(told: &'a Value, door: &str) -> &'a str {
    told.get(door).and_then(Value::as_str).unwrap()
}

/// The lines of the log, read as they come: a pipe that nobody reads is soon full.
fn lines(log: ChildStderr) -> UnboundedReceiver<String> {
    let (sender, lines) = unbounded_channel();
    tokio::spawn(async move {
        let mut log = BufReader::new(log).lines();
        while let Ok(Some(line)) = log.next_line().await {
            // Nobody may want them any more, but they are read all the same.
            let _ = sender.send(line);
        }
    });
    lines
}

/// The next line with this message.
async fn wait_for(log: &mut UnboundedReceiver<String>, message: &str) -> String {
    let wanted = format!("\"msg\":\"{message}");
    let found = async {
        while let Some(line) = log.recv().await {
            if line.contains(&wanted) {
                return line;
            }
        }
        panic!("the log ended before `{message}`")
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap()
}

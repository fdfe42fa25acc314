//! The real binary, running.

use std::{
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use tonic::{
    client::Grpc,
    transport::{Channel, Endpoint},
};

use crate::{
    gate::{Heard, request},
    watch,
};

/// The longest wait for a line of the log, or for the end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running `stepgate serve`, killed when it is dropped.
pub(crate) struct Serving {
    child: Child,
    log: Lines,
    /// The line that tells where everything listens.
    told: Value,
    channel: Channel,
    pub(crate) client: AuthorizationClient<Channel>,
}

impl Serving {
    pub(crate) async fn start(config: &Path) -> Self {
        Self::start_with(config, &[]).await
    }

    /// The same, with these variables in its environment.
    pub(crate) async fn start_with(config: &Path, env: &[(&str, &str)]) -> Self {
        let (child, log) = spawn(config, env);
        Self::once_it_serves(child, log).await
    }

    /// The same, and a line from before it served.
    pub(crate) async fn start_after(
        config: &Path,
        env: &[(&str, &str)],
        message: &str,
    ) -> (Self, String) {
        let (child, mut log) = spawn(config, env);
        let line = log.wait_for(message).await;
        (Self::once_it_serves(child, log).await, line)
    }

    async fn once_it_serves(child: Child, mut log: Lines) -> Self {
        let line = log.wait_for("serving").await;
        let told: Value = serde_json::from_str(&line).unwrap();
        let grpc = address(&told, "grpc");
        let url = match grpc.strip_prefix("unix:") {
            Some(_) => grpc.to_owned(),
            None => format!("http://{grpc}"),
        };
        let channel = Endpoint::try_from(url).unwrap().connect().await.unwrap();
        let client = AuthorizationClient::new(channel.clone());
        Self {
            child,
            log,
            told,
            channel,
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
        self.log.wait_for(message).await
    }

    /// All that it wrote, once it has ended.
    pub(crate) async fn output(&mut self) -> String {
        let rest = async { while self.log.coming.recv().await.is_some() {} };
        tokio::time::timeout(PATIENCE, rest).await.unwrap();
        self.log.written.lock().unwrap().clone()
    }

    /// A client for any message.
    pub(crate) fn grpc(&self) -> Grpc<Channel> {
        Grpc::new(self.channel.clone())
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

/// Starts it. Of this process' own environment nothing steers it.
fn spawn(config: &Path, env: &[(&str, &str)]) -> (Child, Lines) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stepgate"))
        .args(["serve", "-c"])
        .arg(config)
        .env_remove("STEPGATE_SECRET")
        .env_remove("LOG_LEVEL")
        .env_remove("LOG_FORMAT")
        .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
        .envs(env.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let (sender, coming) = unbounded_channel();
    let written = Arc::<Mutex<String>>::default();
    let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    tokio::spawn(read(stdout, sender.clone(), Arc::clone(&written)));
    tokio::spawn(read(stderr, sender, Arc::clone(&written)));
    (child, Lines { coming, written })
}

fn address<'a>(told: &'a Value, door: &str) -> &'a str {
    told.get(door).and_then(Value::as_str).unwrap()
}

/// What it writes.
struct Lines {
    coming: UnboundedReceiver<String>,
    /// All of it so far.
    written: Arc<Mutex<String>>,
}

impl Lines {
    /// The next line of the log with this message.
    async fn wait_for(&mut self, message: &str) -> String {
        let wanted = format!("\"msg\":\"{message}");
        let found = async {
            while let Some(line) = self.coming.recv().await {
                if line.contains(&wanted) {
                    return line;
                }
            }
            panic!(
                "it ended before `{message}`:\n{}",
                self.written.lock().unwrap()
            )
        };
        tokio::time::timeout(PATIENCE, found).await.unwrap()
    }
}

/// Reads lines as they come: a pipe that nobody reads is soon full.
async fn read(
    pipe: impl AsyncRead + Unpin,
    coming: UnboundedSender<String>,
    written: Arc<Mutex<String>>,
) {
    let mut lines = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        watch::look_at(&line);
        written.lock().unwrap().push_str(&format!("{line}\n"));
        // Nobody may want them any more, but they are read all the same.
        let _ = coming.send(line);
    }
}

//! The real binary's memory stays flat, whatever Kratos sends and however many ask.

use std::{path::Path, process::Stdio, time::Duration};

use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, Command},
    task::JoinSet,
};
use tonic::transport::Channel;

use super::{IN_FLIGHT, way::well};
use crate::{
    gate::{self, Heard, request},
    scripted::{Script, Scripted},
};

const RULES: &str = "
  - { id: transfer, match: { path: /transfer }, require: aal2, cache: off }
";
/// Rounds before the memory must be as large as it gets, and rounds after that.
const ROUNDS: usize = 4;
/// What it may reach over a server that was never asked. A body is read to 1 MiB into a buffer that doubles, beside what
/// the connection has read ahead; and an allocator gives back when it likes.
const PEAK_KIB: u64 = 64 * 4 * 1024;
const PATIENCE: Duration = Duration::from_secs(20);

/// A running `stepgate serve`, killed when it is dropped.
struct Serving {
    child: Child,
    client: AuthorizationClient<Channel>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_flat_under_bodies_without_end() {
    let kratos = Scripted::start(&well()).await;
    let folder = TempDir::new().unwrap();
    let serving = Serving::start(&kratos.url, folder.path()).await;
    serving.round("allowed").await;
    let idle = serving.memory("VmRSS:");
    let mut seen = vec![idle];
    for _ in 0..2 * ROUNDS {
        for script in bodies() {
            kratos.play(&[("/", script)]);
            serving.round("kratos_unavailable").await;
        }
        seen.push(serving.memory("VmRSS:"));
    }
    let peak = serving.memory("VmHWM:");
    print(&seen, peak);
    assert!(peak < idle + PEAK_KIB, "{peak} KiB over {idle}");
    // It goes up and down; what must not be is that it only goes up.
    let (first, last) = seen.split_at(ROUNDS + 1);
    assert!(last.iter().min() <= first.iter().max(), "{seen:?}");
    kratos.play(&well());
    serving.round("allowed").await;
}

/// Their heads are sound, so Kratos is not left alone: each check reads.
fn bodies() -> [Script; 3] {
    [
        Script::Endless("HTTP/1.1 200 OK\r\n\r\n"),
        Script::Endless("HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n"),
        Script::Says("HTTP/1.1 200 OK\r\n\r\nnot JSON".to_owned()),
    ]
}

impl Serving {
    async fn start(kratos: &str, folder: &Path) -> Self {
        let file = folder.join("stepgate.yaml");
        let servers =
            "workers: 1\nservers: { grpc: { listen: '127.0.0.1:0' }, admin: { listen: off } }\n";
        let config = gate::config(kratos, RULES).replace("origins:", "timeout: 10s\n    origins:");
        std::fs::write(&file, format!("{config}\n{servers}")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_stepgate"))
            .args(["serve", "-c"])
            .arg(&file)
            .env("STEPGATE_SECRET", "not-a-secret-only-for-tests-0123456789")
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = address(log).await;
        let client = AuthorizationClient::connect(url).await.unwrap();
        Self { child, client }
    }

    /// Many at once, each of which must hear this.
    async fn round(&self, reason: &'static str) {
        let mut callers = JoinSet::new();
        for number in 0..IN_FLIGHT {
            let mut client = self.client.clone();
            callers.spawn(async move {
                let cookie = format!("ory_kratos_session=abc{number}");
                let check = request("GET", "app.test", "/transfer", &[("cookie", &cookie)]);
                let heard = Heard::from(client.check(check).await.unwrap().into_inner());
                let heard = match heard.status {
                    200 => "allowed",
                    _ => heard.reason(),
                };
                assert_eq!(heard, reason);
            });
        }
        callers.join_all().await;
    }

    /// A line of the kernel's account, in KiB.
    fn memory(&self, line: &str) -> u64 {
        let id = self.child.id().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let found = status.lines().find_map(|text| text.strip_prefix(line));
        let amount = found.and_then(|text| text.split_whitespace().next());
        amount.unwrap().parse().unwrap()
    }
}

/// Where it listens; its log is read to the end, or it would block.
async fn address(mut log: Lines<BufReader<ChildStderr>>) -> String {
    let told = async {
        loop {
            let line = log.next_line().await.unwrap().unwrap();
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            if let Some(address) = line.get("grpc").and_then(|it| it.as_str()) {
                return format!("http://{address}");
            }
        }
    };
    let address = tokio::time::timeout(PATIENCE, told).await.unwrap();
    tokio::spawn(async move { while log.next_line().await.is_ok_and(|line| line.is_some()) {} });
    address
}

#[expect(
    clippy::print_stdout,
    reason = "how flat it was is what a reader of this test wants to know"
)]
fn print(seen: &[u64], peak: u64) {
    println!(
        "KiB after each round of {IN_FLIGHT} endless, huge and odd bodies: {seen:?}; peak {peak}"
    );
}

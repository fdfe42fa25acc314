//! The real binary, whose configuration changes under it.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, Command},
};
use tonic::transport::Channel;

use crate::gate::{Heard, request};

/// The longest wait for a line of the log.
const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const RELOADED: &str = "configuration reloaded";
pub(crate) const UNSOUND: &str = "the configuration is not sound; the old one stays";

/// A running `stepgate serve`, killed when it is dropped.
pub(crate) struct Serving {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    /// Where the HTTP door listens, if it does.
    pub(crate) http: Option<SocketAddr>,
    client: AuthorizationClient<Channel>,
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
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = wait_for(&mut log, "serving").await;
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        let url = format!("http://{}", line.get("grpc").unwrap().as_str().unwrap());
        let client = AuthorizationClient::connect(url).await.unwrap();
        let http = line.get("http").and_then(serde_json::Value::as_str);
        Self {
            child,
            log,
            http: http.map(|http| http.parse().unwrap()),
            client,
        }
    }

    async fn ask(&self) -> Heard {
        let check = request("GET", "app.test", "/x", &[]);
        let response = self.client.clone().check(check).await.unwrap();
        Heard::from(response.into_inner())
    }

    /// Which set of rules answers.
    async fn set(&self) -> char {
        let heard = self.ask().await;
        let sets = [('a', "x-set-a"), ('b', "x-set-b")];
        let told =
            sets.map(|(set, header)| (heard.header(header) == set.to_string()).then_some(set));
        match told {
            [Some(set), None] | [None, Some(set)] => set,
            _ => panic!("a mixture: {heard:?}"),
        }
    }

    /// Asks until this set answers.
    async fn until(&self, set: char) {
        let answered = async { while self.set().await != set {} };
        tokio::time::timeout(PATIENCE, answered).await.unwrap();
    }

    pub(crate) async fn wait_for(&mut self, message: &str) -> String {
        wait_for(&mut self.log, message).await
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-s", name, &id])
            .status();
        assert!(sent.unwrap().success());
    }
}

/// The next line with this message.
async fn wait_for(log: &mut Lines<BufReader<ChildStderr>>, message: &str) -> String {
    let wanted = format!("\"message\":\"{message}");
    let found = async {
        while let Some(line) = log.next_line().await.unwrap() {
            if line.contains(&wanted) {
                return line;
            }
        }
        panic!("the log ended before `{message}`")
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap()
}

/// One of two sets. Its rule tells its own id in its own header, so that one's rule with the other's headers would show.
fn text(set: char) -> String {
    format!(
        "kratos: {{ ciam: {{ api_url: 'http://127.0.0.1:9', browser_url: 'https://ciam.test', origins: ['https://app.test'] }} }}
default: deny
upstream_headers: {{ X-Set-{set}: rule.id }}
rules: [{{ id: {set}, match: {{ path: /x }}, require: none }}]
servers: {{ grpc: {{ listen: '127.0.0.1:0' }} }}
workers: 2
"
    )
}

fn written(set: char) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("stepgate.yaml");
    fs::write(&config, text(set)).unwrap();
    (folder, config)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_check_across_reloads_is_answered_by_one_whole_configuration() {
    let (_folder, config) = written('a');
    let serving = Serving::start(&config).await;
    for set in ['b', 'a'].repeat(10) {
        fs::write(&config, text(set)).unwrap();
        serving.signal("HUP");
        for _ in 0..10 {
            serving.set().await;
        }
        serving.until(set).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_up_reloads_even_what_is_the_same() {
    let (_folder, config) = written('a');
    let mut serving = Serving::start(&config).await;
    for _ in 0..2 {
        serving.signal("HUP");
        serving.wait_for(RELOADED).await;
    }
    assert_eq!(serving.set().await, 'a');
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_is_read_without_a_signal() {
    let (_folder, config) = written('a');
    let mut serving = Serving::start(&config).await;
    fs::write(&config, text('b')).unwrap();
    serving.wait_for(RELOADED).await;
    assert_eq!(serving.set().await, 'b');
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsound_file_leaves_the_old_one_and_says_each_fault() {
    let (_folder, config) = written('a');
    let mut serving = Serving::start(&config).await;
    let bad = text('b').replace("require: none", "require: nothing");
    fs::write(&config, bad.replace("workers: 2", "workers: 0")).unwrap();
    serving.wait_for(&format!("{}:4:", config.display())).await;
    serving.wait_for(&format!("{}:6:", config.display())).await;
    serving.wait_for(UNSOUND).await;
    assert_eq!(serving.set().await, 'a');
    fs::write(&config, text('b')).unwrap();
    serving.wait_for(RELOADED).await;
    assert_eq!(serving.set().await, 'b');
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_restart_changes_is_said() {
    let (_folder, config) = written('a');
    let mut serving = Serving::start(&config).await;
    fs::write(&config, text('b').replace("workers: 2", "workers: 3")).unwrap();
    let line = serving.wait_for("this key takes effect only after").await;
    assert!(line.contains("\"key\":\"workers\""), "{line}");
    serving.wait_for(RELOADED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_swapped_as_kubernetes_does_leads_to_the_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (version, set) in [("..1", 'a'), ("..2", 'b'), ("..3", 'a')] {
        fs::create_dir(root.join(version)).unwrap();
        fs::write(root.join(version).join("stepgate.yaml"), text(set)).unwrap();
    }
    let swap = |version: &str| {
        symlink(version, root.join("..data_tmp")).unwrap();
        fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
    };
    swap("..1");
    symlink("..data/stepgate.yaml", root.join("stepgate.yaml")).unwrap();
    let mut serving = Serving::start(&root.join("stepgate.yaml")).await;
    for (version, set) in [("..2", 'b'), ("..3", 'a')] {
        swap(version);
        serving.wait_for(RELOADED).await;
        assert_eq!(serving.set().await, set);
    }
}

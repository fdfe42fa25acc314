//! A real Prometheus scrapes the real binary under load, and every query of the dashboard gives data.
//!
//! Not a part of `make test`, since it needs `prometheus` on `PATH`: `make observe-check` brings it.

use std::{fs, path::Path, process::Stdio, time::Duration};

use demo::kratos::{Double, Options, Person, SessionCookie};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
    time::{sleep, timeout},
};
use url::Url;

use super::{ALERTS, alerts, all, dashboard};
use crate::{
    gate::request,
    reload::{RELOADED, UNSOUND},
    serving::Serving,
};

/// The longest that anything may take to show.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

const CONFIG: &str = "
kratos: { ciam: { api_url: 'KRATOS', browser_url: 'https://ciam.test', origins: ['https://app.test'] } }
default: none
rules:
  - { id: account, match: { path: /account }, require: session }
  - { id: transfer, match: { path: /transfer }, require: aal2 }
  - { id: closed, match: { path: /closed }, require: deny }
  - { id: tried, match: { path: /tried }, require: aal2, mode: shadow }
servers: { grpc: { listen: '127.0.0.1:0' }, http: { listen: '127.0.0.1:0' }, admin: { listen: '127.0.0.1:0' } }
";

/// A Prometheus, killed when it is dropped.
struct Prometheus {
    _child: Child,
    url: Url,
}

/// All of it.
struct Scene {
    folder: TempDir,
    double: Double,
    serving: Serving,
    prometheus: Prometheus,
}

impl Prometheus {
    /// Scrapes this address each second, and evaluates the alerts as often.
    async fn start(folder: &Path, admin: &str) -> Self {
        let alerts = Path::new(env!("CARGO_MANIFEST_DIR")).join(ALERTS);
        let config = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}
rule_files: ['{}']
scrape_configs: [{{ job_name: stepgate, static_configs: [{{ targets: ['{admin}'] }}] }}]
",
            alerts.display()
        );
        fs::write(folder.join("prometheus.yml"), config).unwrap();
        let mut child = Command::new("prometheus")
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .arg("--web.listen-address=127.0.0.1:0")
            .current_dir(folder)
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("prometheus doesn't start ({error}); run `make observe-check`")
            });
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let listening = async {
            while let Some(line) = log.next_line().await.unwrap() {
                if let Some((_, address)) = line.split_once("\"Listening on\" address=") {
                    return format!("http://{address}");
                }
            }
            panic!("prometheus ended before it listened")
        };
        let url = timeout(PATIENCE, listening).await.unwrap();
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        let url = url.parse().unwrap();
        Self { _child: child, url }
    }

    /// The `data` of an answer of its API, or why there is none.
    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        let mut url = self.url.join(&format!("/api/v1/{path}")).unwrap();
        url.query_pairs_mut().extend_pairs(query);
        let client = demo::client::builder().build().unwrap();
        let response = client
            .get(url)
            .send()
            .await
            .map_err(|error| error.to_string())?;
        let text = response.text().await.map_err(|error| error.to_string())?;
        let answer: Value = serde_json::from_str(&text).map_err(|_| text.clone())?;
        match (
            answer.get("status").and_then(Value::as_str),
            answer.get("data"),
        ) {
            (Some("success"), Some(data)) => Ok(data.clone()),
            _ => Err(text),
        }
    }

    /// Waits until this query gives a number.
    async fn until_it_has(&self, expression: &str) {
        let mut said = String::new();
        let given = async {
            loop {
                match self.ask("query", &[("query", expression)]).await {
                    Ok(data) if is_number_in(&data) => return,
                    Ok(data) => said = data.to_string(),
                    // It may still be starting; what can't be parsed never can.
                    Err(why) => {
                        assert!(!why.contains("bad_data"), "{why}");
                        said = why;
                    }
                }
                sleep(PAUSE).await;
            }
        };
        let given = timeout(PATIENCE, given).await;
        assert!(given.is_ok(), "no data for `{expression}`: {said}");
    }

    /// Waits until this alert has begun to count.
    async fn until_it_rings(&self, alert: &str) {
        self.until_it_has(&format!("ALERTS{{alertname=\"{alert}\"}}"))
            .await;
    }
}

/// Whether some series has a value that can be drawn.
fn is_number_in(data: &Value) -> bool {
    let series = data["result"].as_array().unwrap();
    series.iter().any(|one| {
        let value = one.pointer("/value/1").and_then(Value::as_str);
        let value = value.and_then(|text| text.parse::<f64>().ok());
        value.is_some_and(f64::is_finite)
    })
}

impl Scene {
    async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let double = Double::start(Options::default()).await.unwrap();
        fs::write(
            config(&folder),
            CONFIG.replace("KRATOS", double.public_url().as_str()),
        )
        .unwrap();
        let serving = Serving::start(&config(&folder)).await;
        let prometheus = Prometheus::start(folder.path(), serving.address("admin")).await;
        Self {
            folder,
            double,
            serving,
            prometheus,
        }
    }

    /// Somebody signs in.
    fn session(&self, email: &str, totp_secret: Option<&str>) -> SessionCookie {
        self.double.add_person(Person {
            email: email.to_owned(),
            password: "not-a-password-only-for-tests".to_owned(),
            totp_secret: totp_secret.map(str::to_owned),
            ..Person::default()
        });
        self.double.sign_in(email).unwrap()
    }

    /// People at work, some of whom may not pass, until the handle is aborted.
    fn load(&self) -> JoinHandle<()> {
        let plain = self.session("plain@app.test", None);
        let enrolled = self.session("totp@app.test", Some("NOTASECRETNOTASECRETNOTASECRET22"));
        let proven = self
            .double
            .step_up(&self.session("proven@app.test", None), "totp")
            .unwrap();
        let cookies = [None, Some(plain), Some(enrolled), Some(proven)];
        let cookies = cookies.map(|cookie| cookie.map_or(String::new(), |cookie| cookie.header()));
        let (mut client, http) = (
            self.serving.client.clone(),
            self.serving.address("http").to_owned(),
        );
        tokio::spawn(async move {
            let browser = demo::client::builder().build().unwrap();
            loop {
                for path in ["/", "/account", "/transfer", "/closed", "/tried", "/%2e%2e"] {
                    for cookie in &cookies {
                        let headers = [("accept", "text/html"), ("cookie", cookie)];
                        let check = request("GET", "app.test", path, &headers);
                        let answer = client.check(check).await;
                        assert!(answer.is_ok(), "{answer:?}");
                    }
                    let asked = browser
                        .get(format!("http://{http}/forward-auth"))
                        .header("x-forwarded-method", "GET")
                        .header("x-forwarded-host", "app.test")
                        .header("x-forwarded-uri", path);
                    asked.send().await.unwrap();
                }
                sleep(PAUSE).await;
            }
        })
    }
}

fn config(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("stepgate.yaml")
}

/// An expression as Grafana sends it, with everything chosen.
fn chosen(expression: &str) -> String {
    let chosen = expression.replace("$__rate_interval", "10s");
    ["$job", "$rule", "$kratos"]
        .iter()
        .fold(chosen, |text, variable| text.replace(variable, ".*"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Prometheus: make observe-check"]
async fn every_query_of_the_dashboard_gives_data_and_alerts_ring_when_kratos_goes() {
    let mut scene = Scene::set().await;
    let load = scene.load();
    let expressions = all(&dashboard(), "expr");
    for expression in expressions.iter().filter(|text| !text.ends_with("> 0")) {
        scene.prometheus.until_it_has(&chosen(expression)).await;
    }
    for variable in all(&dashboard(), "definition") {
        let inner = variable
            .trim_start_matches("label_values(")
            .trim_end_matches(')');
        let (metric, label) = inner.rsplit_once(", ").unwrap();
        let path = format!("label/{label}/values");
        let values = scene
            .prometheus
            .ask(&path, &[("match[]", &chosen(metric))])
            .await
            .unwrap();
        assert_ne!(values.as_array().unwrap().len(), 0, "{variable}");
    }

    // A reload that holds is a mark on the graphs, one that doesn't is an alert.
    let sound = fs::read_to_string(config(&scene.folder)).unwrap();
    fs::write(config(&scene.folder), sound.replace("/closed", "/shut")).unwrap();
    scene.serving.wait_for(RELOADED).await;
    for expression in expressions.iter().filter(|text| text.ends_with("> 0")) {
        scene.prometheus.until_it_has(&chosen(expression)).await;
    }
    fs::write(config(&scene.folder), sound.replace("deny", "denied")).unwrap();
    scene.serving.wait_for(UNSOUND).await;
    scene
        .prometheus
        .until_it_rings("StepgateReloadFailed")
        .await;

    let Scene {
        double,
        prometheus,
        serving: _serving,
        ..
    } = scene;
    double.stop().await;
    prometheus.until_it_rings("StepgateKratosUnavailable").await;
    prometheus.until_it_rings("StepgateBreakerOpen").await;
    assert!(!load.is_finished(), "every check was answered");
    load.abort();

    let rules = prometheus.ask("rules", &[]).await.unwrap();
    assert_eq!(
        all(&rules, "health"),
        vec!["ok"; alerts().len()],
        "{rules:#}"
    );
}

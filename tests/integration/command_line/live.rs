//! `check --live` against the double, and the same questions asked by `serve`.

use std::{fs, process::Stdio, time::Duration};

use demo::kratos::{Double, Options};
use stepgate::{config::Config, kratos::survey, telemetry::clock::Clock};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

use super::{command, folder};

/// The longest wait for a line of the log.
const PATIENCE: Duration = Duration::from_secs(20);

fn config(api_url: &str) -> String {
    let api_url = api_url.trim_end_matches('/');
    format!(
        "kratos:
  ciam:
    api_url: {api_url}
    browser_url: http://ciam.bank.test:8080
    origins: [http://app.bank.test:8080, 'https://*.shop.test']
secret: {{ file: secret }}
default: none
servers: {{ grpc: {{ listen: 127.0.0.1:0 }} }}
"
    )
}

async fn double(allowed: &[&str]) -> Double {
    let allowed_return_urls = allowed.iter().map(|url| (*url).to_owned()).collect();
    Double::start(Options {
        allowed_return_urls,
        ..Options::default()
    })
    .await
    .unwrap()
}

async fn check(config: &str) -> (i32, String) {
    let folder = folder(config);
    let mut command = Command::from(command(folder.path(), &["check", "--live"]));
    let output = tokio::time::timeout(PATIENCE, command.output())
        .await
        .unwrap()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kratos_that_fits_is_well() {
    let double = double(&["http://app.bank.test:8080/", "https://*.shop.test/"]).await;
    let url = double.public_url().to_string();
    let (code, text) = check(&config(&url)).await;
    assert_eq!(code, 0, "{text}");
    let told = text.replace(url.trim_end_matches('/'), "URL");
    let lines: Vec<_> = told
        .lines()
        .filter(|line| !line.starts_with("warning: "))
        .collect();
    assert_eq!(
        lines,
        [
            "ok: stepgate.yaml: 1 identity domain, 2 origins, 0 rules, 1 warning",
            "ok: ciam: `URL` answers, and its clock agrees with this one",
            "ok: ciam: `/health/ready` says that it is ready",
            "ok: ciam: people may return to `http://app.bank.test:8080/`",
            "ok: ciam: people may return to `https://any.shop.test/`",
        ]
    );
    assert_eq!(double.calls("/self-service/login/browser"), 2);
    double.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_that_is_not_allowed_is_named() {
    let double = double(&["http://app.bank.test:8080/"]).await;
    let (code, text) = check(&config(double.public_url().as_str())).await;
    assert_eq!(code, 1, "{text}");
    let line = "problem: ciam: nobody may return to `https://any.shop.test/`, so a challenge from there ends on an error; add `https://*.shop.test/` to `selfservice.allowed_return_urls` in Kratos' configuration";
    assert!(text.lines().any(|own| own == line), "{text}");
    double.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_public_api_is_named() {
    let double = double(&[]).await;
    let (code, text) = check(&config(double.admin_url().as_str())).await;
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("is Kratos' admin API; name the public one in `api_url`"),
        "{text}"
    );
    let elsewhere = format!("{}elsewhere", double.public_url());
    let (code, text) = check(&config(&elsewhere)).await;
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("answers 404 Not Found to nobody, where a Kratos says 401"),
        "{text}"
    );
    let health = config(double.public_url().as_str())
        .replace("    origins", "    health: /healthy\n    origins");
    let (code, text) = check(&health).await;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("`/healthy` is not served there"), "{text}");
    double.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_disagrees_is_named() {
    let double = double(&[]).await;
    let text = config(double.public_url().as_str()).replace("secret: { file: secret }\n", "");
    let config = Config::parse("s.yaml", &text).unwrap();
    for (minutes, word) in [(-1_i64, "ahead of"), (1, "behind")] {
        let shift = Duration::from_secs(60 * minutes.unsigned_abs());
        let clock = Clock::by_hand(move || {
            let now = Clock::system().now();
            if minutes < 0 {
                now - shift
            } else {
                now + shift
            }
        });
        let found = survey(&config.kratos[0], &[], &clock).await.unwrap();
        assert!(
            !found[0].is_well && found[0].text.contains(&format!(" s {word} this one")),
            "{found:?}"
        );
    }
    double.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kratos_that_is_not_there_is_told_once() {
    let (code, text) = check(&config("http://127.0.0.1:1")).await;
    assert_eq!(code, 1);
    let problems: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("problem: "))
        .collect();
    assert_eq!(problems.len(), 1, "{text}");
    assert!(
        problems[0].starts_with("problem: ciam: `http://127.0.0.1:1` can't be reached: "),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_asks_the_same_after_its_start_and_warns() {
    let double = double(&["http://app.bank.test:8080/"]).await;
    let folder = folder("");
    fs::write(
        folder.path().join("stepgate.yaml"),
        config(double.public_url().as_str()),
    )
    .unwrap();
    let mut command = Command::from(command(folder.path(), &["serve"]));
    let mut child = command
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let warned = async {
        let mut is_serving = false;
        while let Some(line) = log.next_line().await.unwrap() {
            is_serving |= line.contains("\"serving\"");
            if line.contains("nobody may return to `https://any.shop.test/`") {
                return (is_serving, line);
            }
        }
        panic!("no warning");
    };
    let (is_serving, line) = tokio::time::timeout(PATIENCE, warned).await.unwrap();
    assert!(is_serving, "nothing waits for Kratos");
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let level = line["level"].as_str().unwrap();
    assert!(
        level.eq_ignore_ascii_case("warn") && line["kratos"] == "ciam",
        "{line}"
    );
    double.stop().await;
}

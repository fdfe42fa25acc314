//! Each verb as a person meets it: what it prints, to the letter, and how it ends.

mod live;

use std::{fs, path::Path, process::Command};

use insta::assert_snapshot;

/// A sound configuration with much that is hardly meant.
const DOUBTFUL: &str = "kratos:
  ciam:
    api_url: http://127.0.0.1:4433
    browser_url: https://ciam.example.com
    origins: [https://app.example.com, 'https://*.shop.example.com']
secret: { file: secret }
default: none
upstream_headers: { X-User-Id: identity.id, X-Mail: identity./traits/email }
rules:
  - id: everything
    match: { host: app.example.com }
    require: session
  - id: admin
    match: { path: /admin/** }
    require: { aal: aal2, max_age: 5m, identity: { /traits/role: [admin] } }
  - id: shops
    match: { host: '*.shop.example.com', path: /basket/** }
    require: session
  - id: pay
    match: { host: one.shop.example.com, path: /pay }
    require: aal2
  - id: remove
    match: { host: app.example.com, path: '/items/{id}', methods: [DELETE] }
    require: aal2
  - id: sessions
    match: { path: /sessions/** }
    require: session
    cache: 5s
";

/// One with nothing to remark.
const PLAIN: &str = "kratos:
  ciam:
    api_url: http://127.0.0.1:4433
    browser_url: https://ciam.example.com
    origins: [https://app.example.com]
secret: { file: secret }
default: none
rules:
  - id: transfer
    match: { path: /transfer/** }
    require: { aal: aal2, max_age: 5m }
  - id: anything
    match: { path: /** }
    require: session
  - id: post
    match: { path: /other, methods: [POST, PUT, PATCH, DELETE] }
    require: aal2
  - id: elsewhere
    match: { path: /elsewhere }
    require: deny
";

/// What the Olympus cookbook says to write, and some more that does not fit.
const COOKBOOK: &str = "serve:
  public: { base_url: https://ciam.example.com/ }
session:
  whoami:
    required_aal: aal2
  cookie: { name: olympus, domain: ciam.example.com }
selfservice:
  allowed_return_urls: [https://www.example.com]
  methods:
    totp: { enabled: false }
    webauthn: { enabled: true, config: { passwordless: true } }
  flows:
    login: { ui_url: https://app.example.com/transfer/login }
    settings:
      ui_url: https://app.example.com/settings
      required_aal: aal2
";

/// A folder with a configuration, and a secret that looks its part.
fn folder(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("stepgate.yaml"), config).unwrap();
    fs::write(
        folder.path().join("secret"),
        "not-a-secret-but-long-enough-for-one",
    )
    .unwrap();
    folder
}

fn command(folder: &Path, line: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepgate"));
    command.current_dir(folder).args(line);
    for name in [
        "STEPGATE_CONFIG",
        "STEPGATE_SECRET",
        "NO_COLOR",
        "CLICOLOR_FORCE",
        "COLUMNS",
    ] {
        command.env_remove(name);
    }
    command
}

/// The exit code and all that was printed.
fn run(folder: &Path, line: &[&str]) -> (i32, String) {
    let output = command(folder, line).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(text).unwrap(),
    )
}

/// What this configuration makes of a command line, the exit code below it.
fn told(config: &str, line: &[&str]) -> String {
    let folder = folder(config);
    let (code, text) = run(folder.path(), line);
    format!("{text}exit {code}\n")
}

#[test]
fn help_reads_well() {
    let mut text = String::new();
    for verb in [
        "",
        "serve",
        "check",
        "explain",
        "test",
        "health",
        "schema",
        "version",
        "completions",
    ] {
        let line: Vec<_> = ["help", verb]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect();
        text.push_str(&format!(
            "$ stepgate {}\n{}\n",
            line.join(" "),
            told(PLAIN, &line)
        ));
    }
    assert_snapshot!(text);
}

#[test]
fn check_tells_what_is_hardly_meant() {
    assert_snapshot!(told(DOUBTFUL, &["check"]));
}

#[test]
fn check_says_that_all_is_well() {
    assert_snapshot!(told(PLAIN, &["check", "--strict"]));
}

#[test]
fn check_tells_every_fault() {
    let faulty = DOUBTFUL
        .replace("require: session", "require: aal9")
        .replace("id: pay", "id: Pay");
    assert_snapshot!(told(&faulty, &["check"]));
}

#[test]
fn check_knows_what_the_cookbook_means() {
    assert_snapshot!(told(
        &PLAIN.replace("require: session", "required_aal: aal2"),
        &["check"]
    ));
}

#[test]
fn check_says_what_in_kratos_breaks_a_step_up() {
    let folder = folder(PLAIN);
    fs::write(folder.path().join("kratos.yml"), COOKBOOK).unwrap();
    let (code, text) = run(folder.path(), &["check", "--kratos", "kratos.yml"]);
    assert_snapshot!(format!("{text}exit {code}\n"));
}

#[test]
fn a_strict_check_says_no_to_a_warning_and_a_missing_secret_is_none() {
    let folder = folder(DOUBTFUL);
    assert_eq!(run(folder.path(), &["check"]).0, 0);
    assert_eq!(run(folder.path(), &["check", "--strict"]).0, 1);
    fs::write(
        folder.path().join("stepgate.yaml"),
        PLAIN.replace("secret: { file: secret }", ""),
    )
    .unwrap();
    let (code, text) = run(folder.path(), &["check", "--strict"]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.starts_with("note: no secret is configured here"),
        "{text}"
    );
}

#[test]
fn a_rule_in_shadow_is_shown_with_what_holds_meanwhile() {
    let shadow = PLAIN.replace("max_age: 5m }", "max_age: 5m }\n    mode: shadow");
    let url = "https://app.example.com/transfer/new";
    let passes = ["explain", "--url", url, "--session", "aal1-enrolled"];
    let explained = told(&shadow, &passes);
    let (until_envoy, _) = explained.split_once("\n\nEnvoy hears").unwrap();
    let refused = told(&shadow, &["explain", "--url", url]);
    let (_, decision) = refused.split_once("Decision\n").unwrap();
    let decision = decision.lines().next().unwrap();
    let checked = told(&shadow, &["check", "--strict"]);
    assert_snapshot!(format!(
        "{checked}\n{until_envoy}\n\nSigned out:\n{decision}\n"
    ));
}

#[test]
fn explain_tells_why_a_page_is_sent_to_step_up() {
    let text = told(
        PLAIN,
        &[
            "explain",
            "--url",
            "https://app.example.com/transfer/new?to=1",
            "--session",
            "aal1-enrolled",
        ],
    );
    assert_snapshot!(without_marker(&text));
}

#[test]
fn explain_tells_every_reading_of_a_path_and_what_the_route_asks() {
    let line = [
        "explain",
        "--url",
        "https://app.example.com/x%3f/transfer",
        "--context",
        "require=aal2",
        "--header",
        "accept: application/json",
        "--session",
        "aal2:10m",
    ];
    assert_snapshot!(told(PLAIN, &line));
}

#[test]
fn explain_tells_what_an_allow_carries() {
    let line = [
        "explain",
        "--method",
        "POST",
        "--url",
        "https://app.example.com/transfer",
        "--header",
        "X_User_Id: forged",
        "--session",
        "aal2",
    ];
    assert_snapshot!(told(PLAIN, &line));
}

#[test]
fn explain_tells_of_requests_that_come_to_no_rule() {
    let of = |url: &str| {
        told(
            PLAIN,
            &["explain", "--url", url, "--header", "upgrade: websocket"],
        )
    };
    assert_snapshot!(format!(
        "{}\n{}",
        of("https://app.example.com/a/../b"),
        of("https://other.example.com/")
    ));
}

/// It is signed with the time.
fn without_marker(text: &str) -> String {
    let mut parts = text.split("stepgate_marker=");
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        let rest = part.split_once(';').unwrap().1;
        plain.push_str(&format!("stepgate_marker=…;{rest}"));
    }
    plain
}

#[test]
fn usage_that_can_not_be_understood_ends_with_2() {
    for line in [
        &["chek"][..],
        &["check", "--no"],
        &["explain"],
        &["explain", "--url", "app"],
        &["explain", "--url", "http://a", "--session", "aal3"],
        &["completions", "tcl"],
    ] {
        let folder = folder(PLAIN);
        assert_eq!(run(folder.path(), line).0, 2, "{line:?}");
    }
}

#[test]
fn a_missing_configuration_ends_with_64() {
    let folder = tempfile::tempdir().unwrap();
    for line in [
        &["check"][..],
        &["serve"],
        &["explain", "--url", "https://app.example.com/"],
    ] {
        let (code, text) = run(folder.path(), line);
        assert_eq!(code, 64, "{line:?}");
        assert!(text.contains("stepgate.yaml"), "{text}");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let told = told(PLAIN, &["version"]);
    assert_eq!(
        told,
        format!("stepgate {}\nexit 0\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let text = told(PLAIN, &["completions", shell]);
        assert!(
            text.contains("explain") && text.ends_with("exit 0\n"),
            "{shell}"
        );
    }
}

#[test]
fn colours_are_for_terminals_and_for_who_insists() {
    let folder = folder(PLAIN);
    let colours = |name: &str, value: &str| {
        let output = command(folder.path(), &["check"])
            .env(name, value)
            .output()
            .unwrap();
        output.stdout.contains(&b'\x1b')
    };
    assert!(!colours("TERM", "xterm-256color"));
    assert!(colours("CLICOLOR_FORCE", "1"));
    assert!(!colours("NO_COLOR", "1"));
}

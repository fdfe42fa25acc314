//! Every line that any Stepgate of this suite writes is looked at as it comes, in this process and in others: the first that
//! holds a credential, a trait or a secret ends the run. `secrets.rs` looks for each value that was sent; this one looks for
//! what such values look like, wherever they come from.

use std::{
    io,
    sync::{
        Once,
        atomic::{AtomicUsize, Ordering},
    },
};

use tracing_subscriber::EnvFilter;

/// What stands in front of or in the secrets of this suite, and nowhere else.
const MARKS: [&str; 8] = [
    "ory_kratos_session=",
    "ory_st_",
    "csrf_token=",
    "Bearer ",
    "NOTASECRET",
    "not-a-password",
    "not-a-secret",
    "marked-",
];
/// The double's session cookies and its CSRF tokens are longer words of letters and digits, and nothing that is logged is.
const LONGEST_WORD: usize = 60;

/// How many lines of this process were looked at.
static SEEN: AtomicUsize = AtomicUsize::new(0);

/// From now on, what is logged in this process is looked at.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new("warn,stepgate=trace,audit=trace"))
            .with_ansi(false)
            .with_writer(|| Watcher)
            .init();
    });
}

/// Ends the run if this holds a secret.
#[expect(
    clippy::exit,
    clippy::print_stderr,
    reason = "a panic in the task that logs would be taken for something else"
)]
pub(crate) fn look_at(output: &str) {
    if let Some(line) = output.lines().find(|line| is_leaky(line)) {
        eprintln!("\na secret in what Stepgate wrote:\n{line}\n");
        std::process::exit(101);
    }
}

fn is_leaky(line: &str) -> bool {
    MARKS.iter().any(|mark| line.contains(mark)) || line.split(is_no_word).any(is_secret)
}

/// Between two words of base64 or an address.
fn is_no_word(c: char) -> bool {
    !(c.is_ascii_alphanumeric() || "-_@.".contains(c))
}

fn is_secret(word: &str) -> bool {
    let has = |is: fn(&char) -> bool| word.chars().any(|c| is(&c));
    let is_mixed =
        has(char::is_ascii_digit) && has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase);
    let is_email = word.ends_with(".test") && word.contains('@');
    is_email || is_mixed && word.len() > LONGEST_WORD
}

/// Looks at each line and keeps none.
struct Watcher;

impl io::Write for Watcher {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        SEEN.fetch_add(1, Ordering::Relaxed);
        look_at(&String::from_utf8_lossy(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_logged_in_this_process_is_looked_at() {
    listen();
    let before = SEEN.load(Ordering::Relaxed);
    tracing::debug!(target: "stepgate::authorizer", "a line");
    assert!(SEEN.load(Ordering::Relaxed) > before);
}

#[test]
fn a_secret_in_a_line_is_seen() {
    let cookie = "MTc2NDAwMDAwMHxoeXZ4cXJ3Z3l0b2tlbi1vZi1ub2JvZHktYXQtYWxsLW1hZGUtdXB8Zm9vYmFy==";
    for secret in [
        "cookie: ory_kratos_session=abc",
        "ory_st_abcdefgh",
        "?csrf_token=x",
        "authorization: Bearer x",
        "NOTASECRETNOTASECRETNOTASECRET22",
        "not-a-password-only-for-tests",
        "plain@app.test",
        cookie,
    ] {
        let text = format!("INFO check door=\"grpc\" path=\"/{secret}\" aal=aal1");
        let json = format!("{{\"msg\":\"check\",\"path\":\"/x {secret}\",\"aal\":\"\"}}");
        assert!(is_leaky(&text) && is_leaky(&json), "{secret}");
    }
    for line in [
        r#"{"time":"2026-01-01T00:00:00.000000Z","level":"INFO","msg":"check","door":"grpc","method":"GET","host":"app.test","path":"/transfer","rule_id":"transfer","decision":"login","request_id":"170d3215-a101-4beb-9c2e-0123456789ab"}"#,
        "WARN no secret is configured, so this replica has its own; set `secret.file` or `STEPGATE_SECRET`",
    ] {
        assert!(!is_leaky(line), "{line}");
    }
}

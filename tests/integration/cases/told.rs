//! A Kratos that says what a case says. It knows one credential, and answers everyone else as signed out.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use stepgate::cli::cases::{self, Said, Written};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The stand-in, listening.
pub(super) struct Told {
    url: String,
    said: Arc<Mutex<Said>>,
}

impl Told {
    /// The credential that it knows.
    pub(super) const CREDENTIAL: &str = "what-the-case-says";

    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let said = Arc::new(Mutex::new(Said::SignedOut));
        tokio::spawn(serve(listener, Arc::clone(&said)));
        Self { url, said }
    }

    /// From now on it says this; returns where it does.
    pub(super) fn say(&self, said: Said) -> String {
        *self.said.lock().unwrap() = said;
        self.url.clone()
    }
}

async fn serve(listener: TcpListener, said: Arc<Mutex<Said>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let said = said.lock().unwrap().clone();
        // A client that goes away early ends its own exchange only.
        tokio::spawn(async move { exchange(stream, &said).await });
    }
}

async fn exchange(mut stream: TcpStream, said: &Said) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default();
    let (status, more, body) = answer(path, head.contains(Told::CREDENTIAL), said);
    let body = body.to_string();
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} Told\r\n{more}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await
}

fn answer(path: &str, is_known: bool, said: &Said) -> (u16, String, Value) {
    let error = |status: u16, id: &str| (status, String::new(), json!({ "error": { "id": id } }));
    if let Said::Unavailable(wait) = said {
        let seconds = wait.unwrap_or_default().as_secs();
        return (429, format!("retry-after: {seconds}\r\n"), json!({}));
    }
    let session = said.written().filter(|_| is_known);
    match (path.split('?').next().unwrap_or_default(), session) {
        ("/health/ready", _) => (200, String::new(), json!({ "status": "ok" })),
        ("/sessions/whoami", Some(session)) => (200, String::new(), session.whoami(cases::now())),
        ("/sessions/whoami", None) if is_known => error(403, "session_aal2_required"),
        ("/sessions/whoami", None) => error(401, "session_inactive"),
        ("/self-service/settings/browser" | "/self-service/settings/api", Some(session)) => {
            settings(&session)
        }
        _ => error(401, "session_aal1_required"),
    }
}

/// The settings flow, closed to a session below the level that its owner can reach.
fn settings(session: &Written) -> (u16, String, Value) {
    if session.aal < stepgate::domain::session::Aal::Aal2 && !session.set_up.is_empty() {
        let error = json!({ "error": { "id": "session_aal2_required" } });
        return (403, String::new(), error);
    }
    let node = |factor: &stepgate::domain::session::Factor| match factor.as_str() {
        "totp" => json!({ "attributes": { "name": "totp_unlink" } }),
        "webauthn" => json!({ "attributes": { "name": "webauthn_remove" } }),
        "lookup_secret" => json!({ "attributes": { "name": "lookup_secret_disable" } }),
        _ => json!({ "attributes": {} }),
    };
    let nodes: Vec<_> = session.set_up.iter().map(node).collect();
    (200, String::new(), json!({ "ui": { "nodes": nodes } }))
}

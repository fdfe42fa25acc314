//! Doors at socket files, by the real binary.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::Path,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    process::Command,
};

use crate::serving::Serving;

/// A configuration whose doors are socket files in this folder.
fn config(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("stepgate.yaml");
    let text = format!(
        "
kratos:
  ciam:
    api_url: http://127.0.0.1:9
    browser_url: https://ciam.test
    origins: [https://app.test]
default: session
drain: 0s
rules:
  - {{ id: open, match: {{ path: / }}, require: none }}
servers:
  grpc: {{ listen: 'unix:{0}/grpc' }}
  http: {{ listen: 'unix:{0}/http', socket_mode: '0600' }}
  admin: {{ listen: 'unix:{0}/admin', socket_mode: '0666' }}
",
        folder.display()
    );
    fs::write(&path, text).unwrap();
    path
}

async fn ask(socket: &Path, target: &str, headers: &str) -> String {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    let question =
        format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(question.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// What `stepgate health` says of an admin door.
async fn health(admin: &Path) -> Option<i32> {
    let asked = Command::new(env!("CARGO_BIN_EXE_stepgate"))
        .args(["health", "--admin"])
        .arg(format!("unix:{}", admin.display()))
        .output();
    asked.await.unwrap().status.code()
}

#[tokio::test]
async fn every_door_may_be_a_socket_file_with_a_mode_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let [grpc, http, admin] = ["grpc", "http", "admin"].map(|door| folder.path().join(door));
    let mut serving = Serving::start(&config(folder.path())).await;
    for (socket, mode) in [(&grpc, 0o660), (&http, 0o600), (&admin, 0o666)] {
        let file = fs::symlink_metadata(socket).unwrap();
        assert!(file.file_type().is_socket());
        assert_eq!(file.permissions().mode() & 0o777, mode);
    }
    assert_eq!(serving.ask("/").await.status, 200);
    assert_eq!(serving.ask("/account").await.status, 503);
    // Whoever may open the file is a trusted proxy.
    let facts = "x-forwarded-method: GET\r\nx-forwarded-host: app.test\r\nx-forwarded-uri: /\r\n";
    let allowed = ask(&http, "/forward-auth", facts).await;
    assert!(allowed.starts_with("HTTP/1.1 200 "), "{allowed}");
    let ready = ask(&admin, "/health/ready", "").await;
    assert!(ready.starts_with("HTTP/1.1 200 "), "{ready}");
    assert_eq!(health(&admin).await, Some(0));
    serving.signal("TERM");
    assert_eq!(serving.ended().await, Some(0));
    assert!([&grpc, &http, &admin].iter().all(|socket| !socket.exists()));
}

#[tokio::test]
async fn what_a_killed_one_left_is_replaced_and_what_a_live_one_holds_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let mut killed = Serving::start(&config).await;
    killed.signal("KILL");
    killed.ended().await;
    assert!(folder.path().join("grpc").exists());
    let serving = Serving::start(&config).await;
    let second = Command::new(env!("CARGO_BIN_EXE_stepgate"))
        .args(["serve", "-c"])
        .arg(&config)
        .output();
    let second = second.await.unwrap();
    let complaint = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(70), "{complaint}");
    assert!(
        complaint.contains("grpc`; is something else running there?"),
        "{complaint}"
    );
    assert_eq!(serving.ask("/").await.status, 200);
}

//! HTTP/1.1 by hand: a request goes out byte for byte, however odd it is, and an answer is read to its end.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In the order they came, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// Sends a request with these headers and no others but `connection: close`.
pub(crate) async fn ask(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let head = format!("{method} {target} HTTP/1.1\r\n{lines}connection: close\r\n\r\n");
    Answer::parse(&send(address, head.as_bytes()).await)
}

/// Sends bytes and returns all that comes back until the connection ends.
pub(crate) async fn send(address: SocketAddr, bytes: &[u8]) -> String {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        // A reset after the answer is an end like any other.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::time::timeout(PATIENCE, exchange).await.unwrap()
}

impl Answer {
    pub(crate) fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_lowercase(), value.trim().to_owned())
        };
        Self {
            status: status.and_then(|status| status.parse().ok()).unwrap_or(0),
            headers: lines.map(header).collect(),
            body: body.to_owned(),
        }
    }

    /// The value of a header that comes once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(key, _)| key == name);
        let first = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "`{name}` came twice: {self:?}");
        first
    }

    pub(crate) fn reason(&self) -> &str {
        self.header("x-stepgate-reason").unwrap_or_default()
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location").unwrap_or_default()
    }
}

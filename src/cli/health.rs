use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use thiserror::Error;

use super::{Exit, complain};
use crate::servers::listen::Listen;

/// Longest each step may take: to connect, to ask, and to hear the answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// A status line is shorter.
const ENOUGH: u64 = 256;

/// Why a server is not ready.
#[derive(Debug, Error)]
enum Unready {
    #[error("nobody answers at {0}, the admin listener")]
    Silent(Listen, #[source] io::Error),
    #[error("{0} answers `{1}`")]
    Refused(Listen, String),
}

/// Asks the running server whether it is ready; an image without a shell has nothing else to ask with.
pub(super) fn run(admin: &Listen) -> Exit {
    match ready(admin) {
        Ok(()) => Exit::Done,
        Err(unready) => {
            complain(&unready);
            Exit::No
        }
    }
}

fn ready(admin: &Listen) -> Result<(), Unready> {
    let answer = ask(admin).map_err(|error| Unready::Silent(admin.clone(), error))?;
    let status = answer.lines().next().unwrap_or_default();
    match status.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(Unready::Refused(admin.clone(), status.to_owned())),
    }
}

fn ask(admin: &Listen) -> io::Result<String> {
    match admin {
        Listen::Tcp(address) => converse(tcp(*address)?, &address.to_string()),
        Listen::Unix { path, .. } => converse(unix(path)?, "localhost"),
    }
}

fn tcp(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn unix(path: &Path) -> io::Result<UnixStream> {
    let stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn converse(mut stream: impl Read + Write, host: &str) -> io::Result<String> {
    write!(
        stream,
        "GET /health/ready HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(ENOUGH).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// Answers one question with `answer`; what was asked, and what was made of the answer.
    fn told(answer: &'static str) -> (String, Result<(), Unready>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let admin = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                asked.extend(byte);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(asked).unwrap()
        });
        let told = ready(&Listen::Tcp(admin));
        (server.join().unwrap(), told)
    }

    #[test]
    fn a_ready_server_is_ready() {
        let (asked, told) = told("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        assert!(asked.starts_with("GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1:"));
        assert!(told.is_ok());
    }

    #[test]
    fn a_server_that_drains_is_not_ready() {
        let (_, told) = told("HTTP/1.1 503 Service Unavailable\r\n\r\n");
        let told = told.unwrap_err().to_string();
        assert!(
            told.ends_with("answers `HTTP/1.1 503 Service Unavailable`"),
            "{told}"
        );
    }

    #[test]
    fn no_answer_is_not_ready() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let admin = listener.local_addr().unwrap();
        drop(listener);
        assert!(matches!(
            ready(&Listen::Tcp(admin)),
            Err(Unready::Silent(_, _))
        ));
    }
}

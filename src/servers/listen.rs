//! Where a door listens: at an address, or at a socket file of this machine.

mod file;

use std::{fmt, io, net, net::SocketAddr, os::unix, path::PathBuf, str::FromStr};

use tokio::net::{TcpListener, UnixListener};

use file::SocketFile;

/// Who may open a socket file, unless it is said: its owner and its group.
pub const DEFAULT_MODE: u32 = 0o660;
/// What a socket file is written with.
const UNIX: &str = "unix:";
/// Longest path that every system takes for a socket, in bytes.
const MAX_PATH_BYTES: usize = 103;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// At an address and a port.
    Tcp(SocketAddr),
    /// At a socket file.
    Unix {
        /// Where it lies; absolute.
        path: PathBuf,
        /// Who may open it, as `chmod` takes it.
        mode: u32,
    },
}

/// Why a text is nowhere to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListenFormError {
    /// Neither an address nor a socket file.
    #[error("is not an address to listen on")]
    Form,
    /// The system takes no path so long.
    #[error("is longer than a socket's path may be, {MAX_PATH_BYTES} bytes")]
    TooLong,
}

/// Why a door can't listen.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on `{listen}`; is something else running there?")]
pub struct ListenError {
    listen: Listen,
    source: io::Error,
}

/// A door's ear. A socket file is taken away when it closes.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, SocketFile),
}

/// A connection that belongs to no runtime yet.
#[derive(Debug)]
pub(super) enum Bare {
    Tcp(net::TcpStream),
    Unix(unix::net::UnixStream),
}

/// Who connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Somebody at this address.
    Tcp(SocketAddr),
    /// Somebody who may open the socket file.
    Unix,
}

impl Listen {
    /// Takes the place. A socket file that nobody listens at any more is replaced.
    ///
    /// # Errors
    /// [`ListenError`] where it is taken, not this machine's, or not to be written to.
    pub(super) async fn bind(self) -> Result<Listener, ListenError> {
        let bound = match &self {
            Self::Tcp(address) => TcpListener::bind(address).await.map(Listener::Tcp),
            Self::Unix { path, mode } => {
                let bound = SocketFile::bind(path, *mode).await;
                bound.map(|(listener, file)| Listener::Unix(listener, file))
            }
        };
        bound.map_err(|source| ListenError {
            listen: self,
            source,
        })
    }

    /// The address and the port, where there are any.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix { .. } => None,
        }
    }
}

impl Listener {
    /// The next connection.
    pub(super) async fn accept(&self) -> io::Result<(Bare, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Bare::Tcp(stream.into_std()?), Peer::Tcp(peer)))
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Bare::Unix(stream.into_std()?), Peer::Unix))
            }
        }
    }

    /// Where it listens: the port is the one that the system chose.
    pub(super) fn place(&self) -> io::Result<Listen> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Listen::Tcp),
            Self::Unix(_, file) => Ok(file.place()),
        }
    }
}

impl FromStr for Listen {
    type Err = ListenFormError;

    /// An address and a port, or `unix:` and an absolute path; who may open the file is then [`DEFAULT_MODE`].
    fn from_str(text: &str) -> Result<Self, ListenFormError> {
        let Some(path) = text.strip_prefix(UNIX) else {
            let address = text.parse().map_err(|_| ListenFormError::Form)?;
            return Ok(Self::Tcp(address));
        };
        if !path.starts_with('/') || path.ends_with('/') || path.contains('\0') {
            return Err(ListenFormError::Form);
        }
        if path.len() > MAX_PATH_BYTES {
            return Err(ListenFormError::TooLong);
        }
        Ok(Self::Unix {
            path: path.into(),
            mode: DEFAULT_MODE,
        })
    }
}

/// As it is written.
impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix { path, .. } => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

/// Without the port, which tells nothing.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.ip().fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_prints_as_it_is_written() {
        for text in ["127.0.0.1:80", "[::1]:9191", "unix:/run/stepgate/grpc.sock"] {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_socket_is_an_absolute_path_of_a_file() {
        for text in [
            "unix:",
            "unix:run",
            "unix:@run",
            "unix:/run/",
            "unix:/a\0b",
            "/run/a",
        ] {
            assert_eq!(text.parse::<Listen>(), Err(ListenFormError::Form), "{text}");
        }
        let long = |bytes: usize| format!("unix:/{}", "x".repeat(bytes - 1)).parse::<Listen>();
        assert!(long(103).is_ok());
        assert_eq!(long(104), Err(ListenFormError::TooLong));
    }
}

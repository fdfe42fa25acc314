//! A socket file: made so that nobody gets in who may not, and taken away again.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixSocket, UnixStream};

use super::Listen;

/// How many connections wait to be accepted.
const BACKLOG: u32 = 1024;

/// A socket file of ours. It goes when this is dropped, unless another lies in its place by then.
#[derive(Debug)]
pub(in crate::servers) struct SocketFile {
    path: PathBuf,
    mode: u32,
    /// Device and inode.
    identity: (u64, u64),
}

impl SocketFile {
    /// Listens at this path. Nobody can connect before the file has its mode.
    ///
    /// # Errors
    /// Somebody listens there, something else lies there, or the folder can't be written to.
    pub(super) async fn bind(path: &Path, mode: u32) -> io::Result<(UnixListener, Self)> {
        make_way(path).await?;
        let socket = UnixSocket::new_stream()?;
        socket.bind(path)?;
        let file = Self {
            path: path.to_owned(),
            mode,
            identity: identity(path)?,
        };
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        Ok((socket.listen(BACKLOG)?, file))
    }

    /// Where it lies.
    pub(super) fn place(&self) -> Listen {
        Listen::Unix {
            path: self.path.clone(),
            mode: self.mode,
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            // If it stays, the next to listen here replaces it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let file = fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}

/// Takes a socket away that nobody listens at, as one that was killed leaves it. Nothing else is touched.
async fn make_way(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(file) if !file.file_type().is_socket() => {
            let words = "a file that is no socket lies there, and is not replaced";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, words));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        // So busy that it takes no more just now.
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
        Ok(_) | Err(_) => Err(io::ErrorKind::AddrInUse.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn a_socket_has_its_mode_and_goes_with_its_listener() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        for wanted in [0o660, 0o600, 0o666] {
            let bound = SocketFile::bind(&path, wanted).await.unwrap();
            assert_eq!(mode(&path), wanted);
            UnixStream::connect(&path).await.unwrap();
            drop(bound);
            assert!(!path.exists());
        }
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_live_one_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        // A listener of the standard library leaves its file behind, as a killed process does.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let bound = SocketFile::bind(&path, 0o660).await.unwrap();
        let error = SocketFile::bind(&path, 0o660).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        UnixStream::connect(&path).await.unwrap();
        drop(bound);
    }

    #[tokio::test]
    async fn what_is_no_socket_stays_untouched() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "kept").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for path in [&file, &link] {
            let error = SocketFile::bind(path, 0o660).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
        assert!(
            SocketFile::bind(&folder.path().join("no/s"), 0o660)
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn another_s_socket_in_its_place_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let first = SocketFile::bind(&path, 0o660).await.unwrap();
        // Held open, so that its inode isn't given away again.
        fs::rename(&path, folder.path().join("moved")).unwrap();
        let second = SocketFile::bind(&path, 0o660).await.unwrap();
        drop(first);
        UnixStream::connect(&path).await.unwrap();
        drop(second);
        assert!(!path.exists());
    }
}

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::error::StageError;

/// How much of a log tells what went wrong.
const TAIL: usize = 15;

/// A child process with a log, killed when it is dropped.
#[derive(Debug)]
pub(super) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Process {
    pub(super) fn spawn(
        name: &'static str,
        program: &Path,
        arguments: &[&str],
        folder: &Path,
    ) -> Result<Self, StageError> {
        let log = folder.join(format!("{name}.log"));
        let child =
            spawn(program, arguments, &log).map_err(|source| StageError::Spawn { name, source })?;
        Ok(Self { name, child, log })
    }

    /// Waits until it stops by itself.
    pub(super) async fn ended(&mut self) -> StageError {
        let how = match self.child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        StageError::Stopped {
            name: self.name,
            how,
            log: self.tail(),
        }
    }

    /// Its log so far; empty where it can't be read.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The last lines of its log.
    pub(super) fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        let tail = lines
            .get(lines.len().saturating_sub(TAIL)..)
            .unwrap_or_default();
        tail.join("\n")
    }

    pub(super) async fn kill(mut self) {
        // An error means that it is gone already.
        let _ = self.child.kill().await;
    }
}

/// In a process group of its own, so that Ctrl-C reaches the demo alone, which then stops its children in order.
fn spawn(program: &Path, arguments: &[&str], log: &Path) -> io::Result<Child> {
    let out = File::create(log)?;
    let err = out.try_clone()?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        // Caddy keeps notes of itself where these say.
        .env("XDG_CONFIG_HOME", log.parent().unwrap_or(log))
        .env("XDG_DATA_HOME", log.parent().unwrap_or(log))
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    command.spawn()
}

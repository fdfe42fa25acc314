//! The servers as processes of their own, and what the kernel says they used.

use std::{
    env, fs, io,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{net::TcpStream, time::sleep};

use crate::Outcome;

/// The core of the server that is measured.
const SERVERS_CORE: &str = "0";
/// The core of the load and of the double.
const OWN_CORE: &str = "1";
/// A tick of `/proc/<pid>/stat`: Linux counts in hundredths of a second there, on every machine.
const TICK: Duration = Duration::from_millis(10);
/// How often, and how many times, a server is asked whether it listens; the pause is the grain of the time to be ready.
const PAUSE: Duration = Duration::from_millis(1);
const TRIES: usize = 5_000;

/// A running server; it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    port: u16,
    /// Its configuration.
    _folder: Option<TempDir>,
}

/// Keeps this process to its core; whether that could be done.
pub(crate) fn pin_self() -> bool {
    let own = std::process::id().to_string();
    let pinned = Command::new("taskset")
        .args(["-a", "-p", "-c", OWN_CORE, &own])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    pinned.is_ok_and(|status| status.success())
}

impl Server {
    /// This program, as the floor.
    pub(crate) async fn floor(answer: &str, is_pinned: bool) -> Outcome<Self> {
        let port = free_port()?;
        let mut command = command(env::current_exe()?, is_pinned);
        command.arg(answer).arg(port.to_string());
        Self::start(command, port, None).await
    }

    /// Stepgate with this configuration, its port and one worker.
    pub(crate) async fn stepgate(config: &str, is_pinned: bool) -> Outcome<Self> {
        let port = free_port()?;
        let folder = TempDir::new()?;
        let file = folder.path().join("stepgate.yaml");
        let servers = format!(
            "workers: 1\nservers: {{ admin: {{ listen: off }}, grpc: {{ listen: '127.0.0.1:{port}' }} }}\n"
        );
        fs::write(&file, format!("{config}{servers}"))?;
        let program = env::var_os("STEPGATE_BIN").map_or_else(built, PathBuf::from);
        let mut command = command(program, is_pinned);
        command.args(["serve", "-c"]).arg(file);
        Self::start(command, port, Some(folder)).await
    }

    /// This command, once it listens on that port.
    pub(crate) async fn start(
        mut command: Command,
        port: u16,
        folder: Option<TempDir>,
    ) -> Outcome<Self> {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = quiet.stderr(Stdio::null()).spawn()?;
        let mut server = Self {
            child,
            port,
            _folder: folder,
        };
        server.listens().await?;
        Ok(server)
    }

    async fn listens(&mut self) -> Outcome<()> {
        for _ in 0..TRIES {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("a server ended at once: {status}").into());
            }
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
                .await
                .is_ok()
            {
                return Ok(());
            }
            sleep(PAUSE).await;
        }
        Err("a server doesn't listen".into())
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What it used of the processor until now, in user and kernel mode.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name before may hold anything; `utime` and `stime` are the 12th and 13th after it.
        let (_, fields) = stat.rsplit_once(')').ok_or("no name in the account")?;
        let ticks = fields.split_whitespace().skip(11).take(2);
        let mut sum = 0_u32;
        for field in ticks {
            sum = sum.saturating_add(field.parse()?);
        }
        Ok(TICK.saturating_mul(sum))
    }

    /// What it holds in memory, in KiB.
    pub(crate) fn resident_kib(&self) -> Outcome<usize> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let amount = line.and_then(|line| line.split_whitespace().next());
        Ok(amount.ok_or("no memory in the account")?.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Stepgate that cargo built beside this program, in the same profile.
fn built() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_stepgate"))
}

/// A command for the server's core; `taskset` turns into the program, so the process stays the same.
pub(crate) fn command(program: PathBuf, is_pinned: bool) -> Command {
    if !is_pinned {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", SERVERS_CORE]).arg(program);
    command
}

pub(crate) fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

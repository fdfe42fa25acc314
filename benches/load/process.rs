//! The servers as processes of their own, and what the kernel says they used.

use std::{
    env, fs, io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
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

/// A program that listens, and what it is started with. `PORT_1` in an argument or a file is where it is asked; what
/// else it listens on is `PORT_2` and `PORT_3`.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// Parted by spaces.
    pub(crate) arguments: &'static str,
    /// Names and texts, in the folder that it is started in.
    pub(crate) files: Vec<(&'static str, String)>,
}

/// A running server; it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    port: u16,
    /// Its files.
    _folder: TempDir,
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
    /// This, once it listens.
    pub(crate) async fn start(program: &Program, is_pinned: bool) -> Outcome<Self> {
        let folder = TempDir::new()?;
        let ports = [free_port()?, free_port()?, free_port()?];
        for (name, text) in &program.files {
            fs::write(folder.path().join(name), with_ports(text, ports))?;
        }
        let arguments = with_ports(program.arguments, ports);
        let child = command(&program.path, is_pinned)
            .args(arguments.split(' '))
            .current_dir(&folder)
            // A program in Go has one worker, too.
            .env("GOMAXPROCS", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let [port, ..] = ports;
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

impl Program {
    /// Stepgate with this configuration, a port for gRPC and one worker.
    pub(crate) fn stepgate(config: &str) -> Self {
        let servers = "workers: 1\nservers: { admin: { listen: off }, grpc: { listen: '127.0.0.1:PORT_1' } }\n";
        // What cargo built beside this program, in the same profile.
        let built = || PathBuf::from(env!("CARGO_BIN_EXE_stepgate"));
        Self {
            path: env::var_os("STEPGATE_BIN").map_or_else(built, PathBuf::from),
            arguments: "serve -c stepgate.yaml",
            files: vec![("stepgate.yaml", format!("{config}{servers}"))],
        }
    }

    /// This program, as the floor that gives this answer.
    pub(crate) fn floor(arguments: &'static str) -> Outcome<Self> {
        Ok(Self {
            path: env::current_exe()?,
            arguments,
            files: Vec::new(),
        })
    }
}

/// Where the program of that name is, if it is in `target/tools/bin` or on PATH.
pub(crate) fn found(name: &str) -> Option<PathBuf> {
    let tools = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(tools).chain(env::split_paths(&path).collect::<Vec<_>>());
    folders
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

fn with_ports(text: &str, ports: [u16; 3]) -> String {
    let names = ["PORT_1", "PORT_2", "PORT_3"].into_iter();
    names
        .zip(ports)
        .fold(text.to_owned(), |text, (name, port)| {
            text.replace(name, &port.to_string())
        })
}

/// A command for the server's core; `taskset` turns into the program, so the process stays the same.
fn command(program: &Path, is_pinned: bool) -> Command {
    if !is_pinned {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", SERVERS_CORE]).arg(program);
    command
}

fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

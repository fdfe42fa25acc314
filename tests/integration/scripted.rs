//! A Kratos that does what a test tells it: connections that break, bodies that never end, answers that lie.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinHandle,
};

/// The most that an endless body sends, so that a reader without a bound fails instead of filling the memory.
const ENDLESS_CHUNKS: usize = 64 * 1024;

/// What becomes of one question.
#[derive(Clone, Debug)]
pub(crate) enum Script {
    /// These bytes, then the end.
    Says(String),
    /// The same, but the connection is reset right behind them.
    Breaks(String),
    /// These bytes, and nothing after them as long as the client waits.
    Stalls(String),
    /// A 200 whose body goes on.
    Endless,
    /// These bytes, once a permit is given.
    Held(Arc<Semaphore>, String),
}

/// A whole answer.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Script {
    let length = body.len();
    Script::Says(format!(
        "HTTP/1.1 {status} Scripted\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    ))
}

/// A running server; it stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Scripted {
    pub(crate) url: String,
    asked: Arc<AtomicUsize>,
    scripts: Scripts,
    serving: JoinHandle<()>,
}

/// By the start of the path; the first that fits.
type Scripts = Arc<Mutex<Vec<(&'static str, Script)>>>;

impl Scripted {
    pub(crate) async fn start(scripts: &[(&'static str, Script)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let scripts = Arc::new(Mutex::new(scripts.to_vec()));
        let asked = Arc::new(AtomicUsize::new(0));
        let serving = tokio::spawn(serve(listener, Arc::clone(&scripts), Arc::clone(&asked)));
        Self {
            url,
            asked,
            scripts,
            serving,
        }
    }

    /// From now on, this.
    pub(crate) fn play(&self, scripts: &[(&'static str, Script)]) {
        *self.scripts.lock().unwrap() = scripts.to_vec();
    }

    /// How many questions came.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, scripts: Scripts, asked: Arc<AtomicUsize>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (scripts, asked) = (Arc::clone(&scripts), Arc::clone(&asked));
        tokio::spawn(async move {
            if let Some((mut stream, path)) = request(stream).await {
                asked.fetch_add(1, Ordering::SeqCst);
                let script = chosen(&scripts, &path);
                // The client may be gone by now, and that is its own affair.
                let _ = act(&mut stream, script).await;
            }
        });
    }
}

fn chosen(scripts: &Scripts, path: &str) -> Script {
    let scripts = scripts.lock().unwrap();
    let found = scripts.iter().find(|(start, _)| path.starts_with(start));
    found.map_or_else(|| answer(404, "", ""), |(_, script)| script.clone())
}

/// Reads a request up to its empty line; the path is in the first.
async fn request(mut stream: TcpStream) -> Option<(TcpStream, String)> {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await.ok()?);
    }
    let text = String::from_utf8_lossy(&read).into_owned();
    let path = text.split(' ').nth(1)?.to_owned();
    Some((stream, path))
}

async fn act(stream: &mut TcpStream, script: Script) -> std::io::Result<()> {
    match script {
        Script::Says(bytes) => {
            stream.write_all(bytes.as_bytes()).await?;
            stream.shutdown().await
        }
        Script::Held(permits, bytes) => {
            if let Ok(permit) = permits.acquire().await {
                permit.forget();
            }
            stream.write_all(bytes.as_bytes()).await?;
            stream.shutdown().await
        }
        Script::Breaks(bytes) => {
            stream.write_all(bytes.as_bytes()).await?;
            stream.set_zero_linger()
        }
        Script::Stalls(bytes) => {
            stream.write_all(bytes.as_bytes()).await?;
            // Until the client closes, and no longer than a test may take.
            let gone = stream.read_u8();
            let _ = tokio::time::timeout(Duration::from_secs(60), gone).await;
            Ok(())
        }
        Script::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            for _ in 0..ENDLESS_CHUNKS {
                stream.write_all(&[b' '; 4096]).await?;
            }
            Ok(())
        }
    }
}

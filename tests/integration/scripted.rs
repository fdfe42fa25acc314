//! A Kratos that does what a test tells it: connections that break, bodies that never end, answers that lie.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
    task::JoinHandle,
};

/// The most that an endless body sends, so that a reader without a bound fails instead of filling the memory.
const ENDLESS_CHUNKS: usize = 64 * 1024;

/// The pause between two bytes of a slow answer.
const DRIP: Duration = Duration::from_millis(25);

/// What becomes of one question.
#[derive(Clone, Debug)]
pub(crate) enum Script {
    /// These bytes, then the end.
    Says(String),
    /// The same, but the connection is reset right behind them.
    Breaks(String),
    /// These bytes, and nothing after them as long as the client waits.
    Stalls(String),
    /// The first at once, of the second a byte now and then.
    Drips(String, String),
    /// This head, and a body that goes on.
    Endless(&'static str),
    /// These bytes, once a permit is given.
    Held(Arc<Semaphore>, String),
    /// What this makes of the question.
    Tells(Teller),
}

/// Makes an answer of a question's head.
#[derive(Clone)]
pub(crate) struct Teller(Arc<dyn Fn(&str) -> String + Send + Sync>);

impl Teller {
    pub(crate) fn new(tell: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl fmt::Debug for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Teller")
    }
}

/// A whole answer.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Script {
    Script::Says(written(status, headers, body))
}

/// The bytes of a whole answer.
pub(crate) fn written(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Scripted\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    )
}

/// A running server; it stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Scripted {
    pub(crate) url: String,
    asked: Arc<AtomicUsize>,
    busy: Arc<AtomicUsize>,
    scripts: Scripts,
    serving: JoinHandle<()>,
}

/// By the start of the path; the first that fits.
type Scripts = Arc<Mutex<Vec<(&'static str, Script)>>>;

impl Scripted {
    pub(crate) async fn start(scripts: &[(&'static str, Script)]) -> Self {
        Self::refusing().1.listen(scripts)
    }

    /// An address where connections are refused until somebody listens there. Nobody else can get it meanwhile.
    pub(crate) fn refusing() -> (String, Refusing) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        (url.clone(), Refusing { socket, url })
    }

    /// From now on, this.
    pub(crate) fn play(&self, scripts: &[(&'static str, Script)]) {
        *self.scripts.lock().unwrap() = scripts.to_vec();
    }

    /// How many questions came.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// How many are being answered.
    pub(crate) fn busy(&self) -> usize {
        self.busy.load(Ordering::SeqCst)
    }
}

/// A socket that has an address and doesn't listen yet.
#[derive(Debug)]
pub(crate) struct Refusing {
    socket: TcpSocket,
    url: String,
}

impl Refusing {
    pub(crate) fn listen(self, scripts: &[(&'static str, Script)]) -> Scripted {
        let listener = self.socket.listen(1024).unwrap();
        let scripts = Arc::new(Mutex::new(scripts.to_vec()));
        let (asked, busy) = (Arc::default(), Arc::default());
        let counts = (Arc::clone(&asked), Arc::clone(&busy));
        let serving = tokio::spawn(serve(listener, Arc::clone(&scripts), counts));
        Scripted {
            url: self.url,
            asked,
            busy,
            scripts,
            serving,
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// How many questions came, and how many are being answered.
type Counts = (Arc<AtomicUsize>, Arc<AtomicUsize>);

async fn serve(listener: TcpListener, scripts: Scripts, (asked, busy): Counts) {
    while let Ok((stream, _)) = listener.accept().await {
        let (scripts, asked, busy) = (Arc::clone(&scripts), Arc::clone(&asked), Arc::clone(&busy));
        tokio::spawn(async move {
            if let Some((mut stream, head)) = request(stream).await {
                asked.fetch_add(1, Ordering::SeqCst);
                busy.fetch_add(1, Ordering::SeqCst);
                let script = chosen(&scripts, &head);
                // The client may be gone by now, and that is its own affair.
                let _ = act(&mut stream, script, &head).await;
                busy.fetch_sub(1, Ordering::SeqCst);
            }
        });
    }
}

fn chosen(scripts: &Scripts, head: &str) -> Script {
    let path = head.split(' ').nth(1).unwrap_or_default();
    let scripts = scripts.lock().unwrap();
    let found = scripts.iter().find(|(start, _)| path.starts_with(start));
    found.map_or_else(|| answer(404, "", ""), |(_, script)| script.clone())
}

/// Reads a request up to its empty line.
async fn request(mut stream: TcpStream) -> Option<(TcpStream, String)> {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await.ok()?);
    }
    Some((stream, String::from_utf8_lossy(&read).into_owned()))
}

async fn act(stream: &mut TcpStream, script: Script, head: &str) -> std::io::Result<()> {
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
        Script::Drips(head, rest) => {
            stream.write_all(head.as_bytes()).await?;
            for byte in rest.into_bytes() {
                tokio::time::sleep(DRIP).await;
                stream.write_all(&[byte]).await?;
            }
            Ok(())
        }
        Script::Endless(head) => {
            stream.write_all(head.as_bytes()).await?;
            for _ in 0..ENDLESS_CHUNKS {
                stream.write_all(&[b' '; 4096]).await?;
            }
            Ok(())
        }
        Script::Tells(Teller(tell)) => {
            stream.write_all(tell(head).as_bytes()).await?;
            stream.shutdown().await
        }
    }
}

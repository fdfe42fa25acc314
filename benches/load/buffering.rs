//! What it costs that Envoy waits for a form and sends it along: the same POSTs with bodies left out and with them.

use std::{net::Ipv4Addr, time::Duration};

use bytes::Bytes;
use h2::{RecvStream, server::SendResponse};
use http::{Request, Response, StatusCode};
use tokio::net::{TcpListener, TcpStream};

use crate::{
    Outcome, ROUND, ROUNDS,
    case::Kratos,
    envoy::{self, Page, Setup},
    process::{self, Program, Server},
    table::{median, real},
    wire::connect,
};

/// Forms, in KiB; both fit into what Envoy sends along.
const SIZES: [usize; 2] = [1, 60];
/// What the app takes before it must say that there is room again: more than all forms in flight.
const WINDOW: u32 = 1 << 24;

/// An Envoy, and the Stepgate it asks.
struct Pair {
    envoy: Server,
    stepgate: Server,
    has_bodies: bool,
}

/// What was measured of one pair with one form, a figure a round.
#[derive(Default)]
struct Figures {
    per_second: Vec<f64>,
    /// Microseconds of the processor for one request.
    envoy: Vec<f64>,
    stepgate: Vec<f64>,
}

/// A table of its own; nothing but a message where there is no Envoy.
pub(crate) async fn run(kratos: &Kratos, is_pinned: bool) -> Outcome<()> {
    let Some(program) = process::found("envoy") else {
        println!("buffering: skipped, no `envoy` in target/tools/bin or on PATH");
        return Ok(());
    };
    let app = Some(app().await?);
    let mut pairs = Vec::new();
    for has_bodies in [false, true] {
        let stepgate =
            Server::start(&Program::stepgate(&kratos.keeping_forms()), is_pinned).await?;
        let setup = Setup {
            authorizer: Some(stepgate.port()),
            has_bodies,
            app,
        };
        let envoy = envoy::start(&program, setup, is_pinned).await?;
        pairs.push(Pair {
            envoy,
            stepgate,
            has_bodies,
        });
    }
    let cookie = kratos
        .sign_in(1)?
        .first()
        .ok_or("nobody stepped up")?
        .header();
    println!(
        "\n{:<32}|{:>11} |{:>15} |{:>18}",
        "buffering", "requests/s", "Envoy CPU µs", "Stepgate CPU µs"
    );
    for size in SIZES {
        for line in measure(&pairs, size, &cookie).await? {
            println!("{line}");
        }
    }
    Ok(())
}

/// The pairs in turn; a line each.
async fn measure(pairs: &[Pair], kib: usize, cookie: &str) -> Outcome<Vec<String>> {
    let page = form(kib, Some(cookie))?;
    let mut figures = Vec::new();
    for pair in pairs {
        pair.holds(&form(kib, None)?).await?;
        // The session is remembered from here on.
        envoy::pages(pair.envoy.port(), &page, Duration::ZERO).await?;
        figures.push(Figures::default());
    }
    for _ in 0..ROUNDS {
        for (pair, figures) in pairs.iter().zip(&mut figures) {
            pair.round(&page, figures).await?;
        }
    }
    let lines = pairs.iter().zip(&figures).map(|(pair, figures)| {
        let word = if pair.has_bodies {
            "sent along"
        } else {
            "left out"
        };
        let name = format!("form of {kib} KiB, {word}");
        let (envoy, stepgate) = (median(&figures.envoy), median(&figures.stepgate));
        let per_second = median(&figures.per_second);
        format!("{name:<32}|{per_second:>11.0} |{envoy:>15.1} |{stepgate:>18.1}")
    });
    Ok(lines.collect())
}

impl Pair {
    /// Whether Stepgate sees forms as the name of the case says: one that meets a challenge is kept, or it isn't.
    async fn holds(&self, of_nobody: &Page) -> Outcome<()> {
        let connection = connect(self.envoy.port()).await?;
        let status = of_nobody.send(connection).await?.status();
        let expected = if self.has_bodies {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::SEE_OTHER
        };
        let is_held = (status == expected).then_some(());
        is_held.ok_or_else(|| format!("a form of nobody was answered {status}").into())
    }

    async fn round(&self, page: &Page, figures: &mut Figures) -> Outcome<()> {
        let before = (self.envoy.cpu()?, self.stepgate.cpu()?);
        let tally = envoy::pages(self.envoy.port(), page, ROUND).await?;
        let after = (self.envoy.cpu()?, self.stepgate.cpu()?);
        let requests = real(tally.answers());
        let each = |used: Duration| used.as_secs_f64() * 1e6 / requests;
        figures.envoy.push(each(after.0.saturating_sub(before.0)));
        figures
            .stepgate
            .push(each(after.1.saturating_sub(before.1)));
        figures.per_second.push(requests / tally.took.as_secs_f64());
        Ok(())
    }
}

/// A form of that size as a browser posts it from a page of the same origin.
fn form(kib: usize, cookie: Option<&str>) -> Outcome<Page> {
    let mut request = Request::post("https://app.test/transfer/1")
        .header("accept", "text/html")
        .header("origin", "https://app.test")
        .header("sec-fetch-site", "same-origin")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document")
        .header("content-type", "application/x-www-form-urlencoded");
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    let start = "amount=250.00&note=";
    let rest = kib.saturating_mul(1024).saturating_sub(start.len());
    let body = format!("{start}{}", "x".repeat(rest));
    let request = request.header("content-length", body.len()).body(())?;
    Ok(Page {
        request,
        body: body.into(),
    })
}

/// An app in this process, so that it isn't counted: it reads every body to its end, and answers 200. Its port.
async fn app() -> Outcome<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // What breaks a connection breaks its requests, which tells.
            tokio::spawn(connection(stream));
        }
    });
    Ok(port)
}

async fn connection(stream: TcpStream) -> Outcome<()> {
    stream.set_nodelay(true)?;
    let mut connection = h2::server::Builder::new()
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .handshake::<_, Bytes>(stream)
        .await?;
    while let Some(request) = connection.accept().await {
        let (request, answer) = request?;
        tokio::spawn(read(request.into_body(), answer));
    }
    Ok(())
}

async fn read(mut body: RecvStream, mut answer: SendResponse<Bytes>) -> Outcome<()> {
    while let Some(chunk) = body.data().await {
        body.flow_control().release_capacity(chunk?.len())?;
    }
    answer.send_response(Response::new(()), true)?;
    Ok(())
}

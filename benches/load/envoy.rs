//! Requests per second through a real Envoy: alone, with the floor behind it, with Stepgate behind it.

use std::{path::Path, time::Duration};

use bytes::Bytes;
use h2::{RecvStream, client::SendRequest};
use http::{Request, Response};
use tokio::{task::JoinSet, time::timeout};

use crate::{
    Outcome, ROUND, ROUNDS,
    case::Kratos,
    floor,
    load::{Answer, MAX_RUN, Tally, now},
    process::{self, Program, Server},
    table::{Bound, Line, median, real},
    wire::connect,
};

const TEMPLATE: &str = include_str!("envoy.yaml");
/// What stands in the template for the filter that asks.
const FILTER: &str = "                  # ASK\n";
const ASK: &str = "                  - name: envoy.filters.http.ext_authz
                    typed_config:
                      '@type': type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
                      transport_api_version: V3
                      grpc_service: { timeout: 2s, envoy_grpc: { cluster_name: authorizer } }
";
/// Follows [`ASK`] where bodies are sent along: the lines of `docs/resume.md`.
const BODIES: &str = "                      with_request_body: { max_request_bytes: 65536, allow_partial_message: true, pack_as_bytes: true }
";

/// What an Envoy does.
#[derive(Clone, Copy, Default)]
pub(crate) struct Setup {
    /// The port of whom it asks, if anyone.
    pub(crate) authorizer: Option<u16>,
    /// Whether it sends them bodies.
    pub(crate) has_bodies: bool,
    /// The port of the app. Without one the listener answers by itself, so that nothing is measured but Envoy and who it asks.
    pub(crate) app: Option<u16>,
}

/// A request that is sent again and again.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) request: Request<()>,
    pub(crate) body: Bytes,
}

/// An Envoy, whom it asks, and what was measured of both, a figure a round.
struct Way {
    name: &'static str,
    envoy: Server,
    authorizer: Option<Server>,
    per_second: Vec<f64>,
    /// Microseconds of the processor for one request.
    envoy_cpu: Vec<f64>,
    authorizer_cpu: Vec<f64>,
}

/// The three in turn; nothing but a message where there is no Envoy.
pub(crate) async fn run(kratos: &Kratos, is_pinned: bool) -> Outcome<()> {
    let Some(program) = process::found("envoy") else {
        println!(
            "through Envoy: skipped, no `envoy` in target/tools/bin or on PATH (`make envoy` gets one)"
        );
        return Ok(());
    };
    let allow_all = Program::floor(floor::ALLOW)?;
    let stepgate = Program::stepgate(&kratos.remembering(1));
    let start = |name, asked| Way::start(name, &program, asked, is_pinned);
    let mut ways = [
        start("Envoy alone", None).await?,
        start("Envoy with allow-all", Some(&allow_all)).await?,
        start("Envoy with Stepgate", Some(&stepgate)).await?,
    ];
    let page = page(kratos)?;
    // Envoy's part is by far the larger, so a turn that is slowed weighs more: it takes more of them.
    for _ in 0..ROUNDS.saturating_mul(2) {
        for way in &mut ways {
            way.round(&page).await?;
        }
    }
    ways.iter().for_each(Way::print);
    let [_, floor, own] = &ways;
    let each = own.per_second.iter().zip(&floor.per_second);
    let each: Vec<_> = each.map(|(own, floor)| own / floor).collect();
    let line = Line::new("through Envoy, Stepgate to allow-all", median(&each), "");
    crate::print(&line.bound(Bound::least(0.95, 1.0)));
    Ok(())
}

/// A page of somebody who may see it.
fn page(kratos: &Kratos) -> Outcome<Page> {
    let sessions = kratos.sign_in(1)?;
    let session = sessions.first().ok_or("nobody stepped up")?;
    Ok(Page {
        request: Request::get("https://app.test/transfer/1")
            .header("accept", "text/html")
            .header("cookie", session.header())
            .body(())?,
        body: Bytes::new(),
    })
}

impl Way {
    async fn start(
        name: &'static str,
        envoy: &Path,
        authorizer: Option<&Program>,
        is_pinned: bool,
    ) -> Outcome<Self> {
        let authorizer = match authorizer {
            Some(program) => Some(Server::start(program, is_pinned).await?),
            None => None,
        };
        let setup = Setup {
            authorizer: authorizer.as_ref().map(Server::port),
            ..Setup::default()
        };
        Ok(Self {
            name,
            envoy: start(envoy, setup, is_pinned).await?,
            authorizer,
            per_second: Vec::new(),
            envoy_cpu: Vec::new(),
            authorizer_cpu: Vec::new(),
        })
    }

    async fn round(&mut self, page: &Page) -> Outcome<()> {
        let before = self.cpu()?;
        let tally = pages(self.envoy.port(), page, ROUND).await?;
        let after = self.cpu()?;
        let requests = real(tally.answers());
        let each = |used: Duration| used.as_secs_f64() * 1e6 / requests;
        self.envoy_cpu.push(each(after.0.saturating_sub(before.0)));
        self.authorizer_cpu
            .push(each(after.1.saturating_sub(before.1)));
        self.per_second.push(requests / tally.took.as_secs_f64());
        Ok(())
    }

    /// Envoy's, and that of whom it asks.
    fn cpu(&self) -> Outcome<(Duration, Duration)> {
        let authorizer = self
            .authorizer
            .as_ref()
            .map_or(Ok(Duration::ZERO), Server::cpu);
        Ok((self.envoy.cpu()?, authorizer?))
    }

    fn print(&self) {
        crate::print(&Line::new(
            self.name,
            median(&self.per_second),
            "requests/s",
        ));
        let used = [
            ("Envoy's CPU", &self.envoy_cpu),
            ("of whom it asks", &self.authorizer_cpu),
        ];
        let asked = used.into_iter().filter(|_| self.authorizer.is_some());
        for (whose, figures) in asked {
            let name = format!("  {whose}, a request");
            crate::print(&Line::new(name, median(figures), "µs"));
        }
    }
}

/// An Envoy with one worker thread, once it listens.
pub(crate) async fn start(program: &Path, setup: Setup, is_pinned: bool) -> Outcome<Server> {
    let program = Program {
        path: program.to_owned(),
        arguments: "--concurrency 1 --use-dynamic-base-id --log-level error -c envoy.yaml",
        files: vec![("envoy.yaml", setup.config())],
    };
    Server::start(&program, is_pinned).await
}

impl Setup {
    fn config(self) -> String {
        let filter = match (self.authorizer, self.has_bodies) {
            (None, _) => String::new(),
            (Some(_), false) => ASK.to_owned(),
            (Some(_), true) => format!("{ASK}{BODIES}"),
        };
        let answer = match self.app {
            None => "direct_response: { status: 200 }",
            Some(_) => "route: { cluster: app }",
        };
        // Nobody listens at port 1, and nobody is sent there.
        let or_none = |port: Option<u16>| port.unwrap_or(1).to_string();
        TEMPLATE
            .replace(FILTER, &filter)
            .replace("ANSWER", answer)
            .replace("AUTHORIZER", &or_none(self.authorizer))
            .replace("APP", &or_none(self.app))
    }
}

/// That page, as a browser's HTTP/2, until the time is past; each must be let through.
pub(crate) async fn pages(port: u16, page: &Page, past: Duration) -> Outcome<Tally> {
    let (in_flight, _) = crate::case::MANY;
    let connection = connect(port).await?;
    let began = now();
    let mut loops = JoinSet::new();
    for _ in 0..in_flight {
        let (connection, page) = (connection.clone(), page.clone());
        loops.spawn(async move {
            let mut tally = Tally::default();
            while began.elapsed() < past {
                let status = page.send(connection.clone()).await?.status();
                if !status.is_success() {
                    return Err(format!("a page through Envoy was answered {status}").into());
                }
                tally.count(&Answer::Allowed);
            }
            Outcome::Ok(tally)
        });
    }
    let mut all = Tally::default();
    while let Some(one) = timeout(MAX_RUN, loops.join_next()).await? {
        all.add(one??);
    }
    all.took = began.elapsed();
    Ok(all)
}

impl Page {
    pub(crate) async fn send(
        &self,
        connection: SendRequest<Bytes>,
    ) -> Outcome<Response<RecvStream>> {
        let is_whole = self.body.is_empty();
        let request = self.request.clone();
        let (response, mut rest) = connection.ready().await?.send_request(request, is_whole)?;
        if !is_whole {
            rest.send_data(self.body.clone(), true)?;
        }
        Ok(response.await?)
    }
}

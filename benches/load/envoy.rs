//! Requests per second through a real Envoy: alone, with the floor behind it, with Stepgate behind it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use tempfile::TempDir;
use tokio::{task::JoinSet, time::timeout};

use crate::{
    Outcome, ROUND, ROUNDS,
    case::Kratos,
    floor,
    load::{Answer, MAX_RUN, Tally, connect, now},
    process::{self, Server},
    table::{Bound, Line, median, real},
};

/// The listener answers by itself, so that nothing is measured but Envoy and who it asks.
const TEMPLATE: &str = include_str!("envoy.yaml");
/// What stands in the template for the filter that asks.
const FILTER: &str = "                  # ASK\n";
const ASK: &str = "                  - name: envoy.filters.http.ext_authz
                    typed_config:
                      '@type': type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
                      transport_api_version: V3
                      grpc_service: { timeout: 2s, envoy_grpc: { cluster_name: authorizer } }
";

/// The three in turn; nothing but a message where there is no Envoy.
pub(crate) async fn run(kratos: &Kratos, is_pinned: bool) -> Outcome<()> {
    let Some(program) = found() else {
        println!(
            "through Envoy: skipped, no `envoy` in target/tools/bin or on PATH (`make envoy` gets one)"
        );
        return Ok(());
    };
    let allow_all = Server::floor(floor::ALLOW, is_pinned).await?;
    let stepgate = Server::stepgate(&kratos.remembering(1), is_pinned).await?;
    let cookie = kratos
        .sign_in(1)?
        .first()
        .ok_or("nobody stepped up")?
        .header();
    let names = ["Envoy alone", "Envoy with allow-all", "Envoy with Stepgate"];
    let asked = [None, Some(allow_all.port()), Some(stepgate.port())];
    let mut envoys = Vec::new();
    for asked in asked {
        envoys.push(start(&program, asked, is_pinned).await?);
    }
    let mut figures = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (envoy, figures) in envoys.iter().zip(&mut figures) {
            let Tally { allowed, took, .. } = pages(envoy.port(), &cookie, ROUND).await?;
            figures.push(real(allowed) / took.as_secs_f64());
        }
    }
    for (name, figures) in names.into_iter().zip(&figures) {
        crate::print(&Line::new(name, median(figures), "requests/s"));
    }
    let [_, floor, own] = &figures;
    let ratio = median(own) / median(floor);
    let line = Line::new("through Envoy, Stepgate to allow-all", ratio, "");
    crate::print(&line.bound(Bound::least(0.95, 1.0)));
    Ok(())
}

fn found() -> Option<PathBuf> {
    let tools = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(tools).chain(env::split_paths(&path).collect::<Vec<_>>());
    folders
        .map(|folder| folder.join("envoy"))
        .find(|program| program.is_file())
}

async fn start(program: &Path, asked: Option<u16>, is_pinned: bool) -> Outcome<Server> {
    let port = process::free_port()?;
    let folder = TempDir::new()?;
    let file = folder.path().join("envoy.yaml");
    let filter = asked.map_or("", |_| ASK);
    let config = TEMPLATE
        .replace(FILTER, filter)
        .replace("LISTEN", &port.to_string())
        .replace("AUTHORIZER", &asked.unwrap_or(1).to_string());
    fs::write(&file, config)?;
    let mut command = process::command(program.to_owned(), is_pinned);
    command.args([
        "--concurrency",
        "1",
        "--use-dynamic-base-id",
        "--log-level",
        "error",
        "-c",
    ]);
    command.arg(file).stdin(Stdio::null());
    Server::start(command, port, Some(folder)).await
}

/// Pages of the app, as a browser's HTTP/2, until the time is past; each must be let through.
async fn pages(port: u16, cookie: &str, past: Duration) -> Outcome<Tally> {
    let (in_flight, _) = crate::case::MANY;
    let connection = connect(port).await?;
    let began = now();
    let mut loops = JoinSet::new();
    for _ in 0..in_flight {
        let (connection, cookie) = (connection.clone(), cookie.to_owned());
        loops.spawn(async move {
            let mut tally = Tally::default();
            while began.elapsed() < past {
                page(connection.clone(), &cookie).await?;
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

async fn page(connection: SendRequest<Bytes>, cookie: &str) -> Outcome<()> {
    let request = Request::get("https://app.test/transfer/1")
        .header("accept", "text/html")
        .header("cookie", cookie)
        .body(())?;
    let (response, _) = connection.ready().await?.send_request(request, true)?;
    let status = response.await?.status();
    let is_allowed = status.is_success().then_some(());
    is_allowed.ok_or_else(|| format!("a page through Envoy was answered {status}").into())
}

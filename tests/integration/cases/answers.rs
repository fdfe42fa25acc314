//! `docs/answers.md`: what each kind of client hears for each outcome, as the doors send it.
//!
//! It is made from the files in `tests/cases/answers/`, whose names start with the kind of client.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use stepgate::{
    cli::cases::{Case, Heard, Suite},
    domain::{client::Client, headers::Headers, request::Facts},
};

use super::{
    doors::{Doors, lines},
    files,
    kratos::{Scene, World},
};

const PAGE: &str = "docs/answers.md";
const FOLDER: &str = "tests/cases/answers/";
const CLIENTS: [Client; 6] = [
    Client::Page,
    Client::Script,
    Client::Native,
    Client::Bearer,
    Client::WebSocket,
    Client::Grpc,
];
/// The outcomes in the order of the page, each with its decision.
const OUTCOMES: [(&str, &str); 13] = [
    ("session_inactive", "login"),
    ("session_aal2_required", "step-up"),
    (
        "session_refresh_required",
        "step-up, since the factor is too old or another one is asked for",
    ),
    ("session_aal2_enrolment_required", "enrol"),
    (
        RESUME,
        "login, step-up or enrol, with the [form](resume.md) that met it kept meanwhile",
    ),
    (
        "step_up_loop",
        "deny, since the challenge was given three times in a row",
    ),
    ("access_denied", "deny"),
    ("identity_not_permitted", "deny"),
    ("context_invalid", "deny"),
    ("request_malformed", "refuse"),
    ("session_ambiguous", "refuse"),
    ("host_unknown", "refuse"),
    ("kratos_unavailable", "unavailable"),
];
/// Its page runs a script, so its policy is its own.
const RESUME: &str = "resume";
/// What every refusal has.
const COMMON: [&str; 4] = ["cache-control", "vary", "x-request-id", "x-stepgate-reason"];
/// What every page of ours has.
const OF_PAGES: [&str; 2] = ["content-type", "content-security-policy"];
/// How often the loop guard lets the same challenge pass, and once more.
const ROUNDS: usize = 4;

/// One answer: the gRPC status, and all else.
struct Told {
    code: i32,
    heard: Heard,
}

/// By reason and kind of client.
type Table = BTreeMap<(String, &'static str), Told>;

#[tokio::test]
async fn the_page_of_answers_is_what_the_doors_send() {
    let table = tokio::time::timeout(super::BUDGET, table()).await.unwrap();
    files::hold(PAGE, &page(&table));
}

async fn table() -> Table {
    let world = World::start().await;
    let mut table = Table::new();
    for (path, text) in files::all() {
        let Some(name) = path.strip_prefix(FOLDER) else {
            continue;
        };
        let is_it = |client: &&Client| name.starts_with(&format!("{}-", client.as_str()));
        let client = CLIENTS.iter().find(is_it).unwrap().as_str();
        let suite = Suite::parse(&path, &text).unwrap();
        for told in tell(&world, &suite, suite.cases.first().unwrap()).await {
            let reason = told.heard.reason.clone().unwrap();
            let is_loop = reason == "step_up_loop";
            let earlier = table.insert((reason, client), told);
            assert!(earlier.is_none() || is_loop, "{path}: told twice");
        }
    }
    table
}

/// The answer to a case; and, where it leaves a marker, the answer to the same request when it comes again and again.
async fn tell(world: &World, suite: &Suite, case: &Case) -> Vec<Told> {
    let scene = world.set(suite, case).await;
    let doors = Doors::open(suite, &scene).await;
    let mut facts = suite.facts(case, &scene.credential);
    let mut told = Vec::new();
    for round in 1..=ROUNDS {
        let (code, heard) = doors.ask_as_envoy(&facts).await;
        let marker = marker(&heard);
        if round == 1 || round == ROUNDS {
            told.push(Told {
                code,
                heard: shown(&scene, heard),
            });
        }
        match marker {
            Some(marker) => facts = with_cookie(&facts, &marker),
            None => break,
        }
    }
    doors.close().await;
    told
}

fn marker(heard: &Heard) -> Option<String> {
    let cookies = heard.headers.get("set-cookie")?;
    let cookie = cookies
        .iter()
        .find(|cookie| cookie.starts_with("stepgate_marker="))?;
    Some(cookie.split(';').next()?.to_owned())
}

/// The same request with this cookie beside those that it has.
fn with_cookie(facts: &Facts, cookie: &str) -> Facts {
    let mut lines = lines(facts);
    lines.retain(|(_, value)| !value.starts_with("stepgate_marker="));
    lines.push(("cookie".to_owned(), cookie.to_owned()));
    let lines = lines
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()));
    Facts {
        headers: Headers::raw(lines.collect()),
        ..facts.clone()
    }
}

/// The answer as the page shows it: without what is made up anew, the marker's value left out.
fn shown(scene: &Scene, heard: Heard) -> Heard {
    let cookie = heard
        .headers
        .get("set-cookie")
        .and_then(|lines| lines.first());
    let cookie = cookie.and_then(|cookie| {
        let (pair, attributes) = cookie.split_once(';')?;
        let (name, value) = pair.split_once('=')?;
        let value = if value.is_empty() { "" } else { "…" };
        Some(format!("{name}={value};{attributes}"))
    });
    let mut heard = scene.plain(heard);
    heard
        .headers
        .extend(cookie.map(|cookie| ("set-cookie".to_owned(), vec![cookie])));
    heard
}

fn page(table: &Table) -> String {
    let mut page = String::from(
        "# Answers\n\n<!-- Made by `UPDATE=1 cargo test --test integration cases::answers` from tests/cases/answers/. -->\n\n\
         What each kind of client hears for each outcome. Envoy's door and the HTTP door send the same status, headers and\n\
         body; `code` is the gRPC status beside them at Envoy's. `code` 0 is an allow, so no refusal has it. What a gRPC client\n\
         hears is made by Envoy from the HTTP status, with the body as its `grpc-message`.\n\n",
    );
    glance(&mut page, table);
    common(&mut page, table);
    for (reason, decision) in OUTCOMES {
        outcome(&mut page, table, reason, decision);
    }
    page
}

fn glance(page: &mut String, table: &Table) {
    let names = CLIENTS.map(Client::as_str).join(" | ");
    writeln!(
        page,
        "| reason | {names} |\n| --- |{}",
        " --- |".repeat(CLIENTS.len())
    )
    .unwrap();
    for (reason, _) in OUTCOMES {
        let cells = CLIENTS.map(|client| {
            let told = table.get(&(reason.to_owned(), client.as_str()));
            told.map_or("–".to_owned(), |told| told.heard.status.to_string())
        });
        let anchor = reason.replace(' ', "-");
        writeln!(page, "| [`{reason}`](#{anchor}) | {} |", cells.join(" | ")).unwrap();
    }
}

/// The headers that are the same everywhere; that they are is held here.
fn common(page: &mut String, table: &Table) {
    page.push_str("\nEach refusal carries\n\n");
    for name in COMMON {
        let value = match name {
            "x-stepgate-reason" => "the reason, as in the table".to_owned(),
            "x-request-id" => {
                "the request's own where it is a short token, else a new one".to_owned()
            }
            _ => format!("`{}`", the_value(table.values(), name)),
        };
        writeln!(page, "- `{name}`: {value}").unwrap();
    }
    page.push_str(
        "\nand where the request's `Origin` is one of the same identity domain, also what lets its script read the answer\n\
         (`tests/cases/cors/`). Each page of ours carries\n\n",
    );
    let pages = || {
        let others = table.iter().filter(|((reason, _), _)| reason != RESUME);
        let told = others.map(|(_, told)| told);
        told.filter(|told| told.heard.body.starts_with('<'))
    };
    for name in OF_PAGES {
        writeln!(page, "- `{name}`: `{}`", the_value(pages(), name)).unwrap();
    }
}

/// The value that this header has in all of these answers.
fn the_value<'a>(told: impl Iterator<Item = &'a Told>, name: &str) -> String {
    let values = told.map(|told| told.heard.headers.get(name).unwrap().join(", "));
    let values: BTreeSet<_> = values.collect();
    assert_eq!(values.len(), 1, "`{name}` differs: {values:?}");
    values.into_iter().next().unwrap()
}

fn outcome(page: &mut String, table: &Table, reason: &str, decision: &str) {
    writeln!(page, "\n## {reason}\n\nDecision: {decision}.\n").unwrap();
    page.push_str(
        "| client | status | code | body | other headers |\n| --- | --- | --- | --- | --- |\n",
    );
    let mut json = None;
    for client in CLIENTS {
        let Some(told) = table.get(&(reason.to_owned(), client.as_str())) else {
            continue;
        };
        let heard = &told.heard;
        let row = [
            client.as_str().to_owned(),
            heard.status.to_string(),
            told.code.to_string(),
            body(&heard.body),
            others(heard),
        ];
        writeln!(page, "| {} |", row.join(" | ")).unwrap();
        json = json.or_else(|| Some(&heard.body).filter(|body| body.starts_with('{')));
    }
    if let Some(json) = json {
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        writeln!(page, "\n```json\n{pretty}\n```").unwrap();
    }
}

fn body(body: &str) -> String {
    let title = body
        .split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"));
    match title {
        Some((title, _)) => format!("page “{title}”"),
        None if body.is_empty() => "empty".to_owned(),
        None if !body.starts_with('{') => format!("text “{body}”"),
        None if body.contains("redirect_browser_to") => "JSON, with an address".to_owned(),
        None => "JSON".to_owned(),
    }
}

fn others(heard: &Heard) -> String {
    let is_page = heard.body.starts_with('<');
    let is_own =
        |name: &str| name == "content-security-policy" && heard.reason.as_deref() == Some(RESUME);
    let is_common =
        |name: &str| COMMON.contains(&name) || is_page && OF_PAGES.contains(&name) && !is_own(name);
    let others = heard.headers.iter().filter(|(name, _)| !is_common(name));
    let others = others.map(|(name, lines)| format!("`{name}: {}`", lines.join(", ")));
    others.collect::<Vec<_>>().join("<br>")
}

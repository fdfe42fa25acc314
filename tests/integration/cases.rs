//! Every file in `tests/cases/` is answered as it wants to be: by `stepgate test`, at Envoy's door in both of its header
//! modes, and at the HTTP door. All of them agree, to the last header and the body.

mod answers;
mod doors;
pub(crate) mod files;
mod kratos;
mod quotes;
mod told;

use std::{collections::BTreeMap, fmt::Write, fs, path::Path, process::Command, time::Duration};

use stepgate::cli::cases::{Case, DOORS, Heard, Suite};

use doors::Doors;
use kratos::{Scene, World};

/// Longest that all cases may take.
const BUDGET: Duration = Duration::from_secs(240);

#[test]
fn there_are_cases_enough_one_a_file_and_each_says_what_it_shows() {
    let files = files::all();
    assert!(files.len() >= 150, "{} cases", files.len());
    for (path, text) in files {
        let suite = Suite::parse(&path, &text).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(suite.cases.len(), 1, "{path}: one case a file");
        let comment = text.lines().next().unwrap_or_default();
        assert!(
            comment.starts_with("# ") && comment.ends_with(['.', '?']),
            "{path}: the first line says what the case shows"
        );
    }
}

#[test]
fn the_exit_code_tells_what_holds_from_what_does_not_and_from_what_is_faulty() {
    let folder = tempfile::tempdir().unwrap();
    let (path, text) = files::all().swap_remove(0);
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let miss = write("miss.yaml", &text.replace("status: ", "status: 1"));
    let fault = write("fault.yaml", &text.replace("cases:", "case:"));
    let holds = write("holds.yaml", &text);
    let run = |files: &[&Path]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stepgate"));
        let output = command.arg("test").args(files).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.code().unwrap(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let (code, out, _) = run(&[&holds, &holds]);
    assert_eq!((code, out.lines().count()), (0, 4), "{path}: {out}");
    let (code, out, _) = run(&[&holds, &miss]);
    assert_eq!(code, 1, "{out}");
    assert!(
        out.contains("\nnot ok 2 - ") && out.contains("miss.yaml:"),
        "{out}"
    );
    let (code, out, complaint) = run(&[&holds, &fault]);
    assert_eq!((code, out.as_str()), (64, ""));
    assert!(complaint.contains("fault.yaml:"), "{complaint}");
    assert_eq!(run(&[]).0, 2, "a file is asked for");
}

#[tokio::test]
async fn every_case_is_answered_alike_at_every_door() {
    let misses = tokio::time::timeout(BUDGET, misses()).await.unwrap();
    assert!(misses.is_empty(), "{misses}");
}

async fn misses() -> String {
    let world = World::start().await;
    let mut misses = String::new();
    for (path, text) in files::all() {
        let suite = Suite::parse(&path, &text).unwrap();
        for case in &suite.cases {
            for (door, miss) in misses_of(&world, &suite, case).await {
                writeln!(misses, "{path} at {door}: {miss}").unwrap();
            }
        }
    }
    misses
}

/// What is not as the case wants it, and what differs from the answer of `stepgate test`, by door.
async fn misses_of(world: &World, suite: &Suite, case: &Case) -> Vec<(&'static str, String)> {
    let supposed = suite.answer(case);
    let mut misses = wrong("stepgate test", case, &supposed);
    for (door, heard) in ask(world, suite, case).await {
        misses.extend(wrong(door, case, &heard));
        misses.extend(differences(&supposed, &heard).map(|difference| (door, difference)));
    }
    misses
}

/// The answers of every door that can carry the case, with what is made up anew each time left out.
pub(crate) async fn ask(
    world: &World,
    suite: &Suite,
    case: &Case,
) -> BTreeMap<&'static str, Heard> {
    let scene = world.set(suite, case).await;
    let doors = Doors::open(suite, &scene).await;
    let mut answers = BTreeMap::new();
    for door in DOORS.into_iter().filter(|door| case.is_for(door)) {
        let facts = suite.facts(case, &scene.credential);
        let heard = doors.ask(door, &facts).await;
        answers.insert(door, scene.plain(heard));
    }
    doors.close().await;
    answers
}

fn wrong(door: &'static str, case: &Case, heard: &Heard) -> Vec<(&'static str, String)> {
    let misses = case.expect.misses(heard).into_iter();
    misses
        .map(|miss| {
            (
                door,
                format!("{}: want `{}`, got `{}`", miss.key, miss.want, miss.got),
            )
        })
        .collect()
}

/// Where two answers are not the same; a word that a door does not tell is none.
fn differences(supposed: &Heard, heard: &Heard) -> impl Iterator<Item = String> + use<> {
    let supposed = Scene::default().plain(supposed.clone());
    let told = |word: &Option<String>, known: &Option<String>| word.is_some() && word != known;
    let pairs = [
        ("status", supposed.status != heard.status),
        ("decision", told(&heard.decision, &supposed.decision)),
        ("reason", told(&heard.reason, &supposed.reason)),
        ("rule", told(&heard.rule, &supposed.rule)),
        ("headers", supposed.headers != heard.headers),
        ("removed", supposed.removed != heard.removed),
        ("body", supposed.body != heard.body),
    ];
    let shown = format!("{supposed:?}\n   but here {heard:?}");
    let differing = pairs.into_iter().filter(|(_, differs)| *differs);
    differing.map(move |(what, _)| format!("{what} differs from `stepgate test`: {shown}"))
}

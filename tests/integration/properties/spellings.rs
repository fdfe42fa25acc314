//! Any spelling of a path that an upstream could read as P is judged no looser than P, or refused.

use http::Method;
use proptest::prelude::*;
use stepgate::domain::{
    host::Host,
    path::{Path, PathOptions},
    pattern::{Methods, PathPattern},
    rule::{Demand, Mode, Requirement, Rule},
    rule_set::{RuleSet, Selection},
};

use super::readers::{Parameters, Reader, normal};

const NAMES: [&str; 8] = ["a", "b", "transfer", "Transfer", "é", "a b", "%", "t"];

/// A way to write one byte, or something in between that some server takes for nothing.
#[derive(Clone, Copy, Debug)]
enum Spelling {
    Plain,
    Lower,
    Upper,
    Twice,
    Thrice,
    Overlong,
    Behind(&'static str),
    Capital,
}

const NOISE: [&str; 24] = [
    "/", "//", "/.", "/./", "/x/..", "/x/../", ";", ";v=1", ";/", "%3b", "%3Bv", "%3f", "%3fx",
    "%23", "#x", "%20", " ", "\\", "%5c", "%2f", "%252f", "%253b", "%2e%2e/", "?x",
];

pub(super) fn spelled() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(&NAMES[..]);
    let path = prop::collection::vec(name, 0..4).prop_map(|names| format!("/{}", names.join("/")));
    let spelling = prop_oneof![
        12 => Just(Spelling::Plain),
        2 => Just(Spelling::Lower),
        2 => Just(Spelling::Upper),
        2 => Just(Spelling::Twice),
        1 => Just(Spelling::Thrice),
        1 => Just(Spelling::Overlong),
        1 => Just(Spelling::Capital),
        3 => prop::sample::select(&NOISE[..]).prop_map(Spelling::Behind),
    ];
    let front = prop::sample::select(&["", "", "", "/", "//x", "//x@y:1"][..]);
    let end = prop::sample::select(&["", "", "", "/", "?q=1", "\u{a0}", ";x", "%20"][..]);
    let raw_end =
        prop_oneof![9 => Just(vec![]), 1 => Just(vec![0xa0]), 1 => Just(vec![0x85, b'/'])];
    (
        path,
        prop::collection::vec(spelling, 40),
        front,
        end,
        raw_end,
    )
        .prop_map(|(path, spellings, front, end, raw_end)| {
            let body = path
                .bytes()
                .zip(spellings)
                .flat_map(|(byte, how)| spell(byte, how));
            front
                .bytes()
                .chain(body)
                .chain(end.bytes())
                .chain(raw_end)
                .collect()
        })
}

fn spell(byte: u8, how: Spelling) -> Vec<u8> {
    // A slash may be written in any way but is mostly kept, or all would be refused.
    match how {
        Spelling::Plain => vec![byte],
        Spelling::Lower => format!("%{byte:02x}").into_bytes(),
        Spelling::Upper => format!("%{byte:02X}").into_bytes(),
        Spelling::Twice => format!("%25{byte:02x}").into_bytes(),
        Spelling::Thrice => format!("%25%{:02x}{byte:02x}", b'2').into_bytes(),
        Spelling::Overlong if byte.is_ascii() => {
            format!("%c{}%{:02x}", byte >> 6, 0x80 | byte & 0x3f).into_bytes()
        }
        Spelling::Overlong => vec![byte],
        Spelling::Behind(noise) => [&[byte], noise.as_bytes()].concat(),
        Spelling::Capital => vec![byte.to_ascii_uppercase()],
    }
}

fn parameters() -> impl Strategy<Value = Parameters> {
    prop::sample::select(&Parameters::ALL[..])
}

fn reader() -> impl Strategy<Value = Reader> {
    (parameters(), parameters(), 1..=2_u8, any::<[bool; 9]>()).prop_map(
        |(raw_parameters, parameters, decodes, flags)| {
            let [
                sees_host,
                takes_overlong,
                cuts_question_mark,
                cuts_hash,
                takes_backslash,
                before,
                after,
                trims,
                trims_segments,
            ] = flags;
            Reader {
                sees_host,
                raw_parameters,
                decodes,
                takes_overlong,
                cuts_question_mark,
                cuts_hash,
                parameters,
                takes_backslash,
                resolves_dots: [before, after],
                trims,
                trims_segments,
            }
        },
    )
}

fn pattern() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        5 => prop::sample::select(&NAMES[..6]).prop_map(String::from),
        1 => Just("*".to_owned()),
    ];
    (prop::collection::vec(segment, 0..3), any::<bool>()).prop_map(|(segments, below)| {
        let path = segments
            .iter()
            .map(|segment| format!("/{segment}"))
            .collect::<String>();
        match (path.is_empty(), below) {
            (_, true) => format!("{path}/**"),
            (true, false) => "/".to_owned(),
            (false, false) => path,
        }
    })
}

fn requirement() -> impl Strategy<Value = Requirement> {
    prop_oneof![
        Just(Requirement::None),
        Just(Requirement::Session(Demand::SESSION)),
        Just(Requirement::Session(Demand::AAL2)),
        Just(Requirement::Deny),
    ]
}

/// Rules that don't tie: one that would is left out.
fn rules(options: PathOptions) -> impl Strategy<Value = RuleSet> {
    let rule = (pattern(), requirement());
    (prop::collection::vec(rule, 1..7), requirement()).prop_map(move |(written, default)| {
        let mut kept: Vec<Rule> = Vec::new();
        for (place, (path, requirement)) in written.into_iter().enumerate() {
            let path = PathPattern::parse(&path).unwrap();
            let path = if options.ignore_case {
                path.ignoring_case()
            } else {
                path
            };
            kept.push(Rule {
                id: format!("r{place}").into(),
                hosts: vec![],
                paths: vec![path],
                methods: Methods::All,
                requirement,
                mode: Mode::Enforce,
                return_to: None,
                resume: false,
                cache: None,
            });
            if RuleSet::new(kept.clone(), Requirement::None).is_err() {
                kept.pop();
            }
        }
        RuleSet::new(kept, default).unwrap()
    })
}

fn is_no_looser(selection: &Selection<'_>, asked: &Requirement) -> bool {
    match asked {
        Requirement::None => true,
        Requirement::Deny => selection.is_denied,
        Requirement::Session(demand) => selection.is_denied || selection.demands.contains(demand),
    }
}

fn options() -> impl Strategy<Value = PathOptions> {
    (any::<bool>(), any::<bool>()).prop_map(|(keep_semicolon, ignore_case)| PathOptions {
        keep_semicolon,
        ignore_case,
    })
}

fn world() -> impl Strategy<Value = (PathOptions, RuleSet)> {
    options().prop_flat_map(|options| (Just(options), rules(options)))
}

proptest! {
    #[test]
    fn no_upstream_reads_a_path_whose_rule_was_not_asked(
        (options, rules) in world(),
        target in spelled(),
        readers in prop::collection::vec(reader(), 24),
    ) {
        let Ok(path) = Path::parse(&target, options) else { return Ok(()) };
        let host = Host::parse(b"app.test").unwrap();
        let selection = rules.select(&host, &path, &Method::GET);
        for reader in readers {
            let read = normal(&reader.read(&target));
            let read = if options.ignore_case { folded(&read) } else { read };
            let asked = &rules.find(&host, &read, &Method::GET).requirement;
            prop_assert!(
                is_no_looser(&selection, asked),
                "{reader:?} reads {:?} in {:?}, which asks for {asked:?}, not {:?}",
                String::from_utf8_lossy(&read), String::from_utf8_lossy(&target), selection.demands
            );
        }
    }
}

/// As an application that ignores case compares: it raises, then lowers.
fn folded(path: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(path) {
        Ok(text) => text.to_uppercase().to_lowercase().into_bytes(),
        Err(_) => path.to_ascii_lowercase(),
    }
}

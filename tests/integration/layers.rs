//! The house rules that the compiler doesn't hold, read off the sources: which room may use which, what the heart may
//! touch, who makes a `Permit`, and how long a file may be.

mod names;
mod reader;
mod source;
mod tests;
mod tree;

use source::{Mention, Source, is_under};

/// A room may use the rooms to its right. `main` is the binary; `proto` is generated, and only doors know Envoy's types.
const ROOMS: [&str; 9] = [
    "main",
    "cli",
    "config",
    "servers",
    "proto",
    "authorizer",
    "kratos",
    "telemetry",
    "domain",
];

/// The crates `domain` may use: they hold values and do nothing else.
const VALUE_CRATES: [&str; 10] = [
    "bytes",
    "foldhash",
    "hmac",
    "http",
    "jiff",
    "memchr",
    "percent_encoding",
    "sha2",
    "thiserror",
    "url",
];

/// What `domain` may not use of std: IO, the process around it, clocks, and what async is made of.
const IMPURE: [&str; 12] = [
    "std::env",
    "std::fs",
    "std::future",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::sync::mpsc",
    "std::task",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime::now",
];

/// Of `std::net`, the addresses are values.
const ADDRESSES: [&str; 7] = [
    "std::net::AddrParseError",
    "std::net::IpAddr",
    "std::net::Ipv4Addr",
    "std::net::Ipv6Addr",
    "std::net::SocketAddr",
    "std::net::SocketAddrV4",
    "std::net::SocketAddrV6",
];

/// What a path may begin with though it is no crate: primitive types, and the tools that attributes name.
const BUILT_IN: [&str; 21] = [
    "bool",
    "char",
    "clippy",
    "diagnostic",
    "f32",
    "f64",
    "i128",
    "i16",
    "i32",
    "i64",
    "i8",
    "isize",
    "rustdoc",
    "rustfmt",
    "str",
    "u128",
    "u16",
    "u32",
    "u64",
    "u8",
    "usize",
];

/// How many lines a file may have without its tests.
const LONGEST: usize = 300;

#[test]
fn every_file_belongs_to_a_room() {
    assert_holds(&Source::read_all("src"), strangers);
}

#[test]
fn lib_only_declares_the_rooms() {
    assert_holds(&Source::read_all("src"), lib_items);
}

#[test]
fn rooms_import_only_to_their_right() {
    assert_holds(&Source::read_all("src"), imports_to_the_left);
}

#[test]
fn domain_is_pure() {
    assert_holds(&Source::read_all("src"), impurities);
}

#[test]
fn only_a_decision_makes_a_permit() {
    assert_holds(&Source::read_all("src"), permits_made_elsewhere);
}

#[test]
fn files_are_under_300_lines_before_their_tests() {
    assert_holds(&Source::read_all("src"), long_files);
    assert_holds(&Source::read_all("demo/src"), long_files);
}

fn assert_holds(sources: &[Source], law: fn(&Source) -> Vec<String>) {
    assert!(!sources.is_empty(), "no sources were found");
    let broken: Vec<String> = sources.iter().flat_map(law).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

fn strangers(source: &Source) -> Vec<String> {
    let room = source.room();
    let is_known = room == "lib" || ROOMS.contains(&room);
    if is_known {
        vec![]
    } else {
        vec![format!("{}: `{room}` is not a room", source.file)]
    }
}

fn lib_items(source: &Source) -> Vec<String> {
    let holds = source.room() != "lib" || source.only_declares;
    if holds {
        vec![]
    } else {
        vec![format!(
            "{}: the map holds only `mod` items; move the rest",
            source.file
        )]
    }
}

fn imports_to_the_left(source: &Source) -> Vec<String> {
    let Some(own) = place(source.room()) else {
        return vec![];
    };
    broken(source, &source.paths, |path| {
        let target = path.text.strip_prefix("crate::")?.split("::").next()?;
        match place(target) {
            _ if own == 0 => None,
            Some(place) if place < own => Some(format!(
                "`{}` may not use `{target}`, which is to its left",
                source.room()
            )),
            Some(_) => None,
            None => Some(format!(
                "`{}` names no room; write the room's own path",
                path.text
            )),
        }
    })
}

fn impurities(source: &Source) -> Vec<String> {
    if source.room() != "domain" {
        return vec![];
    }
    let paths = broken(source, &source.paths, |path| {
        let is_pure = path.is_test || is_pure(path);
        (!is_pure).then(|| format!("`{}` has no place in `domain`", path.text))
    });
    let words = broken(source, &source.words, |word| {
        (!word.is_test).then(|| format!("`{}` has no place in `domain`", word.text))
    });
    [paths, words].concat()
}

fn is_pure(path: &Mention) -> bool {
    let text = path.text.as_str();
    let first = text.split("::").next().unwrap_or_default();
    match first {
        "crate" => text == first || is_under(text, "crate::domain"),
        "std" => {
            let is_address = ADDRESSES.iter().any(|address| is_under(text, address));
            let is_everything = text.ends_with("::*");
            is_address || !is_everything && !IMPURE.iter().any(|impure| is_under(text, impure))
        }
        _ if VALUE_CRATES.contains(&first) => true,
        // A type of this file, or one that a `use` has accounted for.
        _ => !path.is_use && (BUILT_IN.contains(&first) || first.starts_with(char::is_uppercase)),
    }
}

fn permits_made_elsewhere(source: &Source) -> Vec<String> {
    if is_under(&source.module, "crate::domain::decision") {
        return vec![];
    }
    broken(source, &source.built, |built| {
        let is_permit = built.text.rsplit("::").next() == Some("Permit");
        is_permit.then(|| "only `domain/decision.rs` makes a `Permit`".to_owned())
    })
}

fn long_files(source: &Source) -> Vec<String> {
    if source.lines <= LONGEST {
        return vec![];
    }
    vec![format!(
        "{}: {} lines without its tests; {LONGEST} are allowed",
        source.file, source.lines
    )]
}

fn broken(
    source: &Source,
    mentions: &[Mention],
    fault: impl Fn(&Mention) -> Option<String>,
) -> Vec<String> {
    let told = |mention: &Mention| {
        Some(format!(
            "{}:{}: {}",
            source.file,
            mention.line,
            fault(mention)?
        ))
    };
    mentions.iter().filter_map(told).collect()
}

fn place(room: &str) -> Option<usize> {
    ROOMS.iter().position(|known| *known == room)
}

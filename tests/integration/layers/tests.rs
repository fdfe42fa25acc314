//! The laws themselves, tried on small sources: each is broken where it should be, and nowhere else.

use super::*;

fn assert_broken(law: fn(&Source) -> Vec<String>, file: &str, texts: &[&str]) {
    for text in texts {
        assert!(
            !law(&Source::parse(file, text)).is_empty(),
            "nothing is said of {file}: {text}"
        );
    }
}

fn assert_kept(law: fn(&Source) -> Vec<String>, file: &str, texts: &[&str]) {
    for text in texts {
        assert_eq!(
            law(&Source::parse(file, text)),
            Vec::<String>::new(),
            "{file}: {text}"
        );
    }
}

#[test]
fn an_import_to_the_left_is_caught_however_it_is_written() {
    assert_broken(
        imports_to_the_left,
        "src/kratos/client.rs",
        &[
            "use crate::config::Limits;",
            "use crate::{domain::Session, config::{file, Limits as L}};",
            "use crate::{self as root}; fn f() { root::config::load() }",
            "use crate as root; use root::{config};",
            "use super::super::config::Limits;",
            "use stepgate::config::Limits;",
            "use ::stepgate::cli;",
            "fn f() -> crate::config::Limits { todo!() }",
            "fn f() { let x: Vec<crate::servers::Door> = vec![]; }",
            "fn f(x: u8) { match x { crate::config::MAX => (), _ => () } }",
            "fn f<T: crate::cli::Verb>() { <T as crate::cli::Verb>::run() }",
            "fn f() { println!(\"{}\", crate::config::MAX) }",
            "fn f() { g!(0..crate::config::MAX) }",
            "fn f() { g!(use crate::{domain::Aal as A, config::Limits};) }",
            "#[derive(crate::cli::Verb)] struct S;",
            "macro_rules! m { () => { $crate::config::MAX } }",
            "mod inner { use super::super::super::config::Limits; }",
            "#[cfg(test)] mod tests { use crate::authorizer::Authorizer; }",
        ],
    );
}

#[test]
fn an_import_to_the_right_or_of_another_crate_is_kept() {
    assert_kept(
        imports_to_the_left,
        "src/kratos/client.rs",
        &[
            "use crate::{domain::{self, Session}, kratos::cache, telemetry};",
            "use super::{cache::Cache, breaker}; use self::inner::X; mod inner {}",
            "use config::Config; use ::config::File; fn f() { other::config::load() }",
            "// use crate::config::Limits;\n/* crate::cli */",
            "/// See [`crate::config::Limits`].\nfn f() -> &'static str { \"use crate::config::Limits;\" }",
            "fn f() { println!(\"crate::config\"); let s = r#\"crate::config::MAX\"#; }",
            "pub(crate) fn f(config: u8) -> u8 { config } pub(super) fn g() {}",
        ],
    );
    assert_kept(
        imports_to_the_left,
        "src/main.rs",
        &["use stepgate::{cli, domain}; fn main() {}"],
    );
    assert_kept(
        imports_to_the_left,
        "src/servers/ext_authz.rs",
        &["use crate::proto::CheckRequest;"],
    );
    assert_broken(
        imports_to_the_left,
        "src/authorizer.rs",
        &["use crate::proto::CheckRequest;"],
    );
}

#[test]
fn a_path_that_hides_its_room_is_caught() {
    let texts = [
        "use crate::*;",
        "use crate::Session;",
        "use super::*;",
        "use super::Session;",
    ];
    assert_broken(imports_to_the_left, "src/kratos.rs", &texts);
}

#[test]
fn impurity_is_caught_however_it_is_written() {
    assert_broken(
        impurities,
        "src/domain/rule.rs",
        &[
            "use std::fs;",
            "use std::{fmt, io::{self, Read}};",
            "use std::{time::{self, Duration}}; fn f() { time::Instant::now(); }",
            "use std::time::SystemTime as T; fn f() { T::now(); }",
            "fn f() { ::std::env::var(\"X\"); }",
            "use core::future::Future;",
            "use std::net::TcpStream;",
            "use std::net::*;",
            "use std as s; fn f() { s::process::abort() }",
            "use std::thread::{spawn};",
            "fn f(t: std::time::SystemTime) { t.elapsed(); }",
            "fn f() { assert!(t.elapsed().is_ok()); }",
            "use tokio;",
            "use serde::Deserialize;",
            "#[derive(Debug, serde::Deserialize)] struct S;",
            "extern crate tokio;",
            "fn f() { tracing::info!(\"x\"); }",
            "fn f() { vec![tokio::spawn(x)]; }",
            "async fn f() {}",
            "fn f() { async { g().await }; }",
            "fn f() { g!(async move { x.await }) }",
            "fn f() { let g = async || 1; }",
            "trait T { async fn f(); }",
            "use crate::kratos::Client;",
            "#[cfg(not(test))] mod inner { use tokio::spawn; }",
        ],
    );
}

#[test]
fn values_are_pure_and_tests_may_use_what_they_like() {
    assert_kept(
        impurities,
        "src/domain/rule.rs",
        &[
            "use std::{collections::HashMap, fmt, net::{IpAddr, Ipv6Addr}, time::{Duration, SystemTime}};",
            "use std::fmt; impl fmt::Display for S { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { Ok(()) } }",
            "use http::{Method, header::{self, HeaderValue}}; fn f() { header::COOKIE; Method::GET; }",
            "use super::pattern::Host; use crate::domain::{Aal, session}; fn f() { session::read(Aal::Aal1); }",
            "mod inner; pub use inner::Rule; fn f() { inner::g(); self::inner::g(); Self::h(); }",
            "#[derive(Debug, thiserror::Error)] enum E { #[error(\"`{0}` is no host\")] Host(String) }",
            "#[expect(clippy::panic, reason = \"x\")] #[rustfmt::skip] fn f() { u64::from(1u8); str::len(\"\"); }",
            "/// No tokio::spawn, `.await` or std::fs here.\nfn f() { g(\"std::fs\", \"async\"); } // serde::Serialize",
            "fn f(awaited: u8, x: &'static str) { let elapsed = 1; h!(elapsed, r#async, x:&str, 1..2) }",
            "#[cfg(test)] mod tests { use super::*; use proptest::prelude::*; fn f() { std::fs::read(\"x\"); x.await } }",
        ],
    );
    assert_kept(
        impurities,
        "src/kratos/client.rs",
        &["use tokio::spawn; async fn f() { g().await }"],
    );
}

#[test]
fn a_permit_made_elsewhere_is_caught() {
    let texts = [
        "fn f() { Permit(()); }",
        "fn f() { Decision::Allow(decision::Permit { why }) }",
        "fn f() { why.map(Permit) }",
        "use decision::Permit as P; fn f() { P { why } }",
        "use crate::domain::decision::{Permit as P}; fn f() { P(why) }",
        "impl Permit { fn new() -> Self { Self { why: Why::Met } } }",
        "impl Default for Permit { fn default() -> Self { Self(()) } }",
        "fn f() { vec![Permit(()); 3]; }",
        "fn f() { assert_eq!(x, Decision::Allow(Permit { why })) }",
        "fn f(p: Permit) { Permit { why, ..p }; }",
    ];
    assert_broken(permits_made_elsewhere, "src/servers/ext_authz.rs", &texts);
    assert_broken(permits_made_elsewhere, "src/domain/reply.rs", &texts);
    assert_kept(permits_made_elsewhere, "src/domain/decision.rs", &texts);
    assert_kept(
        permits_made_elsewhere,
        "src/domain/decision/table.rs",
        &texts,
    );
}

#[test]
fn a_permit_that_is_only_handed_on_is_kept() {
    assert_kept(
        permits_made_elsewhere,
        "src/domain/reply.rs",
        &[
            "use super::decision::Permit; fn ok(permit: Permit) -> Reply { Reply::ok(&permit) }",
            "fn f(d: Decision) -> Option<Permit> { match d { Decision::Allow(p @ Permit { .. }) => Some(p), _ => None } }",
            "fn f() { matches!(d, Decision::Allow(Permit { .. })); }",
            "// Permit(())\n/// `Permit { why }`\nfn f() -> &'static str { \"Permit(())\" }",
            "fn f() { PermitList(()); Self { permit } }",
        ],
    );
}

#[test]
fn a_long_file_is_caught_and_its_tests_are_not_counted() {
    let lines = |count: usize| "fn f() {}\n".repeat(count);
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", lines(500));
    let file = "src/domain/rule.rs";
    assert_kept(
        long_files,
        file,
        &[
            &lines(300),
            &(lines(300) + &tests),
            &(tests.clone() + &lines(300)),
        ],
    );
    assert_broken(
        long_files,
        file,
        &[&lines(301), &(lines(301) + &tests), &(tests + &lines(301))],
    );
    assert_broken(
        long_files,
        file,
        &[&format!("#[cfg(test)]\nmod tests;\n{}", lines(300))],
    );
}

#[test]
fn a_file_of_tests_is_known_by_its_declaration() {
    let text = "use tokio::spawn;\n".repeat(400);
    let mut sources = [
        Source::parse("src/domain/rule.rs", "#[cfg(test)] mod tests;"),
        Source::parse("src/domain/rule/tests.rs", &text),
        Source::parse("src/domain/pattern/tests.rs", &text),
    ];
    source::mark_test_files(&mut sources);
    let broken: Vec<usize> = sources
        .iter()
        .map(|source| impurities(source).len() + long_files(source).len())
        .collect();
    assert_eq!(broken, [0, 0, 401]);
}

#[test]
fn a_stray_file_and_a_busy_lib_are_caught() {
    assert_broken(strangers, "src/util.rs", &[""]);
    assert_broken(strangers, "src/util/text.rs", &[""]);
    assert_kept(strangers, "src/domain/util.rs", &[""]);
    assert_broken(
        lib_items,
        "src/lib.rs",
        &[
            "pub mod domain; pub fn f() {}",
            "pub mod domain {}",
            "pub use domain::Aal;",
        ],
    );
    assert_kept(
        lib_items,
        "src/lib.rs",
        &["//! The map.\n\n/// The heart.\npub mod domain; mod proto { include!(\"x\"); }"],
    );
}

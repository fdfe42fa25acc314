use proptest::prelude::*;

use super::*;
use crate::domain::{path::Path, pattern::Methods, rule::Demand};

fn rule(id: &str, host: &[&str], paths: &[&str], methods: &[&str]) -> Rule {
    Rule {
        id: id.into(),
        hosts: host
            .iter()
            .map(|text| HostPattern::parse(text).unwrap())
            .collect(),
        paths: paths
            .iter()
            .map(|text| PathPattern::parse(text).unwrap())
            .collect(),
        methods: if methods.is_empty() {
            Methods::All
        } else {
            Methods::parse(methods.iter().copied()).unwrap()
        },
        requirement: Requirement::None,
        mode: Mode::Enforce,
        return_to: None,
        resume: false,
        cache: None,
    }
}

fn winner(rules: Vec<Rule>, host: &str, reading: &str, method: &Method) -> String {
    let set = RuleSet::new(rules, Requirement::Deny).unwrap();
    set.find(
        &Host::parse(host.as_bytes()).unwrap(),
        reading.as_bytes(),
        method,
    )
    .id
    .to_string()
}

fn wins(rules: &[Rule; 2], host: &str, reading: &str) -> String {
    winner(rules.to_vec(), host, reading, &Method::GET)
}

#[test]
fn an_exact_host_wins_over_a_wildcard_and_a_longer_path() {
    let rules = [
        rule("exact", &["a.x.test"], &["/**"], &[]),
        rule("wild", &["*.x.test"], &["/a/b"], &[]),
    ];
    assert_eq!(wins(&rules, "a.x.test", "/a/b"), "exact");
}

#[test]
fn a_longer_wildcard_wins_over_a_shorter() {
    let rules = [
        rule("short", &["*.test"], &["/a"], &[]),
        rule("long", &["*.x.test"], &["/**"], &[]),
    ];
    assert_eq!(wins(&rules, "a.x.test", "/a"), "long");
}

#[test]
fn any_host_wins_over_none() {
    let rules = [
        rule("none", &[], &["/a"], &[]),
        rule("wild", &["*.test"], &["/**"], &[]),
    ];
    assert_eq!(wins(&rules, "a.test", "/a"), "wild");
}

#[test]
fn a_more_specific_host_that_does_not_match_the_path_shadows_nothing() {
    let rules = [
        rule("host", &["a.test"], &["/b"], &[]),
        rule("none", &[], &["/a"], &[]),
    ];
    assert_eq!(wins(&rules, "a.test", "/a"), "none");
}

#[test]
fn an_exact_path_wins_over_a_pattern() {
    let rules = [
        rule("exact", &[], &["/a/b"], &[]),
        rule("below", &[], &["/a/b/**"], &[]),
    ];
    assert_eq!(wins(&rules, "a.test", "/a/b"), "exact");
}

#[test]
fn more_literal_segments_win() {
    let rules = [
        rule("less", &[], &["/a/*"], &[]),
        rule("more", &[], &["/a/b/**"], &[]),
    ];
    assert_eq!(wins(&rules, "a.test", "/a/b"), "more");
}

#[test]
fn a_template_wins_over_everything_below() {
    let rules = [
        rule("below", &[], &["/a/**"], &[]),
        rule("template", &[], &["/a/*/c"], &[]),
    ];
    assert_eq!(wins(&rules, "a.test", "/a/b/c"), "template");
}

#[test]
fn listed_methods_win_over_all() {
    let rules = [
        rule("all", &[], &["/a"], &[]),
        rule("listed", &[], &["/a"], &["GET"]),
    ];
    assert_eq!(wins(&rules, "a.test", "/a"), "listed");
    assert_eq!(winner(rules.to_vec(), "a.test", "/a", &Method::POST), "all");
}

#[test]
fn where_nothing_matches_the_default_holds() {
    assert_eq!(
        winner(
            vec![rule("a", &[], &["/a"], &["POST"])],
            "a.test",
            "/a",
            &Method::GET
        ),
        "default"
    );
}

#[test]
fn two_rules_that_tie_are_an_error_that_names_both() {
    let cases = [
        (
            rule("one", &[], &["/a/*"], &[]),
            rule("two", &[], &["/a/{id}"], &[]),
        ),
        (
            rule("one", &["a.test"], &["/a"], &["GET"]),
            rule("two", &["a.test"], &["/a/"], &["HEAD"]),
        ),
        (
            rule("one", &[], &["/users/**"], &[]),
            rule("two", &[], &["/users/*/x/**"], &[]),
        ),
    ];
    for (one, two) in cases {
        let ties = RuleSet::new(vec![one, two], Requirement::Deny).unwrap_err();
        assert_eq!((&*ties[0].first, &*ties[0].second), ("one", "two"));
    }
    let apart = vec![
        rule("one", &["a.test"], &["/a"], &[]),
        rule("two", &["b.test"], &["/a"], &[]),
    ];
    assert!(RuleSet::new(apart, Requirement::Deny).is_ok());
    let twice = vec![rule("one", &[], &["/a", "/a"], &[])];
    assert!(RuleSet::new(twice, Requirement::Deny).is_ok());
}

#[test]
fn every_reading_of_a_path_adds_its_demand() {
    let mut strict = rule("strict", &[], &["/transfer"], &[]);
    strict.requirement = Requirement::Session(Demand::AAL2);
    let set = RuleSet::new(vec![strict], Requirement::None).unwrap();
    let host = Host::parse(b"a.test").unwrap();
    let path = Path::parse(
        b"/transfer%3fx",
        crate::domain::path::PathOptions::default(),
    )
    .unwrap();
    let selection = set.select(&host, &path, &Method::GET);
    assert_eq!(
        (&*selection.rule.id, selection.demands),
        ("default", vec![Demand::AAL2])
    );
}

#[test]
fn what_a_rule_in_shadow_takes_is_enforced_by_the_next_that_is_not() {
    let with = |id: &str, path: &str, requirement, mode| Rule {
        requirement,
        mode,
        ..rule(id, &[], &[path], &[])
    };
    let aal2 = || Requirement::Session(Demand::AAL2);
    let session = Requirement::Session(Demand::SESSION);
    let rules = vec![
        with("all", "/**", session, Mode::Enforce),
        with("transfer", "/transfer/**", aal2(), Mode::Shadow),
        with("new", "/transfer/new", Requirement::Deny, Mode::Shadow),
    ];
    let set = RuleSet::new(rules, Requirement::None).unwrap();
    let selected = |target: &[u8]| {
        let path = Path::parse(target, crate::domain::path::PathOptions::default()).unwrap();
        set.select(&Host::parse(b"a.test").unwrap(), &path, &Method::GET)
    };
    let new = selected(b"/transfer/new");
    assert_eq!((&*new.rule.id, new.is_denied), ("new", true));
    let enforced = new.enforced().unwrap();
    assert_eq!((&*enforced.rule.id, enforced.is_denied), ("all", false));
    assert_eq!(enforced.demands, [Demand::SESSION]);
    assert_eq!(*new.asked(), [Demand::SESSION]);
    // The other reading is a rule's in shadow, this one is not.
    let cut = selected(b"/transfer%3fx");
    assert_eq!((&*cut.rule.id, &*cut.in_force().rule.id), ("all", "all"));
    assert_eq!(cut.demands, [Demand::SESSION, Demand::AAL2]);
    assert_eq!(cut.in_force().demands, [Demand::SESSION]);
    assert!(selected(b"/account").enforced().is_none());
}

pub(super) fn any_rule() -> impl Strategy<Value = Rule> {
    let host = prop::sample::subsequence(vec!["a.x.test", "b.x.test", "*.x.test", "*.test"], 0..3);
    let segment = prop::sample::select(vec!["a", "b", "*"]);
    let path = (prop::collection::vec(segment, 0..4), any::<bool>()).prop_map(|(parts, below)| {
        format!("/{}{}", parts.join("/"), if below { "/**" } else { "" })
    });
    let paths = prop::collection::vec(path, 1..3);
    let methods = prop::sample::subsequence(vec!["GET", "POST", "PUT"], 0..3);
    (host, paths, methods).prop_map(|(host, paths, methods)| {
        let paths: Vec<_> = paths.iter().map(|path| path.replace("//", "/")).collect();
        rule(
            "r",
            &host,
            &paths.iter().map(String::as_str).collect::<Vec<_>>(),
            &methods,
        )
    })
}

pub(super) fn any_request() -> impl Strategy<Value = (Host, String, Method)> {
    let host = prop::sample::select(vec!["a.x.test", "b.x.test", "c.x.test", "a.test"]);
    let path =
        prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 0..5).prop_map(|parts| {
            parts
                .iter()
                .flat_map(|part| ["/", part])
                .collect::<String>()
        });
    let method = prop::sample::select(vec![
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::DELETE,
    ]);
    (
        host.prop_map(|host| Host::parse(host.as_bytes()).unwrap()),
        path,
        method,
    )
}

/// Rules without ties: one after the other, each kept where it ties with none before it.
pub(super) fn without_ties(rules: Vec<Rule>) -> Vec<Rule> {
    let mut kept: Vec<Rule> = Vec::new();
    for (place, mut rule) in rules.into_iter().enumerate() {
        rule.id = format!("r{place}").into();
        kept.push(rule);
        if RuleSet::new(kept.clone(), Requirement::Deny).is_err() {
            kept.pop();
        }
    }
    kept
}

proptest! {
    #[test]
    fn the_tables_agree_with_the_greatest_rank(
        rules in prop::collection::vec(any_rule(), 0..12),
        requests in prop::collection::vec(any_request(), 1..12),
        seed in any::<u64>(),
    ) {
        let rules = without_ties(rules);
        let set = RuleSet::new(rules.clone(), Requirement::Deny).unwrap();
        let mut other_order = rules.clone();
        other_order.rotate_left(usize::try_from(seed).unwrap_or(0) % rules.len().max(1));
        other_order.reverse();
        let other = RuleSet::new(other_order, Requirement::Deny).unwrap();
        for (host, reading, method) in requests {
            let ranks = rules.iter().filter_map(|rule| Some((rule.rank(&host, reading.as_bytes(), &method)?, rule)));
            let mut ranks: Vec<_> = ranks.collect();
            ranks.sort_by_key(|(rank, _)| *rank);
            let expected = ranks.last().map_or("default", |(_, rule)| &*rule.id);
            prop_assert_eq!(&*set.find(&host, reading.as_bytes(), &method).id, expected);
            prop_assert_eq!(&*other.find(&host, reading.as_bytes(), &method).id, expected);
            let distinct = ranks.windows(2).all(|pair| pair[0].0 < pair[1].0);
            prop_assert!(distinct, "two rules tie on a request");
        }
    }
}

use http::Method;

use super::*;
use crate::domain::host::Host;

fn host(text: &str) -> Host {
    Host::parse(text.as_bytes()).unwrap()
}

fn path(text: &str) -> PathPattern {
    PathPattern::parse(text).unwrap()
}

#[test]
fn a_host_wildcard_stands_for_one_or_more_labels() {
    let below = HostPattern::parse("*.example.test").unwrap();
    assert!(below.matches(&host("a.example.test")));
    assert!(below.matches(&host("a.b.example.test")));
    assert!(!below.matches(&host("example.test")));
    assert!(!below.matches(&host("aexample.test")));
    assert!(!below.matches(&host("example.test.evil.test")));
}

#[test]
fn a_wildcard_covers_what_lies_below_it() {
    let pattern = |text| HostPattern::parse(text).unwrap();
    assert!(pattern("*.b.test").covers(&pattern("a.b.test")));
    assert!(pattern("*.b.test").covers(&pattern("*.a.b.test")));
    assert!(pattern("*.b.test").covers(&pattern("*.b.test")));
    assert!(!pattern("*.b.test").covers(&pattern("b.test")));
    assert!(!pattern("*.a.b.test").covers(&pattern("*.b.test")));
    assert!(!pattern("a.b.test").covers(&pattern("*.a.b.test")));
}

#[test]
fn path_patterns_match_whole_segments() {
    let cases = [
        ("/transfer", "/transfer", true),
        ("/transfer/", "/transfer", true),
        ("/transfer", "/transfers", false),
        ("/transfer", "/transfer/x", false),
        ("/transfer/**", "/transfer", true),
        ("/transfer/**", "/transfer/a/b", true),
        ("/transfer/**", "/transferx", false),
        ("/users/*/email", "/users/ann/email", true),
        ("/users/*/email", "/users/ann/x/email", false),
        ("/users/{id}/email", "/users/ann/email", true),
        ("/users/*", "/users", false),
        ("/a.b", "/axb", false),
        ("/", "", true),
        ("/", "/a", false),
        ("/**", "", true),
        ("/**", "/a/b", true),
        ("/*/**", "", false),
    ];
    for (pattern, reading, expected) in cases {
        assert_eq!(
            path(pattern).matches(reading.as_bytes()),
            expected,
            "{pattern} on {reading}"
        );
    }
}

#[test]
fn an_exact_path_then_literals_then_a_template_win() {
    let order = [
        "/**", "/*/x", "/a/**", "/a/*", "/a/b/**", "/a/b/*/c", "/", "/a/b",
    ];
    let exact = |text: &str| path(text).is_exact();
    for pair in order.windows(2) {
        let (lower, higher) = (path(pair[0]).rank(), path(pair[1]).rank());
        assert!(
            lower < higher || exact(pair[0]) && exact(pair[1]),
            "{} < {}",
            pair[0],
            pair[1]
        );
    }
    assert_eq!(path("/a/**").rank(), path("/a/*/c/**").rank());
}

#[test]
fn overlap_is_found_where_one_path_fits_both() {
    let cases = [
        ("/a/*", "/a/{id}", true),
        ("/a/*/c", "/a/b/*", true),
        ("/a/*/c", "/a/*/d", false),
        ("/a/**", "/a/*/c/**", true),
        ("/a/*/c/**", "/a/*/d/**", false),
        ("/a/*", "/a/*/b", false),
        ("/a", "/a/**", true),
    ];
    for (a, b, expected) in cases {
        assert_eq!(path(a).overlaps(&path(b)), expected, "{a} and {b}");
        assert_eq!(path(b).overlaps(&path(a)), expected, "{b} and {a}");
    }
}

#[test]
fn a_pattern_survives_print_and_parse() {
    for text in ["/", "/**", "/a", "/a/**", "/a/*/b", "/a/{id}/**", "/a.b/é"] {
        assert_eq!(path(text).to_string(), text);
    }
    for text in ["a.test", "*.a.test"] {
        assert_eq!(HostPattern::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn what_is_no_pattern_says_how_to_mend_it() {
    let wrong_path = [
        "a", "", "/a/**/b", "/a*", "/{a}b", "/{}", "/a%20b", "/a?b", "/a#b", "/a;b", "/../a",
        "/a\\b",
    ];
    for text in wrong_path {
        assert!(PathPattern::parse(text).is_err(), "{text}");
    }
    for text in [
        "*",
        "*.*.a.test",
        "a.*.test",
        "*a.test",
        "",
        "a.test:80",
        "https://a.test",
    ] {
        assert!(HostPattern::parse(text).is_err(), "{text}");
    }
    for name in ["get", "", "G ET", "G1"] {
        assert!(Methods::parse([name]).is_err(), "{name}");
    }
}

#[test]
fn get_includes_head() {
    let methods = Methods::parse(["GET"]).unwrap();
    assert!(methods.matches(&Method::HEAD));
    assert!(!methods.matches(&Method::POST));
    assert!(!Methods::parse(["POST"]).unwrap().matches(&Method::HEAD));
}

use crate::config::Config;

const KRATOS: &str = "kratos:
  ciam:
    api_url: http://k
    browser_url: https://ciam.example.test
    origins: [https://app.example.test, 'https://*.shop.example.test']
default: none
";

/// Line and message of each warning.
fn warnings(rest: &str) -> Vec<(u64, String)> {
    let config = Config::parse("s.yaml", &format!("{KRATOS}{rest}"));
    let found = config.unwrap_or_else(|faults| panic!("{faults}")).warnings;
    let told = found
        .into_iter()
        .map(|one| (one.place.unwrap().0, one.message));
    told.collect()
}

/// The only warning of these rules.
fn only(rules: &str) -> (u64, String) {
    let mut found = warnings(&format!("rules:\n{rules}"));
    assert_eq!(found.len(), 1, "{found:?}");
    found.swap_remove(0)
}

fn are_quiet(rules: &str) {
    assert_eq!(warnings(&format!("rules:\n{rules}")), [], "{rules}");
}

#[test]
fn a_wildcard_hosts_rule_that_serves_a_host_with_its_own_is_warned_of() {
    let wild = "  - { id: wild, match: { host: '*.shop.example.test', path: /basket/** }, require: session }\n";
    let one = |path: &str| {
        format!(
            "  - {{ id: one, match: {{ host: one.shop.example.test, path: {path} }}, require: session }}\n"
        )
    };
    let (line, message) = only(&format!("{wild}{}", one("/pay")));
    assert_eq!(line, 8);
    assert!(message.starts_with("rule `wild` of a wildcard host also serves `one.shop.example.test`, which has rules of its own, as for `/basket`;"), "{message}");
    are_quiet(&format!("{wild}{}", one("/**")));
    are_quiet(wild);
    let longer = "  - { id: long, match: { host: '*.eu.shop.example.test', path: /pay }, require: session }\n";
    let (_, message) = only(&format!("{wild}{longer}"));
    assert!(
        message.contains("serves `*.eu.shop.example.test`"),
        "{message}"
    );
}

#[test]
fn a_looser_rule_that_wins_by_its_host_alone_is_warned_of() {
    let app = |require: &str| {
        format!("  - {{ id: app, match: {{ host: app.example.test }}, require: {require} }}\n")
    };
    let admin = "  - { id: admin, match: { path: /admin/** }, require: aal2 }\n";
    let (line, message) = only(&format!("{}{admin}", app("session")));
    assert_eq!(line, 8);
    let start = "rule `app` (session) wins over the stricter `admin` (aal2) by its host alone, as for `GET app.example.test/admin`;";
    assert!(message.starts_with(start), "{message}");
    are_quiet(&format!("{}{admin}", app("aal2")));
    are_quiet(&format!("{}{admin}", app("deny")));
    // One that takes the path with the host leaves nothing to win.
    let both =
        "  - { id: both, match: { host: app.example.test, path: /admin/** }, require: aal2 }\n";
    are_quiet(&format!("{}{admin}{both}", app("session")));
    // The same path: that the host's own rule holds there is what it was written for.
    let same =
        "  - { id: same, match: { host: app.example.test, path: /admin/** }, require: none }\n";
    are_quiet(&format!("{admin}{same}"));
    let methods = "  - { id: same, match: { path: /**, methods: [DELETE] }, require: aal2 }\n";
    let found = warnings(&format!("rules:\n{}{methods}", app("session")));
    assert!(
        found
            .iter()
            .any(|(_, message)| message.contains("as for `DELETE app.example.test")),
        "{found:?}"
    );
}

#[test]
fn a_post_that_needs_less_than_another_change_is_warned_of() {
    let rule = |id: &str, method: &str, require: &str| {
        format!(
            "  - {{ id: {id}, match: {{ path: '/items/{{id}}', methods: [{method}] }}, require: {require} }}\n"
        )
    };
    let (line, message) = only(&rule("gone", "DELETE", "aal2"));
    assert_eq!(line, 8);
    assert!(message.starts_with("for `app.example.test/items/any` POST needs less (`default`: none) than DELETE (`gone`: aal2);"), "{message}");
    let (line, message) = only(&format!(
        "{}{}",
        rule("put", "PUT", "aal2"),
        rule("post", "POST", "session")
    ));
    assert_eq!(line, 9);
    assert!(
        message.contains("(`post`: session) than PUT (`put`: aal2)"),
        "{message}"
    );
    are_quiet(&rule("all", "POST, PUT, PATCH, DELETE", "aal2"));
    are_quiet(&rule("post", "POST", "aal2"));
    are_quiet(&rule("read", "GET", "session"));
}

#[test]
fn what_people_write_themselves_is_warned_of() {
    let identity = |pointer: &str| {
        format!(
            "  - {{ id: a, match: {{ path: /a }}, require: {{ identity: {{ {pointer}: [admin] }} }} }}\n"
        )
    };
    let (line, message) = only(&identity("/traits/role"));
    assert_eq!(line, 8);
    assert!(
        message.starts_with("`/traits/role` is for people to edit themselves"),
        "{message}"
    );
    are_quiet(&identity("/metadata_public/role"));
    are_quiet(&identity("/traitsman"));
    let headers =
        warnings("upstream_headers: { X-Id: identity.id, X-Mail: identity./traits/email }\n");
    assert_eq!(headers.len(), 1);
    assert!(
        headers[0].1.starts_with("`X-Mail` carries `/traits/email`"),
        "{headers:?}"
    );
}

#[test]
fn an_origin_out_of_its_cookies_reach_is_warned_of() {
    let reach = |kratos: &str, origin: &str, rest: &str| {
        let text = format!(
            "kratos: {{ c: {{ api_url: http://k, browser_url: '{kratos}', origins: ['{origin}']{rest} }} }}\ndefault: none\n"
        );
        Config::parse("s.yaml", &text).unwrap().warnings.len()
    };
    for (kratos, origin, count) in [
        ("https://ciam.example.test", "https://app.example.test", 0),
        ("https://ciam.example.test", "https://*.example.test", 0),
        ("http://127.0.0.1:4433", "http://127.0.0.1:8080", 0),
        ("http://127.0.0.1:4433", "http://10.0.0.1:8080", 1),
        ("http://localhost:4433", "http://localhost:8080", 0),
        ("https://ciam.example.test", "https://app.other.test", 1),
        ("https://ciam.test", "https://app.test", 1),
    ] {
        assert_eq!(reach(kratos, origin, ""), count, "{kratos} {origin}");
        assert_eq!(reach(kratos, origin, ", credentials: [bearer]"), 0);
    }
}

#[test]
fn times_that_can_not_work_are_warned_of() {
    let rule = |rest: &str| format!("  - {{ id: a, match: {{ path: /a }}, {rest} }}\n");
    assert!(
        only(&rule("require: { max_age: 2s }"))
            .1
            .starts_with("`max_age: 2s` is over before")
    );
    are_quiet(&rule("require: { max_age: 30s }"));
    assert!(
        only(&rule("require: aal2, cache: 5s"))
            .1
            .starts_with("`cache: 5s` is longer than any `cache.ttl`")
    );
    for cache in ["off", "500ms", "1s"] {
        are_quiet(&rule(&format!("require: aal2, cache: {cache}")));
    }
}

#[test]
fn a_resume_that_keeps_no_form_is_warned_of() {
    let rule = |methods: &str, require: &str| {
        format!(
            "  - {{ id: pay, match: {{ path: /pay{methods} }}, require: {require}, resume: true }}\n"
        )
    };
    let (line, message) = only(&rule(", methods: [GET]", "aal2"));
    assert_eq!(line, 8);
    assert!(
        message.starts_with("rule `pay` has `resume: true` and is for no POST"),
        "{message}"
    );
    let (_, message) = only(&rule("", "none"));
    assert!(message.contains("`require: none`"), "{message}");
    let (_, message) = only(&rule("", "deny"));
    assert!(message.contains("`require: deny`"), "{message}");
    are_quiet(&rule(", methods: [POST]", "aal2"));
    are_quiet(&rule("", "session"));
}

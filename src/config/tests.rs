use std::time::Duration;

use super::*;
use crate::domain::{
    claim::{Pointer, Scalar},
    credential::CredentialKind,
    host::Host,
    identity_domain::EnrolmentPolicy,
    rule::{Demand, Requirement},
    session::{Aal, Factor},
};
use crate::kratos::cache;

const KRATOS: &str = "
kratos:
  ciam:
    api_url: http://kratos:4433
    browser_url: https://ciam.example.test/.ory/kratos/
    origins: [https://app.example.test, 'https://*.shop.example.test']
default: none
";

fn parse(rest: &str) -> Result<Config, Faults> {
    Config::parse("s.yaml", &format!("{}{rest}", KRATOS.trim_start()))
}

fn faults(text: &str) -> Vec<String> {
    let faults = Config::parse("s.yaml", text).unwrap_err();
    faults.iter().map(Fault::to_string).collect()
}

fn faults_of_rules(rest: &str) -> Vec<String> {
    parse(rest)
        .unwrap_err()
        .iter()
        .map(Fault::to_string)
        .collect()
}

fn requirement(require: &str) -> Requirement {
    let config = parse(&format!(
        "rules: [{{id: a, match: {{path: /a}}, require: {require}}}]"
    ))
    .unwrap();
    config.policy.rules.rules()[0].requirement.clone()
}

#[test]
fn ten_lines_protect_a_route() {
    let config =
        parse("rules:\n  - id: transfer\n    match: { path: /transfer/** }\n    require: aal2\n")
            .unwrap();
    assert_eq!(&*config.kratos[0].api_url, "http://kratos:4433");
    assert_eq!(config.kratos[0].timeout.as_secs(), 1);
    let domain = &config.policy.identity_domains[0];
    assert_eq!(
        domain.browser_url.as_str(),
        "https://ciam.example.test/.ory/kratos"
    );
    assert_eq!(
        (&*domain.name, &*domain.cookie),
        ("ciam", "ory_kratos_session")
    );
    assert_eq!(config.servers.grpc.listen.to_string(), "0.0.0.0:9191");
    assert_eq!(config.servers.grpc.max_connections.get(), 10_000);
    assert!(config.servers.http.is_none(), "the HTTP door is off");
}

#[test]
fn the_http_door_is_opened_by_its_address() {
    let door = |written: &str| {
        let config = parse(&format!("servers: {{ http: {written} }}")).unwrap();
        config.servers.http.unwrap()
    };
    let trusts = |http: &servers::HttpSettings, peer: &str| {
        http.trusted_proxies.contains(peer.parse().unwrap())
    };
    let plain = door("{ listen: '0.0.0.0:4456' }");
    assert_eq!(plain.door.listen.to_string(), "0.0.0.0:4456");
    assert_eq!(plain.door.max_connections.get(), 10_000);
    assert!(trusts(&plain, "127.0.0.1") && !trusts(&plain, "10.0.0.1"));
    let wide = door("{ listen: '[::]:4456', max_connections: 7, trusted_proxies: [10.0.0.0/8] }");
    assert_eq!(wide.door.max_connections.get(), 7);
    assert!(trusts(&wide, "10.0.0.1") && !trusts(&wide, "127.0.0.1"));
    let shut = "servers: { http: { listen: '[::]:1', trusted_proxies: [] } }";
    assert!(faults_of_rules(shut)[0].contains("`trusted_proxies` is empty"));
    assert!(faults_of_rules("servers: { http: {} }")[0].contains("listen"));
}

#[test]
fn every_form_of_require_is_understood() {
    let seconds = Duration::from_secs;
    let demand = |aal, max_age, factors: &[Factor]| {
        Requirement::Session(Demand {
            aal,
            max_age,
            factors: factors.to_vec(),
            identity: vec![],
        })
    };
    assert_eq!(requirement("none"), Requirement::None);
    assert_eq!(requirement("deny"), Requirement::Deny);
    assert_eq!(requirement("session"), demand(Aal::Aal1, None, &[]));
    assert_eq!(requirement("aal2"), demand(Aal::Aal2, None, &[]));
    assert_eq!(requirement("{aal: aal1}"), demand(Aal::Aal1, None, &[]));
    assert_eq!(
        requirement("{max_age: 5m}"),
        demand(Aal::Aal2, Some(seconds(300)), &[])
    );
    let full = "{aal: aal2, max_age: 1m, factors: [totp, webauthn]}";
    assert_eq!(
        requirement(full),
        demand(
            Aal::Aal2,
            Some(seconds(60)),
            &[Factor::Totp, Factor::Webauthn]
        )
    );
}

#[test]
fn all_faults_are_reported_at_once_each_with_its_line() {
    let text = "kratos:
  ciam:
    api_url: kratos:4433
    browser_url: https://ciam.example.test?x
    origins: [https://app.example.test/x]
    cookie: 'a b'
    timeout: 5
    refresh: sometimes
default: nobody
rules:
  - id: Pay
    match: { host: '*.*.test', path: [pay, /a/**/b], methods: [post] }
    require: { aal: aal3 }
  - id: b
    match: {}
    require: { aal: aal1, max_age: 5m }
  - id: b
    match: { path: /x }
    require: { factors: [sms] }
    return_to: //evil.test
servers: { grpc: { listen: here, max_connections: 0 }, http: { listen: ':80', trusted_proxies: [proxy, '::ffff:10.0.0.1'] } }
log: { level: loud, format: xml }
workers: 0
";
    let expected = [
        "3:14: `api_url: kratos:4433`:",
        "4:18: `browser_url: https://ciam.example.test?x`:",
        "5:15: origin `https://app.example.test/x`:",
        "6:13: `cookie: a b`",
        "7:14: `timeout: 5`: a duration is a number and a unit",
        "8:14: `refresh: sometimes` is none of `always`, `when_stale`",
        "9:10: `nobody` is no requirement",
        "11:9: `id: Pay` is not an id",
        "12:20: host pattern `*.*.test`: a host pattern takes one `*`",
        "12:39: path pattern `pay`: a path pattern starts with `/`",
        "12:44: path pattern `/a/**/b`: `**` stands only at the end",
        "12:64: methods: `post` is not a method",
        "13:21: `aal: aal3` is neither",
        "16:36: `max_age` and `factors` are about the second factor",
        "17:9: rule id `b` is taken, at s.yaml:14",
        "19:26: `sms` is not a second factor",
        "20:16: `return_to: //evil.test` is neither",
        "21:28: `here` is not an address to listen on; write one as in `0.0.0.0:9191` or `unix:/run/stepgate/door.sock`",
        "21:51: `max_connections` is at least 1",
        "21:72: `:80` is not an address to listen on; write one as in `0.0.0.0:4456`",
        "21:97: trusted proxy `proxy`: a network is an address and a prefix",
        "21:104: trusted proxy `::ffff:10.0.0.1`: an IPv4 network is written as one",
        "22:15: `level: loud` is none of",
        "22:29: `format: xml` is none of",
        "23:10: `workers` is at least 1",
    ];
    let text = text.replace("timeout: 5\n", "timeout: '5'\n");
    let found = faults(&text);
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            found.starts_with(&format!("s.yaml:{expected}")),
            "{found}\nis not\n{expected}"
        );
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn a_fault_of_syntax_or_shape_names_its_line() {
    let cases = [
        (
            "kratos: {}\ndefault: none\nrulez: []\n",
            "s.yaml:3:1: ",
            "rulez",
        ),
        (
            "kratos: {}\ndefault: none\ndefault: aal2\n",
            "s.yaml:3:1: ",
            "default",
        ),
        ("kratos: {}\n", "s.yaml:", "default"),
        ("kratos: {}\ndefault: ~\n", "s.yaml:2:", "expected"),
        ("kratos: {}\ndefault: [none]\n", "s.yaml:2:", "expected"),
        (
            "kratos: {}\ndefault: none\nrules: [{id: 5, match: {}, require: none}]\n",
            "s.yaml:3:14: ",
            "5",
        ),
        (
            "kratos: {}\ndefault: none\nrules: [{id: a, match: {paht: /a}, require: none}]\n",
            "s.yaml:3:25: ",
            "paht",
        ),
        (
            "kratos: {}\ndefault: { aal: aal2, age: 5m }\n",
            "s.yaml:2:23: ",
            "age",
        ),
        ("kratos: {\n", "s.yaml:", ""),
        ("", "s.yaml:", ""),
    ];
    for (text, place, word) in cases {
        let found = faults(text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with(place) && found[0].contains(word),
            "{text:?}\n{}\n{place} {word}",
            found[0]
        );
    }
}

#[test]
fn a_number_or_a_boolean_is_no_pattern_and_no_requirement() {
    let found = faults_of_rules("rules:\n  - id: a\n    match: { path: 5 }\n    require: true\n");
    assert!(
        found[0].starts_with("s.yaml:9:20: path pattern `5`"),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("s.yaml:10:14: `true` is no requirement"),
        "{found:?}"
    );
}

#[test]
fn origins_that_a_request_cannot_tell_apart_are_refused() {
    let with = |origins: &str, other: &str| {
        let domain = |name: &str, origins: &str| {
            format!(
                "  {name}: {{api_url: http://k, browser_url: http://b, origins: [{origins}]}}\n"
            )
        };
        let other = if other.is_empty() {
            String::new()
        } else {
            domain("iam", other)
        };
        Config::parse(
            "s.yaml",
            &format!("kratos:\n{}{other}default: none\n", domain("ciam", origins)),
        )
    };
    assert!(with("http://a.test, http://a.test:8080", "").is_ok());
    assert!(with("http://a.test, http://b.test", "'http://*.test'").is_ok());
    let together = [
        ("http://a.test, http://a.test", "", "can't be told apart"),
        ("http://a.test, https://a.test", "", "can't be told apart"),
        (
            "'http://a.test:443', https://a.test",
            "",
            "can't be told apart",
        ),
        (
            "http://a.test",
            "http://a.test:8080",
            "two identity domains",
        ),
        ("", "", "`origins` is empty"),
    ];
    for (one, two, words) in together {
        let found = with(one, two).unwrap_err().to_string();
        assert!(found.contains(words), "{one} {two}: {found}");
    }
}

#[test]
fn rules_that_tie_and_hosts_outside_the_origins_are_refused() {
    let tie = "rules:\n  - {id: a, match: {path: /x}, require: none}\n  - {id: b, match: {path: /x/}, require: aal2}\n";
    let found = faults_of_rules(tie);
    assert!(
        found[0].starts_with("s.yaml:9:10: rules `a` and `b` are equally specific"),
        "{found:?}"
    );
    let host = |host: &str| {
        faults_of_rules(&format!(
            "rules: [{{id: a, match: {{host: '{host}'}}, require: none}}]"
        ))
    };
    assert!(host("other.test")[0].contains("is on none of the `origins`"));
    for inside in [
        "app.example.test",
        "a.shop.example.test",
        "*.shop.example.test",
        "*.a.shop.example.test",
        "*.example.test",
    ] {
        let text = format!("rules: [{{id: a, match: {{host: '{inside}'}}, require: none}}]");
        assert!(parse(&text).is_ok(), "{inside}");
    }
}

#[test]
fn the_rest_of_the_keys_is_understood() {
    let config = parse(
        "paths: { case: insensitive, semicolon: keep }
context: { ignore: [policy] }
upstream_headers: { X-User-Id: identity.id, X-Role: identity./metadata_public/role }
rules:
  - id: grant
    match: { path: /Grant }
    require: { identity: { /metadata_public/role: [admin], /metadata_public/level: [3, true] } }
",
    )
    .unwrap();
    assert!(config.policy.paths.ignore_case && config.policy.paths.keep_semicolon);
    assert_eq!(&*config.policy.context_ignore[0], "policy");
    let pointers: Vec<_> = config.kratos[0]
        .pointers
        .iter()
        .map(Pointer::as_str)
        .collect();
    assert_eq!(
        pointers,
        ["/metadata_public/level", "/metadata_public/role"]
    );
    let host = Host::parse(b"app.example.test").unwrap();
    let found = config
        .policy
        .rules
        .find(&host, b"/grant", &http::Method::GET);
    let Requirement::Session(demand) = &found.requirement else {
        panic!("{found:?}")
    };
    let level = [Scalar::Number("3".into()), Scalar::Bool(true)];
    assert_eq!(demand.identity[0].values, level);
}

#[test]
fn how_a_domain_takes_credentials_and_enrolment_is_understood() {
    let with = |rest: &str| {
        let kratos = format!(
            "kratos: {{c: {{api_url: http://k, browser_url: http://b, origins: [http://a], {rest}}}}}\ndefault: none\n"
        );
        Config::parse("s.yaml", &kratos).map(|config| config.policy.identity_domains[0].clone())
    };
    let all = with("credentials: [bearer, cookie, session_token]").unwrap();
    assert_eq!(
        all.credentials,
        [
            CredentialKind::Bearer,
            CredentialKind::Cookie,
            CredentialKind::SessionToken
        ]
    );
    for (word, expected) in [
        ("off", EnrolmentPolicy::Off),
        ("false", EnrolmentPolicy::Off),
        ("refuse", EnrolmentPolicy::Refuse),
    ] {
        assert_eq!(
            with(&format!("enrolment: {word}")).unwrap().enrolment,
            expected,
            "{word}"
        );
    }
    for wrong in [
        "enrolment: true",
        "enrolment: 5",
        "credentials: []",
        "credentials: [header]",
        "credentials: [cookie, cookie]",
    ] {
        assert!(with(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_upstream_header_must_be_one_of_ours() {
    let wrong = [
        ("Host: identity.id", "has another purpose"),
        ("X-A: traits.email", "a value is `identity.id`"),
        ("X-A: identity.traits", "a value is `identity.id`"),
        ("'X A': identity.id", "is not a header's name"),
        (
            "X-A: identity.id, x_a: session.id",
            "are one header to some servers",
        ),
    ];
    for (headers, words) in wrong {
        let found = faults_of_rules(&format!("upstream_headers: {{{headers}}}\n"));
        assert!(found[0].contains(words), "{headers}: {found:?}");
    }
}

#[test]
fn a_rule_that_no_request_reaches_is_warned_of() {
    let warnings = |rules: &str| {
        let found = parse(rules).unwrap().warnings;
        found.iter().map(Fault::to_string).collect::<Vec<_>>()
    };
    let covered = "rules:
  - { id: narrow, match: { host: [app.example.test, '*.shop.example.test'], path: /a/** }, require: aal2 }
  - { id: lost, match: { path: [/a/b, /a/*/c] }, require: none }
  - { id: reached, match: { path: /b }, require: none }
";
    let found = warnings(covered);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("s.yaml:9:11: rule `lost` is never reached: `narrow`"),
        "{found:?}"
    );
    assert_eq!(
        warnings(&covered.replace("path: /a/**", "path: /a/**, methods: [GET]")),
        [""; 0]
    );
    assert_eq!(
        warnings(&covered.replace(", '*.shop.example.test'", "")),
        [""; 0]
    );
}

#[test]
fn a_rule_on_kratos_own_paths_is_warned_of() {
    let warnings = |path: &str, require: &str| {
        let rule = format!("rules: [{{id: a, match: {{path: {path}}}, require: {require}}}]");
        parse(&rule).unwrap().warnings.len()
    };
    for path in [
        "/self-service/**",
        "/self-service/settings",
        "/sessions/whoami",
    ] {
        assert_eq!(warnings(path, "aal2"), 1, "{path}");
        assert_eq!(warnings(path, "none"), 0, "{path}");
    }
    assert_eq!(warnings("/self-services", "aal2"), 0);
}

#[test]
fn a_challenge_that_is_guarded_itself_is_refused() {
    let guarded = KRATOS.replace(
        "https://ciam.example.test/.ory/kratos/",
        "https://app.example.test/.ory/kratos",
    );
    let with = |rules: &str| Config::parse("s.yaml", &format!("{}{rules}", guarded.trim_start()));
    let everything = "rules: [{id: all, match: {path: /**}, require: session}]\n";
    let found = with(everything).unwrap_err().to_string();
    assert!(found.starts_with("s.yaml:4:18: `browser_url: https://app.example.test/.ory/kratos` is guarded: rule `all`"), "{found}");
    let open = "rules: [{id: all, match: {path: /**}, require: session}, {id: ory, match: {path: /.ory/**}, require: none}]\n";
    assert!(with(open).is_ok());
}

#[test]
fn a_login_page_at_the_root_is_open_where_its_path_is() {
    let root = KRATOS
        .replace(
            "https://ciam.example.test/.ory/kratos/",
            "https://app.example.test",
        )
        .replace("default: none", "default: deny");
    let open = "rules: [{id: ory, match: {path: /self-service/**}, require: none}]\n";
    let config = Config::parse("s.yaml", &format!("{}{open}", root.trim_start()));
    assert!(config.is_ok(), "{config:?}");
}

#[test]
fn rule_files_are_read_beside_the_file_that_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let main = folder.path().join("stepgate.yaml");
    let load = || Config::load(&main);
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    write(
        "stepgate.yaml",
        &format!(
            "{KRATOS}rule_files: ['rules/*.yaml']\nrules: [{{id: own, match: {{path: /own}}, require: none}}]\n"
        ),
    );
    let found = load().unwrap_err().to_string();
    assert!(found.contains("`rules/*.yaml` names no file"), "{found}");
    write(
        "rules/a.yaml",
        "rules:\n  - {id: a, match: {path: /a}, require: aal2}\n",
    );
    write(
        "rules/b.yaml",
        "rules:\n  - {id: b, match: {path: /b}, require: aal2}\n",
    );
    let ids = |config: &Config| {
        config
            .policy
            .rules
            .rules()
            .iter()
            .map(|rule| rule.id.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&load().unwrap()), ["own", "a", "b"]);
    write(
        "rules/b.yaml",
        "rules:\n  - {id: a, match: {path: b}, require: aal2}\n",
    );
    let found = load().unwrap_err().to_string();
    let lines: Vec<_> = found.lines().collect();
    assert!(
        lines[0].contains("b.yaml:2:10: rule id `a` is taken, at ")
            && lines[0].contains("a.yaml:2"),
        "{found}"
    );
    assert!(
        lines[1].contains("b.yaml:2:27: path pattern `b`"),
        "{found}"
    );
    write("rules/a.yaml", "rules: [\n");
    write("rules/b.yaml", "rulez: []\n");
    assert_eq!(
        load().unwrap_err().iter().count(),
        2,
        "one fault of shape a file"
    );
}

#[test]
fn how_a_kratos_is_called_and_believed_is_understood() {
    let with = |rest: &str| {
        let domain =
            format!("{{api_url: http://k, browser_url: http://b, origins: [http://a], {rest}}}");
        let text = format!("kratos: {{c: {domain}}}\ndefault: none\n");
        Config::parse("s.yaml", &text).map(|config| config.kratos[0].clone())
    };
    let default = with("timeout: 1s").unwrap();
    assert_eq!(default.cache.ttl, Duration::from_secs(1));
    assert_eq!(
        (default.cache.capacity, default.max_in_flight),
        (100_000, 64)
    );
    assert_eq!(default.health.as_deref(), Some("/health/ready"));
    assert!(default.verifies_signed_out);
    let written =
        "cache: {ttl: 0s, capacity: 5}, max_in_flight: 3, health: /ready, signed_out: trust";
    let settings = with(written).unwrap();
    assert_eq!(
        settings.cache,
        cache::Settings {
            ttl: Duration::ZERO,
            capacity: 5
        }
    );
    assert_eq!(
        (settings.max_in_flight, settings.verifies_signed_out),
        (3, false)
    );
    assert_eq!(settings.health.as_deref(), Some("/ready"));
    assert_eq!(with("health: off").unwrap().health, None);
    assert_eq!(with("health: false").unwrap().health, None);
    let wrong = [
        "cache: {ttl: 5}",
        "cache: {capacity: 0}",
        "max_in_flight: 0",
        "max_in_flight: many",
        "health: ready",
        "signed_out: believe",
        "ca_file: /nowhere/ca.pem",
    ];
    for rest in wrong {
        assert!(with(rest).is_err(), "{rest}");
    }
}

#[test]
fn a_rule_may_remember_for_less_or_not_at_all() {
    let cache = |written: &str| {
        let rule =
            format!("rules: [{{id: a, match: {{path: /a}}, require: aal2, cache: {written}}}]");
        parse(&rule).map(|config| config.policy.rules.rules()[0].cache)
    };
    assert_eq!(cache("off").unwrap(), Some(Duration::ZERO));
    assert_eq!(cache("false").unwrap(), Some(Duration::ZERO));
    assert_eq!(cache("250ms").unwrap(), Some(Duration::from_millis(250)));
    assert!(cache("never").is_err());
}

#[test]
fn a_rule_is_enforced_unless_it_is_in_shadow() {
    let rules = |mode: &str| {
        format!(
            "rules: [{{ id: a, match: {{ path: /a }}, require: aal2{mode} }}, {{ id: b, match: {{ path: /b }}, require: aal2 }}]"
        )
    };
    let shadows = |mode: &str| {
        let config = parse(&rules(mode)).unwrap();
        let ids = config.shadows().map(|rule| rule.id.to_string());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(shadows(""), Vec::<String>::new());
    assert_eq!(shadows(", mode: enforce"), Vec::<String>::new());
    assert_eq!(shadows(", mode: shadow"), ["a"]);
    assert_eq!(
        faults_of_rules(&rules(", mode: dry")),
        ["s.yaml:7:60: `mode: dry` is none of `enforce`, `shadow`"]
    );
    let idle = "rules: [{ id: a, match: { path: /a }, require: none, mode: shadow }]";
    let warnings = parse(idle).unwrap().warnings;
    assert!(
        warnings[0].to_string().contains("does nothing"),
        "{warnings:?}"
    );
}

#[test]
fn a_door_may_be_a_socket_file_with_a_mode() {
    use crate::servers::listen::Listen;
    let grpc = |rest: &str| {
        let config = parse(&format!("servers: {{ grpc: {{ listen: {rest} }} }}"))?;
        Ok::<_, Faults>((config.servers.grpc.listen, config.warnings.len()))
    };
    let socket = |mode| Listen::Unix {
        path: "/run/s".into(),
        mode,
    };
    assert_eq!(grpc("'unix:/run/s'").unwrap(), (socket(0o660), 0));
    for (written, mode) in [("0600", 0o600), ("666", 0o666), ("0000", 0)] {
        let rest = format!("'unix:/run/s', socket_mode: '{written}'");
        assert_eq!(grpc(&rest).unwrap(), (socket(mode), 0));
    }
    for written in ["", "0", "00660", "0668", "rw", "1660", "+66"] {
        let fault = grpc(&format!("'unix:/run/s', socket_mode: '{written}'")).unwrap_err();
        assert!(
            fault.to_string().contains("three octal digits"),
            "{written}"
        );
    }
    let idle = grpc("'127.0.0.1:1', socket_mode: '0600'").unwrap();
    assert_eq!(idle.1, 1, "warned of");
    assert!(grpc("'unix:run/s'").is_err());
}

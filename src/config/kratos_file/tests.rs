use super::*;

const STEPGATE: &str = "kratos:
  ciam:
    api_url: http://k
    browser_url: https://ciam.example.test
    origins: [https://app.example.test]
default: none
rules:
  - { id: pay, match: { path: /pay }, require: { aal: aal2, factors: [totp] } }
  - { id: own, match: { path: /own/** }, require: session }
";

/// Nothing is wrong with it.
const KRATOS: &str = "serve: { public: { base_url: https://ciam.example.test/ } }
session:
  whoami: { required_aal: aal1 }
  cookie: { domain: example.test }
selfservice:
  allowed_return_urls: [https://app.example.test]
  methods:
    totp: { enabled: true }
    webauthn: { enabled: false }
  flows:
    login: { ui_url: https://ui.example.test/login }
    settings: { ui_url: https://ui.example.test/settings }
    error: { ui_url: https://ui.example.test/error }
";

fn found(stepgate: &str, kratos: &str) -> Review {
    let config = Config::parse("s.yaml", stepgate).unwrap_or_else(|faults| panic!("{faults}"));
    review(&config, "k.yml", kratos).unwrap_or_else(|faults| panic!("{faults}"))
}

fn problems(from: &str, to: &str) -> Vec<String> {
    assert!(KRATOS.contains(from), "{from}");
    let found = found(STEPGATE, &KRATOS.replace(from, to));
    found.problems.iter().map(Fault::to_string).collect()
}

/// The only problem, where it begins and what it says.
fn is_told(from: &str, to: &str, place: &str, words: &str) {
    let found = problems(from, to);
    assert_eq!(found.len(), 1, "{to}: {found:?}");
    assert!(
        found[0].starts_with(&format!("k.yml:{place}: ")),
        "{found:?}"
    );
    assert!(found[0].contains(words), "{found:?}");
}

#[test]
fn a_configuration_that_fits_has_no_problem_and_no_note() {
    let review = found(STEPGATE, KRATOS);
    assert_eq!((review.problems, review.notes), (vec![], vec![]));
    assert_eq!(&*review.domain, "ciam");
}

#[test]
fn a_level_that_kratos_does_not_have_is_named_with_what_to_do_instead() {
    let at_whoami = "required_aal: aal1 }";
    is_told(
        at_whoami,
        "required_aal: aal2 }",
        "3:27",
        "Write `aal1` here, and ask for the second factor where it is needed, by a rule of Stepgate with `require: aal2`",
    );
    let settings = "settings: { ui_url";
    is_told(
        settings,
        "settings: { required_aal: aal2, ui_url",
        "12:31",
        "Write `highest_available`",
    );
    let login = "login: { ui_url";
    is_told(
        login,
        "login: { required_aal: aal2, ui_url",
        "11:28",
        "Kratos has no `selfservice.flows.login.required_aal`",
    );
    is_told(
        settings,
        "settings: { required_aal: aal1, ui_url",
        "12:31",
        "`required_aal: aal1` opens settings",
    );
    assert_eq!(
        problems(
            settings,
            "settings: { required_aal: highest_available, ui_url"
        ),
        [""; 0]
    );
}

#[test]
fn whoami_that_asks_for_the_highest_level_is_noted() {
    for to in ["required_aal: highest_available }", "x: 1 }"] {
        let review = found(STEPGATE, &KRATOS.replace("required_aal: aal1 }", to));
        assert_eq!((review.problems.len(), review.notes.len()), (0, 1), "{to}");
    }
}

#[test]
fn return_addresses_must_be_allowed_whole_and_as_they_are_written() {
    let allowed = "[https://app.example.test]";
    for good in [
        "['https://*.example.test/']",
        "['HTTPS://App.example.test/']",
        "[https://x.test, https://app.example.test/]",
    ] {
        assert_eq!(problems(allowed, good), [""; 0], "{good}");
    }
    for bad in [
        "[http://app.example.test]",
        "[https://example.test]",
        "['https://app.example.test:443/']",
        "[https://app.example.test.evil.test]",
        "['https://*.app.example.test']",
        "[]",
    ] {
        is_told(
            allowed,
            bad,
            "6:24",
            "add `https://app.example.test/` to `selfservice.allowed_return_urls`",
        );
    }
    is_told(
        allowed,
        "[https://app.example.test/account]",
        "6:25",
        "a part of `https://app.example.test` alone",
    );
    let wild = STEPGATE.replace(
        "[https://app",
        "['https://*.shop.example.test', https://app",
    );
    let count = |allowed: &str| {
        found(
            &wild,
            &KRATOS.replace("[https://app.example.test]", allowed),
        )
        .problems
        .len()
    };
    assert_eq!(
        count("[https://app.example.test, 'https://*.shop.example.test']"),
        0
    );
    assert_eq!(
        count("[https://app.example.test, https://a.shop.example.test]"),
        1
    );
}

#[test]
fn pages_that_a_challenge_needs_must_be_named_and_open() {
    let login = "    login: { ui_url: https://ui.example.test/login }\n";
    is_told(
        login,
        "",
        "11:5",
        "`selfservice.flows.login.ui_url` is missing",
    );
    is_told(
        "https://ui.example.test/login",
        "https://app.example.test/own/login",
        "11:22",
        "is guarded by rule `own` (session)",
    );
    is_told(
        "https://ui.example.test/settings",
        "https://app.example.test/pay",
        "12:25",
        "a rule with `require: session`",
    );
    let open = [
        (
            "https://ui.example.test/settings",
            "https://app.example.test/own/settings",
        ),
        (
            "https://ui.example.test/login",
            "https://app.example.test/login",
        ),
    ];
    for (from, to) in open {
        assert_eq!(problems(from, to), [""; 0], "{to}");
    }
    let off = STEPGATE.replace("    origins", "    enrolment: off\n    origins");
    let settings = "    settings: { ui_url: https://ui.example.test/settings }\n";
    assert_eq!(found(&off, &KRATOS.replace(settings, "")).problems, []);
    assert_eq!(problems(settings, "").len(), 1);
}

#[test]
fn a_second_factor_must_be_on_and_be_one_that_rules_take() {
    let totp = "totp: { enabled: true }";
    is_told(
        totp,
        "totp: { enabled: false }",
        "8:5",
        "no second factor can be given",
    );
    is_told(
        totp,
        "code: { enabled: true }",
        "8:5",
        "no second factor can be given",
    );
    is_told(
        totp,
        "code: { mfa_enabled: true }",
        "8:5",
        "rule `pay` of Stepgate takes `totp` alone",
    );
    is_told(
        totp,
        "lookup_secret: { enabled: true }",
        "8:5",
        "rule `pay`",
    );
}

#[test]
fn a_security_key_must_be_a_second_factor_and_have_an_identifier() {
    let off = "webauthn: { enabled: false }";
    is_told(
        off,
        "webauthn: { enabled: true, config: { passwordless: true } }",
        "9:56",
        "makes a security key a first factor",
    );
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("k.yml").display().to_string();
    let key = |identifier: &str| {
        std::fs::write(folder.path().join("i.json"), format!("{{\"properties\": {{\"traits\": {{\"properties\": {{\"email\": {{\"ory.sh/kratos\": {{\"credentials\": {{\"{identifier}\": {{\"identifier\": true}}}}}}}}}}}}}}}}")).unwrap();
        let text = KRATOS.replace(off, "webauthn: { enabled: true }");
        let text =
            format!("{text}identity: {{ schemas: [{{ id: a, url: 'file://./i.json' }}] }}\n");
        let config = Config::parse("s.yaml", STEPGATE).unwrap();
        review(&config, &name, &text).unwrap()
    };
    let without = key("password");
    assert_eq!(without.problems.len(), 1);
    assert!(
        without.problems[0]
            .message
            .contains("`file://./i.json` marks no trait as the identifier"),
        "{without:?}"
    );
    let with = key("webauthn");
    assert_eq!((with.problems, with.notes), (vec![], vec![]));
    let elsewhere = KRATOS.replace(off, "webauthn: { enabled: true }")
        + "identity: { schemas: [{ id: a, url: 'https://x.test' }] }\n";
    let review = found(STEPGATE, &elsewhere);
    assert_eq!((review.problems.len(), review.notes.len()), (0, 1));
}

#[test]
fn the_cookie_must_have_the_name_and_reach_every_origin() {
    let cookie = "cookie: { domain: example.test }";
    is_told(
        cookie,
        "cookie: { domain: example.test, name: other }",
        "4:41",
        "named `other` here and `ory_kratos_session`",
    );
    is_told(
        cookie,
        "cookie: {}",
        "4:11",
        "stays on `ciam.example.test` and doesn't reach `https://app.example.test`",
    );
    is_told(
        cookie,
        "cookie: { domain: ciam.example.test }",
        "4:21",
        "doesn't reach `https://app.example.test`",
    );
    is_told(
        cookie,
        "cookie: { domain: other.test }",
        "4:21",
        "is not above `ciam.example.test`",
    );
    is_told(
        cookie,
        "cookie: { domain: example.test, path: /app }",
        "4:41",
        "is sent for that path alone",
    );
    let shared =
        KRATOS.replace(cookie, "cookie: {}") + "cookies: { domain: .example.test, path: / }\n";
    assert_eq!(found(STEPGATE, &shared).problems, []);
    let own = shared.replace("cookie: {}", "cookie: { domain: other.test }");
    assert_eq!(
        found(STEPGATE, &own).problems.len(),
        1,
        "the session's own wins"
    );
    let bearer = STEPGATE.replace("    origins", "    credentials: [bearer]\n    origins");
    assert_eq!(
        found(&bearer, &KRATOS.replace(cookie, "cookie: {}")).problems,
        []
    );
}

#[test]
fn the_address_that_browsers_know_must_be_one() {
    is_told(
        "https://ciam.example.test/ ",
        "http://127.0.0.1:4433/ ",
        "1:30",
        "is not `kratos.ciam.browser_url: https://ciam.example.test`",
    );
    let without = KRATOS.replace(
        "serve: { public: { base_url: https://ciam.example.test/ } }\n",
        "",
    );
    assert_eq!(found(STEPGATE, &without).problems, []);
}

#[test]
fn of_two_kratos_the_one_with_this_base_url_is_meant() {
    let second = "kratos:\n  iam: { api_url: http://i, browser_url: https://iam.office.test, origins: [https://desk.office.test] }\n";
    let two = STEPGATE.replace("kratos:\n", second);
    assert_eq!(&*found(&two, KRATOS).domain, "ciam");
    let config = Config::parse("s.yaml", &two).unwrap();
    let faults = review(&config, "k.yml", "{}").unwrap_err().to_string();
    assert!(
        faults.contains("it can't be told whose this is"),
        "{faults}"
    );
}

#[test]
fn what_is_no_yaml_is_a_fault_with_its_place() {
    let config = Config::parse("s.yaml", STEPGATE).unwrap();
    let faults = review(&config, "k.yml", "a: [\n").unwrap_err().to_string();
    assert!(faults.starts_with("k.yml:"), "{faults}");
}

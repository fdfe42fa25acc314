use super::*;

const CONFIG: &str = "config:
  kratos:
    ciam: { api_url: http://kratos:4433, browser_url: https://ciam.test, origins: [https://app.test] }
  default: none
  rules:
    - { id: pay, match: { path: /pay }, require: aal2 }
cases:
";

fn suite(cases: &str) -> Result<Suite, Faults> {
    Suite::parse("c.yaml", &format!("{CONFIG}{cases}"))
}

fn faults(text: &str) -> Vec<String> {
    let faults = Suite::parse("c.yaml", text).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

fn tap(cases: &str) -> (bool, String) {
    let mut out = Vec::new();
    let all_hold = write(&mut out, &[suite(cases).unwrap()]).unwrap();
    (all_hold, String::from_utf8(out).unwrap())
}

#[test]
fn a_case_that_holds_is_one_line() {
    let (all_hold, tap) = tap("  - name: 'pay #1'
    request: { url: 'https://app.test/pay?to=1', headers: { accept: text/html } }
    session: aal1-enrolled
    expect: { decision: step_up, status: 303, reason: session_aal2_required, rule: pay, headers: { x-user-id: null } }
");
    assert!(all_hold, "{tap}");
    assert_eq!(tap, "TAP version 14\n1..1\nok 1 - pay \\#1\n");
}

#[test]
fn a_miss_shows_what_was_wanted_and_what_was_heard() {
    let (all_hold, tap) = tap("  - name: pay
    request: { url: 'https://app.test/pay' }
    expect: { status: 200, location: null, headers: { vary: Cookie } }
");
    assert!(!all_hold);
    let expected = r#"TAP version 14
1..1
not ok 1 - pay
  ---
  at: "c.yaml:8"
  want:
    status: "200"
    location: null
    headers.vary: "Cookie"
  got:
    status: "401"
    location: "https://ciam.test/self-service/login/browser?return_to=https%3A%2F%2Fapp.test%2F"
    headers.vary: "Cookie, Authorization, Accept, Sec-Fetch-Mode"
  answer: { status: 401, decision: "login", reason: "session_inactive", rule: "pay" }
  ...
"#;
    assert_eq!(tap, expected);
}

#[test]
fn an_open_route_must_take_the_header_away_not_just_leave_it() {
    let case = |path: &str, header: &str| {
        tap(&format!(
            "  - {{ name: a, request: {{ url: 'https://app.test{path}' }}, expect: {{ headers: {{ {header}: null }} }} }}\n"
        ))
    };
    assert!(case("/", "x-user-id").0);
    assert!(!case("/", "x-other").0);
    assert!(case("/pay", "x-other").0, "a refusal has no upstream");
}

#[test]
fn a_url_reaches_the_door_as_it_is_written() {
    let suite = suite(
        "  - { name: a, request: { url: 'https://App.test:443//a/../%2f?x#y', method: POST }, expect: { status: 400 } }
  - { name: b, request: { url: 'http://app.test' }, expect: { status: 200 } }
  - { name: c, request: { host: '', target: '*' }, expect: { status: 400 } }
",
    )
    .unwrap();
    let parts = suite.cases.iter().map(|case| {
        let facts = suite.facts(case, "s");
        [facts.method, facts.host, facts.target]
            .map(|part| String::from_utf8(part.to_vec()).unwrap())
    });
    let parts: Vec<_> = parts.collect();
    assert_eq!(parts[0], ["POST", "App.test:443", "//a/../%2f?x#y"]);
    assert_eq!(parts[1], ["GET", "app.test", "/"]);
    assert_eq!(parts[2], ["GET", "", "*"]);
}

#[test]
fn the_credential_goes_where_it_is_named_else_into_the_cookie() {
    let cookies = |session: &str, headers: &str| {
        let suite = suite(&format!("  - {{ name: a, request: {{ url: 'https://app.test/', headers: {{ {headers} }} }}, session: {session}, expect: {{ status: 200 }} }}\n")).unwrap();
        let facts = suite.facts(&suite.cases[0], "s3");
        let lines = facts.headers.all(b"cookie");
        lines
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(cookies("aal1", ""), ["ory_kratos_session=s3"]);
    assert_eq!(cookies("unavailable", ""), ["ory_kratos_session=s3"]);
    assert_eq!(cookies("none", ""), [""; 0]);
    assert_eq!(
        cookies("aal1", "cookie: a=1"),
        ["a=1; ory_kratos_session=s3"]
    );
    assert_eq!(cookies("aal1", "cookie: 'x={session}; b=2'"), ["x=s3; b=2"]);
    assert_eq!(cookies("aal1", "x-session-token: '{session}'"), [""; 0]);
}

#[test]
fn every_fault_of_a_file_is_told_with_its_line() {
    let text = format!(
        "{}  - name: a
    request: {{ url: app.test }}
    session: aal3
    expect: {{}}
    not_for: {{ ftp: why }}
  - name: b
    request: {{}}
    session: {{ aal: aal2, methods: [{{ method: totp, age: soon }}] }}
    expect: {{ status: 200 }}
",
        CONFIG.replace("require: aal2", "require: aal9")
    );
    let lines: Vec<_> = faults(&text)
        .iter()
        .map(|fault| fault.split(':').nth(1).unwrap().parse::<u32>().unwrap())
        .collect();
    assert_eq!(lines, [6, 9, 10, 11, 12, 14, 15]);
}

#[test]
fn an_unknown_key_is_a_fault() {
    for case in [
        "  - { name: a, request: { uri: x }, expect: { status: 200 } }\n",
        "  - { name: a, request: { url: 'https://a/' }, expects: { status: 200 } }\n",
        "  - { name: a, request: { url: 'https://a/' }, expect: { code: 200 } }\n",
        "  - { name: a, request: { url: 'https://a/' }, session: { level: aal1 }, expect: { status: 200 } }\n",
    ] {
        let faults = faults(&format!("{CONFIG}{case}"));
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("c.yaml:8:"), "{faults:?}");
    }
    assert_eq!(faults(&format!("{CONFIG}  []\n")).len(), 1);
}

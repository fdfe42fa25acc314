//! The HTTP door, asked over a socket as each proxy asks, with a Kratos double behind it.

use std::time::Duration;

use demo::kratos::SessionCookie;
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;

use crate::{
    gate::{Gate, Heard, request},
    http::{Answer, ask, send},
};

const RULES: &str = "
  - { id: account, match: { path: /account/** }, require: session }
  - { id: transfer, match: { path: /transfer/** }, require: aal2 }
  - { id: closed, match: { path: /closed }, require: deny }
  - { id: write, match: { path: /item, methods: [POST] }, require: session }
";

/// Each caller's path, in front of the target where it has a prefix.
const CALLERS: [&str; 4] = ["/forward-auth", "/auth-request", "/decisions", "/ext-authz"];

type Lines<'a> = [(&'a str, &'a str)];

/// Asks about a request as this caller does: Traefik's and Caddy's headers, nginx's, or the request's own line.
async fn asked(
    gate: &Gate,
    caller: &str,
    method: &str,
    host: &str,
    target: &str,
    headers: &Lines<'_>,
) -> Answer {
    let url = format!("https://{host}{target}");
    let (line, facts) = match caller {
        "/forward-auth" => (
            ("GET", caller.to_owned()),
            // All that Traefik documents for ForwardAuth, beside the request's own headers.
            vec![
                ("host", "stepgate:4456"),
                ("x-forwarded-method", method),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-host", host),
                ("x-forwarded-uri", target),
                ("x-forwarded-for", "192.0.2.1"),
                ("x-forwarded-port", "443"),
                ("x-forwarded-server", "traefik"),
                ("x-real-ip", "192.0.2.1"),
                ("user-agent", "Go-http-client/1.1"),
            ],
        ),
        "/auth-request" => (
            ("GET", caller.to_owned()),
            vec![
                ("host", "stepgate"),
                ("x-original-method", method),
                ("x-original-url", url.as_str()),
            ],
        ),
        prefix => ((method, format!("{prefix}{target}")), vec![("host", host)]),
    };
    let lines = [&facts[..], headers].concat();
    ask(gate.http, line.0, &line.1, &lines).await
}

/// What the answer to nginx stands for.
fn unmapped(caller: &str, answer: &Answer) -> u16 {
    let status = answer.header("x-stepgate-status");
    if caller != "/auth-request" || answer.status == 200 {
        assert_eq!(status, None);
        return answer.status;
    }
    let is_challenge =
        answer.header("location").is_some() || answer.header("www-authenticate").is_some();
    assert_eq!(answer.status, if is_challenge { 401 } else { 403 });
    status.unwrap().parse().unwrap()
}

#[tokio::test]
async fn every_caller_hears_what_envoy_hears_over_grpc() {
    let gate = Gate::start(RULES).await;
    let plain = gate.double.sign_in("plain@app.test").unwrap().header();
    let aal1 = gate.double.sign_in("totp@app.test").unwrap();
    let aal2 = gate.double.sign_in("totp@app.test").unwrap();
    let aal2 = gate.double.step_up(&aal2, "totp").unwrap().header();
    let [page, script] = [("accept", "text/html"), ("accept", "application/json")];
    let origin = ("origin", "https://app.test");
    let asks = ("access-control-request-method", "POST");
    let cookie = |cookie| [page, ("cookie", cookie), ("x-request-id", "one")];
    let aal1 = aal1.header();
    let [aal1, aal2, plain] = [cookie(&aal1), cookie(&aal2), cookie(&plain)];
    let [page, script] = [page, script].map(|kind| [kind, ("x-request-id", "one")]);
    let socket = [page[1], ("connection", "upgrade"), ("upgrade", "websocket")];
    let grpc = [page[1], ("content-type", "application/grpc")];
    let preflight = [page[1], origin, asks];
    let cases: [(&str, &str, &str, &Lines<'_>); 27] = [
        ("GET", "app.test", "/", &page),
        ("HEAD", "app.test", "/", &page),
        ("GET", "app.test", "/account", &page),
        ("GET", "app.test", "/account?a=1&b=%2F", &script),
        ("HEAD", "app.test", "/account", &page),
        ("POST", "app.test", "/account", &page),
        ("GET", "app.test", "/account", &aal1),
        ("GET", "app.test", "/transfer/a%20b", &page),
        ("GET", "app.test", "/transfer", &aal1),
        ("GET", "app.test", "/transfer", &plain),
        ("GET", "app.test", "/transfer", &aal2),
        ("GET", "app.test", "//transfer/", &plain),
        ("GET", "app.test", "/closed", &aal2),
        ("GET", "app.test", "/closed", &script),
        ("GET", "app.test", "/item", &page),
        ("POST", "app.test", "/item", &script),
        ("OPTIONS", "app.test", "/account", &preflight),
        ("OPTIONS", "app.test", "/account", &page),
        ("OPTIONS", "app.test", "/closed", &preflight),
        ("GET", "app.test", "/account", &socket),
        ("POST", "app.test", "/account", &grpc),
        ("GET", "APP.test.:443", "/account", &page),
        ("GET", "other.test", "/", &page),
        ("GET", "app.test", "/a/%2e%2e/account", &page),
        ("GET", "app.test", "/a%2faccount", &script),
        ("get", "app.test", "/", &script),
        ("GET", "app_x.test", "/", &script),
    ];
    for (method, host, target, headers) in cases {
        let envoy = gate.ask(method, host, target, headers).await;
        for caller in CALLERS {
            let case = format!("{caller}: {method} {host}{target} {headers:?}");
            let heard = asked(&gate, caller, method, host, target, headers).await;
            assert_same(&heard, &envoy, caller, &case);
            let is_head = method == "HEAD" && ["/decisions", "/ext-authz"].contains(&caller);
            assert_eq!(heard.body, if is_head { "" } else { &envoy.body }, "{case}");
        }
    }
}

fn assert_same(heard: &Answer, envoy: &Heard, caller: &str, case: &str) {
    assert_eq!(i32::from(unmapped(caller, heard)), envoy.status, "{case}");
    assert_eq!(heard.reason(), envoy.reason(), "{case}");
    // The mark in a cookie holds the second it was made in.
    let comparable = |name: &str, value: &str| match (name, value.split_once('=')) {
        ("set-cookie", Some((cookie, _))) => cookie.to_owned(),
        _ => value.to_owned(),
    };
    for (name, value) in &envoy.headers {
        let ours = heard.header(name).map(|value| comparable(name, value));
        assert_eq!(ours, Some(comparable(name, value)), "{case}");
    }
    for name in &envoy.removed {
        assert_eq!(heard.header(name), Some(""), "{case}");
    }
}

#[tokio::test]
async fn an_allow_is_200_and_empty_and_names_every_identity_header() {
    let gate = Gate::start(RULES).await;
    let cookie = gate.double.sign_in("totp@app.test").unwrap();
    for caller in CALLERS {
        let headers = [("cookie", &*cookie.header())];
        let known = asked(&gate, caller, "GET", "app.test", "/account", &headers).await;
        assert_eq!((known.status, &*known.body), (200, ""), "{caller}");
        assert_eq!(known.header("content-length"), Some("0"));
        assert_eq!(known.header("x-user-aal"), Some("aal1"));
        assert_eq!(known.header("x-user-id").map(str::len), Some(36));
        assert_eq!(known.header("x-envoy-auth-headers-to-remove"), None);
        let open = asked(&gate, caller, "GET", "app.test", "/", &headers).await;
        assert_eq!(open.header("x-user-aal"), Some(""));
        assert_eq!(open.header("x-user-id"), Some(""));
        let removed = open.header("x-envoy-auth-headers-to-remove");
        let is_envoy = caller == "/ext-authz";
        assert_eq!(removed, is_envoy.then_some("x-user-id,x-user-aal"));
    }
}

#[tokio::test]
async fn the_mark_of_a_challenge_is_set_and_cleared_again() {
    let gate = Gate::start(RULES).await;
    let session = gate.double.sign_in("totp@app.test").unwrap().header();
    for caller in CALLERS {
        let page = [("accept", "text/html")];
        let challenge = asked(&gate, caller, "GET", "app.test", "/account", &page).await;
        let mark = challenge.header("set-cookie").unwrap();
        let mark = mark.split(';').next().unwrap();
        assert!(mark.starts_with("stepgate_marker="), "{challenge:?}");
        let cookies = format!("{session}; {mark}");
        let marked = [page[0], ("cookie", &cookies)];
        let allow = asked(&gate, caller, "GET", "app.test", "/account", &marked).await;
        let cleared = allow.header("set-cookie").unwrap();
        assert_eq!(allow.status, 200);
        assert!(cleared.starts_with("stepgate_marker=;"), "{cleared}");
    }
}

#[tokio::test]
async fn forged_identity_is_overwritten_or_refused() {
    let gate = Gate::start(RULES).await;
    let exact = [("X-User-Id", "root"), ("x-user-aal", "aal2")];
    let forged: [(&Lines<'_>, [u16; 4]); 4] = [
        (&exact, [200, 200, 400, 400]),
        (&exact[..1], [200, 200, 400, 400]),
        (&[("X_User_Id", "root")], [400; 4]),
        (&[("x-user.AAL", "aal2")], [400; 4]),
    ];
    for (headers, statuses) in forged {
        for (caller, status) in CALLERS.into_iter().zip(statuses) {
            let heard = asked(&gate, caller, "GET", "app.test", "/", headers).await;
            assert_eq!(unmapped(caller, &heard), status, "{caller} {headers:?}");
            let reason = if status == 400 {
                "request_malformed"
            } else {
                ""
            };
            assert_eq!(heard.reason(), reason);
            if status == 200 {
                assert_eq!(heard.header("x-user-id"), Some(""), "it overwrites");
            }
        }
    }
}

const FACTS: [(&str, &Lines<'_>); 4] = [
    (
        "/forward-auth",
        &[
            ("X-Forwarded-Method", "GET"),
            ("X-Forwarded-Host", "app.test"),
            ("X-Forwarded-Uri", "/"),
        ],
    ),
    (
        "/auth-request",
        &[
            ("X-Original-Method", "GET"),
            ("X-Original-URL", "https://app.test/"),
        ],
    ),
    ("/decisions/", &[("Host", "app.test")]),
    ("/ext-authz/", &[("Host", "app.test")]),
];

async fn assert_malformed(gate: &Gate, path: &str, lines: &Lines<'_>) {
    let heard = ask(gate.http, "GET", path, lines).await;
    let status = unmapped(path, &heard);
    let case = format!("{path} {lines:?}");
    assert_eq!(
        (status, heard.reason()),
        (400, "request_malformed"),
        "{case}"
    );
}

#[tokio::test]
async fn a_fact_that_is_missing_or_comes_twice_is_400() {
    let gate = Gate::start("  []").await;
    for (path, lines) in FACTS {
        assert_eq!(ask(gate.http, "GET", path, lines).await.status, 200);
        for at in 0..lines.len() {
            let mut rest = lines.to_vec();
            let fact = rest.remove(at);
            let with = |more: &Lines<'static>| [&rest, more].concat();
            assert_malformed(&gate, path, &rest).await;
            assert_malformed(&gate, path, &with(&[fact, fact])).await;
            assert_malformed(&gate, path, &with(&[(fact.0, "")])).await;
            assert_malformed(&gate, path, &with(&[(fact.0, "GET, app.test, /")])).await;
        }
    }
}

#[tokio::test]
async fn the_facts_of_another_caller_are_none() {
    let gate = Gate::start("  []").await;
    let [forwarded, original, decisions, _] = FACTS.map(|(_, lines)| lines);
    let both = [original, decisions].concat();
    for (path, lines) in [
        ("/forward-auth", &both[..]),
        ("/auth-request", forwarded),
        ("/decisions/", forwarded),
        ("/ext-authz/", original),
        ("/decisions", decisions),
        ("/ext-authz?/", decisions),
    ] {
        assert_malformed(&gate, path, lines).await;
    }
    // A path alone names no host, and the subrequest's own is not asked.
    let alone = [("x-original-method", "GET"), ("x-original-url", "/")];
    assert_malformed(&gate, "/auth-request", &[&alone, decisions].concat()).await;
}

#[tokio::test]
async fn hostile_requests_are_refused_by_every_caller() {
    let gate = Gate::start(RULES).await;
    let long = format!("/{}", "a".repeat(8192));
    let hosts = [
        "app.test",
        "app.test/transfer",
        "app.test\\",
        "a@app.test",
        "app.test:0",
        "app.test, app.test",
        "",
        "app test",
        "app..test",
        "app.test?",
        "app.test%2f",
    ];
    let targets = [
        "/",
        "/../account",
        "/./",
        "/%2e%2e/account",
        "/.%2E/account",
        "/a%2Faccount",
        "/a%5caccount",
        "/a\\account",
        "/a%00",
        "/a%0d%0a",
        "/%252e%252e/a",
        "/a%",
        "/a;b",
        "/?_method=DELETE",
        "*",
        "account",
        &long,
    ];
    let hostile = hosts.iter().skip(1).map(|host| (*host, "/"));
    let hostile = hostile.chain(targets.iter().skip(1).map(|target| ("app.test", *target)));
    for (host, target) in hostile {
        for caller in CALLERS {
            if caller == "/auth-request" && host.contains('/') {
                // In a URL it is a path; nginx takes no such host, which `proxies` shows.
                continue;
            }
            let heard = asked(&gate, caller, "GET", host, target, &[]).await;
            let status = if heard.status == 404 {
                404
            } else {
                unmapped(caller, &heard)
            };
            let is_refused = matches!(status, 400 | 404 | 421);
            assert!(is_refused, "{caller} {host} {target}: {heard:?}");
            assert!(!heard.body.contains("account"), "no echo");
        }
    }
}

#[tokio::test]
async fn what_envoy_joins_or_masks_is_refused_where_an_envoy_may_ask() {
    let gate = Gate::start(RULES).await;
    let joined = [("cookie", "a=1,ory_kratos_session=x")];
    for caller in CALLERS {
        let may_be_envoy = ["/decisions", "/ext-authz"].contains(&caller);
        let masked = asked(&gate, caller, "GET", "app.test", "/transfer!", &[]).await;
        let expected = if may_be_envoy { 400 } else { 200 };
        assert_eq!(unmapped(caller, &masked), expected, "{caller}");
        let heard = asked(&gate, caller, "GET", "app.test", "/account", &joined).await;
        let expected = if may_be_envoy {
            "session_ambiguous"
        } else {
            "session_inactive"
        };
        assert_eq!(heard.reason(), expected, "{caller}");
    }
}

#[tokio::test]
async fn a_fragment_is_refused_wherever_it_stands() {
    let gate = Gate::start(RULES).await;
    for target in ["/#", "/a#/../account", "/a?b#c"] {
        for caller in CALLERS {
            let heard = asked(&gate, caller, "GET", "app.test", target, &[]).await;
            let status = if heard.header("x-stepgate-status").is_some() {
                unmapped(caller, &heard)
            } else {
                heard.status
            };
            assert_eq!(status, 400, "{caller} {target}: {heard:?}");
        }
    }
    let second = "GET /decisions/ HTTP/1.1\r\nhost: app.test\r\n\r\nGET /decisions/#x HTTP/1.1\r\nhost: app.test\r\n\r\n";
    let heard = send(gate.http, second.as_bytes()).await;
    let statuses: Vec<_> = heard.matches("HTTP/1.1 ").collect();
    assert!(
        heard.starts_with("HTTP/1.1 200") && heard.contains("HTTP/1.1 400"),
        "{heard}"
    );
    assert_eq!(statuses.len(), 2);
}

#[tokio::test]
async fn other_paths_are_not_found() {
    let gate = Gate::start("  []").await;
    for target in [
        "/",
        "/decision/a",
        "/decisionsa",
        "/forward-auth/",
        "/auth-request/a",
        "/Forward-Auth",
        "//decisions/",
        "/%64ecisions/",
        "http://app.test/decisions/",
        "*",
    ] {
        let lines = [("host", "app.test"), ("x-forwarded-method", "GET")];
        let heard = ask(gate.http, "GET", target, &lines).await;
        assert_eq!((heard.status, &*heard.body), (404, ""), "{target}");
    }
}

#[tokio::test]
async fn a_peer_that_is_not_trusted_is_told_so_and_nothing_else() {
    let servers = "servers: { admin: { listen: off }, grpc: { listen: '127.0.0.1:0' }, http: { listen: '127.0.0.1:0', trusted_proxies: [192.0.2.0/24] } }";
    let gate = Gate::start_behind(RULES, servers).await;
    let cookie = gate.double.sign_in("totp@app.test").unwrap();
    for caller in CALLERS {
        for path in ["/", "/account", "/closed", "/../x"] {
            let headers = [
                ("cookie", &*cookie.header()),
                ("x-forwarded-for", "192.0.2.1"),
            ];
            let heard = asked(&gate, caller, "GET", "app.test", path, &headers).await;
            let status = unmapped(caller, &heard);
            assert_eq!(
                (status, heard.reason()),
                (403, "peer_untrusted"),
                "{caller}"
            );
            assert_eq!(heard.location(), "");
        }
    }
    assert_eq!(gate.double.whoami_calls(), 0);
}

#[tokio::test]
async fn a_body_is_not_read_and_ends_the_connection() {
    let gate = Gate::start(RULES).await;
    let head = "POST /decisions/item HTTP/1.1\r\nhost: app.test\r\ncontent-length: 44\r\n\r\n";
    let body = "GET /decisions/ HTTP/1.1\r\nhost: app.test\r\n\r\n";
    let heard = send(gate.http, format!("{head}{body}").as_bytes()).await;
    assert_eq!(heard.matches("HTTP/1.1 ").count(), 1, "{heard}");
    let answer = Answer::parse(&heard);
    assert_eq!((answer.status, answer.reason()), (401, "session_inactive"));
    assert_eq!(answer.header("connection"), Some("close"));
}

#[tokio::test]
async fn heads_have_a_bound_in_size_and_number() {
    let gate = Gate::start("  []").await;
    let big = "a".repeat(256 * 1024);
    let heard = ask(
        gate.http,
        "GET",
        "/decisions/",
        &[("host", "app.test"), ("x", &big)],
    )
    .await;
    assert_eq!(heard.status, 431);
    let many = vec![("x", "y"); 301];
    assert_eq!(
        ask(gate.http, "GET", "/decisions/", &many).await.status,
        431
    );
    let cookie = format!("a={}", "a".repeat(32 * 1024));
    let lines = [("host", "app.test"), ("cookie", &cookie)];
    assert_eq!(
        ask(gate.http, "GET", "/decisions/", &lines).await.status,
        200
    );
}

#[tokio::test]
async fn garbage_gets_a_refusal_or_an_end() {
    let gate = Gate::start("  []").await;
    for bytes in [
        &b"\0\xff\xfe\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET /decisions/ HTTP/0.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /decisions/ HTTP/1.1\r\nhost: a\r\n b\r\n\r\n",
        b"GET /decisions/ HTTP/1.1\r\nhost : app.test\r\n\r\n",
        b"CONNECT app.test:443 HTTP/1.1\r\nhost: app.test\r\nconnection: close\r\n\r\n",
        b"POST /decisions/ HTTP/1.1\r\nhost: app.test\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "GET /decisions/\u{e9} HTTP/1.1\r\nhost: app.test\u{e9}\r\nconnection: close\r\n\r\n".as_bytes(),
    ] {
        let heard = send(gate.http, bytes).await;
        assert!(!heard.starts_with("HTTP/1.1 2"), "{heard}");
    }
    assert_eq!(
        ask(gate.http, "GET", "/decisions/", &[("host", "app.test")])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_door_holds_so_many_connections_and_no_more() {
    let servers = "servers: { admin: { listen: off }, grpc: { listen: '127.0.0.1:0', max_connections: 1 }, http: { listen: '127.0.0.1:0', max_connections: 2 } }";
    let gate = Gate::start_behind("  []", servers).await;
    let get = b"GET /decisions/ HTTP/1.1\r\nhost: app.test\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = tokio::net::TcpStream::connect(gate.http).await.unwrap();
        assert!(answers(&mut stream, get).await);
        held.push(stream);
    }
    let mut third = tokio::net::TcpStream::connect(gate.http).await.unwrap();
    assert!(!answers(&mut third, get).await, "closed at once");
    assert!(answers(&mut held[0], get).await, "those inside stay");
    held.pop();
    let again = async {
        loop {
            let mut stream = tokio::net::TcpStream::connect(gate.http).await.unwrap();
            if answers(&mut stream, get).await {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), again)
        .await
        .unwrap();
    // The gate's own client holds the only place of the other door.
    assert_eq!(gate.ask("GET", "app.test", "/", &[]).await.status, 200);
    let check = request("GET", "app.test", "/", &[]);
    let is_answered = match AuthorizationClient::connect(gate.url.clone()).await {
        Ok(mut second) => second.check(check).await.is_ok(),
        Err(_) => false,
    };
    assert!(!is_answered);
}

/// Whether a request on this connection is answered.
async fn answers(stream: &mut tokio::net::TcpStream, request: &[u8]) -> bool {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut buffer = [0; 1024];
    let _ = stream.write_all(request).await;
    matches!(stream.read(&mut buffer).await, Ok(read) if read > 0)
}

#[tokio::test]
async fn both_doors_stop_when_told_and_idle_connections_do_not_hold_them_up() {
    let gate = Gate::start("  []").await;
    let mut idle = tokio::net::TcpStream::connect(gate.http).await.unwrap();
    assert!(
        answers(
            &mut idle,
            b"GET /decisions/ HTTP/1.1\r\nhost: app.test\r\n\r\n"
        )
        .await
    );
    gate.stop.send_replace(true);
    let served = tokio::time::timeout(Duration::from_secs(5), gate.served).await;
    served.unwrap().unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(gate.http).await.is_err());
}

#[tokio::test]
async fn kratos_out_of_reach_closes_every_guarded_route() {
    let gate = Gate::start(RULES).await;
    let cookie: SessionCookie = gate.double.sign_in("totp@app.test").unwrap();
    let (http, double) = (gate.http, gate.double);
    double.stop().await;
    let lines = [("host", "app.test"), ("cookie", &*cookie.header())];
    for prefix in ["/decisions", "/ext-authz"] {
        let heard = ask(http, "GET", &format!("{prefix}/account"), &lines).await;
        assert_eq!((heard.status, heard.reason()), (503, "kratos_unavailable"));
        assert_eq!(heard.header("retry-after"), Some("1"));
        let open = ask(http, "GET", &format!("{prefix}/"), &lines).await;
        assert_eq!(open.status, 200);
    }
}

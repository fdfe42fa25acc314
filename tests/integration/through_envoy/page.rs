//! Browser navigations.

use demo::story::Http;

use super::{
    BOTH, Way,
    app::PAGE,
    wire::{Ask, Heard},
};

const ACCEPT: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
const NAVIGATE: (&str, &str) = ("sec-fetch-mode", "navigate");

/// A navigation that is refused, and with what.
struct Case {
    host: &'static str,
    target: &'static str,
    cookie: Option<String>,
    status: u16,
    reason: &'static str,
    /// Where Kratos is asked to start, on a GET; where it goes back to is added.
    flow: Option<&'static str>,
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_page_reaches_the_app_whole_and_once() {
    let way = Way::open().await;
    let cookie = way.sessions().aal2.header();
    for http in BOTH {
        for (method, target, body) in [
            ("GET", "/transfer?to=Hermes&amount=250", ""),
            ("HEAD", "/transfer?to=Hermes", ""),
            ("POST", "/transfer", "to=Hermes&amount=250"),
        ] {
            let ask = Ask {
                body,
                ..way.ask(method, target, &[ACCEPT, ("cookie", &cookie)])
            };
            let heard = way.hear(http, &ask).await;
            let page = if method == "HEAD" { "" } else { PAGE };
            assert_eq!((heard.status, &*heard.body), (200, page), "{method} {http}");
            assert_eq!(heard.all("set-cookie"), ["app=own; Path=/"]);
            assert_eq!(heard.header("x-stepgate-reason"), "");
            let [seen] = way.app.received().try_into().unwrap();
            assert_eq!((&*seen.method, &*seen.target), (method, target));
            assert_eq!(seen.body, body);
            assert_eq!(seen.all("cookie"), [&*cookie]);
            assert_eq!(seen.all("x-user-aal"), ["aal2"]);
        }
    }
    way.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_page_is_a_redirect_or_a_page_and_reaches_nobody() {
    let mut way = Way::open().await;
    for http in BOTH {
        for case in cases(&way) {
            refused(&way, http, &case).await;
        }
    }
    let cookie = way.sessions().aal2.header();
    way.stage.stop_kratos().await;
    for http in BOTH {
        let gone = case("/transfer", Some(&cookie), 503, "kratos_unavailable", None);
        let heard = refused(&way, http, &gone).await;
        assert_eq!(heard.header("retry-after"), "1");
    }
    way.stage.stop().await;
}

fn case(
    target: &'static str,
    cookie: Option<&str>,
    status: u16,
    reason: &'static str,
    flow: Option<&'static str>,
) -> Case {
    Case {
        host: "app",
        target,
        cookie: cookie.map(str::to_owned),
        status,
        reason,
        flow,
    }
}

fn cases(way: &Way) -> Vec<Case> {
    let sessions = way.sessions();
    let [aal1, plain, stale] =
        [sessions.aal1, sessions.plain, sessions.stale].map(|cookie| cookie.header());
    let step_up = Some("login/browser?aal=aal2&refresh=true");
    let settings = Some("settings/browser");
    let enrol = "session_aal2_enrolment_required";
    let two = format!("{aal1}; {plain}");
    vec![
        case(
            "/account?a=1&b=%20",
            None,
            303,
            "session_inactive",
            Some("login/browser"),
        ),
        case(
            "/transfer?to=%C3%A9",
            Some(&aal1),
            303,
            "session_aal2_required",
            step_up,
        ),
        case("/transfer", Some(&plain), 303, enrol, settings),
        case(
            "/recent",
            Some(&stale),
            303,
            "session_refresh_required",
            step_up,
        ),
        case("/closed", Some(&aal1), 403, "access_denied", None),
        case("/account;hostile", None, 400, "request_malformed", None),
        case("/account", Some(&two), 400, "session_ambiguous", None),
        Case {
            host: "refuse",
            ..case("/transfer", Some(&plain), 403, enrol, None)
        },
        Case {
            host: "other",
            ..case("/", None, 421, "host_unknown", None)
        },
    ]
}

/// GET, HEAD and POST: the same answer, but for where a challenge leads back to; the GET's is returned.
async fn refused(way: &Way, http: Http, case: &Case) -> Heard {
    let mut headers = vec![ACCEPT, NAVIGATE];
    headers.extend(case.cookie.as_deref().map(|cookie| ("cookie", cookie)));
    let ask = |method, body| Ask {
        host: way.host(case.host),
        body,
        ..way.ask(method, case.target, &headers)
    };
    let get = way.refused(http, &ask("GET", "")).await;
    holds(way, case, &get, case.target);
    assert_eq!(get.body.is_empty(), case.status == 303, "{}", get.body);
    let head = way.refused(http, &ask("HEAD", "")).await;
    holds(way, case, &head, case.target);
    assert_eq!(head.body, "", "{} has a body on HEAD", case.target);
    let post = way.refused(http, &ask("POST", "to=Hermes")).await;
    holds(way, case, &post, "/");
    get
}

fn holds(way: &Way, case: &Case, heard: &Heard, back_to: &str) {
    let told = (heard.status, heard.header("x-stepgate-reason"));
    assert_eq!(told, (case.status, case.reason), "{}", case.target);
    let location = case.flow.map(|flow| way.flow(flow, back_to));
    assert_eq!(heard.header("location"), location.unwrap_or_default());
    // The loop guard's marker, and nothing else, with each challenge.
    let cookies = heard.all("set-cookie");
    let markers = cookies
        .iter()
        .filter(|cookie| cookie.starts_with("stepgate_marker="))
        .count();
    assert_eq!(markers, usize::from(case.flow.is_some()), "{heard:?}");
    let ends_both = case.reason == "session_ambiguous";
    assert_eq!(
        cookies.len() - markers,
        if ends_both { 3 } else { 0 },
        "{heard:?}"
    );
    if case.status == 303 {
        return;
    }
    assert_eq!(heard.header("content-type"), "text/html; charset=utf-8");
    assert!(
        heard
            .header("content-security-policy")
            .contains("default-src 'none'")
    );
    if !heard.body.is_empty() {
        assert_eq!(heard.header("content-length"), heard.body.len().to_string());
        assert!(heard.body.contains(case.reason) && heard.body.trim_end().ends_with("</html>"));
        assert!(!heard.body.contains("hostile"), "{}", heard.body);
    }
}

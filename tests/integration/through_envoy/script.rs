//! Calls of a page's script.

use demo::kratos::SessionCookie;
use serde_json::Value;

use super::{BOTH, Way};

const CORS: (&str, &str) = ("sec-fetch-mode", "cors");

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_script_gets_json_whole_and_may_read_it() {
    let mut way = Way::open().await;
    let sessions = way.sessions();
    let [aal1, plain, stale] =
        [&sessions.aal1, &sessions.plain, &sessions.stale].map(SessionCookie::header);
    let step_up = Some("login/browser?aal=aal2&refresh=true");
    let cases = [
        (
            "/account",
            "",
            401,
            "session_inactive",
            Some("login/browser"),
        ),
        ("/transfer", &*aal1, 403, "session_aal2_required", step_up),
        (
            "/transfer",
            &plain,
            403,
            "session_aal2_enrolment_required",
            Some("settings/browser"),
        ),
        ("/recent", &stale, 403, "session_refresh_required", step_up),
        ("/closed", "", 403, "access_denied", None),
        ("/account;hostile", "", 400, "request_malformed", None),
    ];
    for http in BOTH {
        for (target, cookie, status, reason, flow) in cases {
            let location = flow.map(|flow| way.flow(flow, "/"));
            for method in ["GET", "POST", "DELETE"] {
                hears(
                    &way,
                    http,
                    (method, target, cookie),
                    (status, reason, location.as_deref()),
                )
                .await;
            }
        }
    }
    way.stage.stop_kratos().await;
    for http in BOTH {
        hears(
            &way,
            http,
            ("GET", "/account", "ory_kratos_session=unknown"),
            (503, "kratos_unavailable", None),
        )
        .await;
    }
    way.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_brought_back_to_the_page_it_names() {
    let way = Way::open().await;
    let page = format!("{}/account?tab=2", way.origin());
    let headers = [CORS, ("x-return-to", &*page)];
    let heard = way
        .refused(BOTH[0], &way.ask("POST", "/transfer", &headers))
        .await;
    let body: Value = serde_json::from_str(&heard.body).unwrap();
    let flow = way.flow("login/browser", "/account?tab=2");
    assert_eq!(body["redirect_browser_to"], flow);
    way.stage.stop().await;
}

async fn hears(
    way: &Way,
    http: demo::story::Http,
    (method, target, cookie): (&str, &str, &str),
    (status, reason, location): (u16, &str, Option<&str>),
) {
    let origin = way.origin();
    let headers = [CORS, ("origin", &origin), ("cookie", cookie)];
    let heard = way.refused(http, &way.ask(method, target, &headers)).await;
    let told = (heard.status, heard.header("x-stepgate-reason"));
    assert_eq!(told, (status, reason), "{method} {target}");
    assert_eq!(heard.header("content-type"), "application/json");
    assert_eq!(heard.header("location"), "");
    assert_eq!(heard.header("content-length"), heard.body.len().to_string());
    let body: Value = serde_json::from_str(&heard.body).unwrap();
    let member = |at| body.pointer(at).unwrap_or(&Value::Null);
    for at in ["/error/id", "/error_id"] {
        assert_eq!(member(at), reason, "{at}");
    }
    assert_eq!(*member("/error/code"), status);
    assert_eq!(member("/redirect_browser_to").as_str(), location);
    assert_eq!(member("/request_id"), heard.header("x-request-id"));
    assert!(!heard.body.contains("hostile"), "{}", heard.body);
    if status != 400 {
        assert_eq!(heard.header("access-control-allow-origin"), origin);
        assert_eq!(heard.header("access-control-allow-credentials"), "true");
    }
}

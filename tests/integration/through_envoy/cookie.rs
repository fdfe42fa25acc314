//! Cookies in every form that reaches Envoy: two lines, crumbs of HTTP/2, and huge ones; in both header modes.

use demo::stage::StageOptions;
use demo::story::Http;

use super::Way;

const PAGE: (&str, &str) = ("accept", "text/html");

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_found_in_raw_headers() {
    forms(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_found_in_joined_headers() {
    forms(false).await;
}

async fn forms(encode_raw_headers: bool) {
    let options = StageOptions {
        encode_raw_headers,
        ..StageOptions::default()
    };
    let way = Way::with(options).await;
    let sessions = way.sessions();
    let [session, other] = [sessions.aal1, sessions.plain].map(|cookie| cookie.header());
    let joined = "400 session_ambiguous";
    // Two lines of HTTP/1.1, which Envoy joins by a comma unless it sends them raw.
    let lines = if encode_raw_headers { "200 " } else { joined };
    for (http, lines) in [(Http::One, lines), (Http::Two, "200 ")] {
        let crumbs = ["theme=dark", &session, "a=b"];
        assert_eq!(told(&way, http, &crumbs).await, lines, "{http}");
        assert_eq!(told(&way, http, &[&session, &session]).await, lines);
        assert_eq!(told(&way, http, &[&session, &other]).await, joined);
        huge(&way, http, &session).await;
    }
    // Envoy counts each crumb as a header: the 180 cookies that a browser keeps of a site must fit.
    let many = [&["a=b"; 180][..], &[&session]].concat();
    assert_eq!(told(&way, Http::Two, &many).await, "200 ");
    way.stage.stop().await;
}

/// What a page is answered for these cookies, each in a header of its own.
async fn told(way: &Way, http: Http, cookies: &[&str]) -> String {
    let cookies = cookies.iter().map(|cookie| ("cookie", *cookie));
    let headers: Vec<_> = [PAGE].into_iter().chain(cookies).collect();
    let heard = way.hear(http, &way.ask("GET", "/account", &headers)).await;
    let reached = way.app.received().len();
    assert_eq!(reached, usize::from(heard.status == 200));
    format!("{} {}", heard.status, heard.header("x-stepgate-reason"))
}

/// 16 KiB of other cookies are no matter; beyond 60 KiB Envoy refuses by itself: by 431, or by ending the stream.
async fn huge(way: &Way, http: Http, session: &str) {
    let too_much = (http == Http::One).then_some(431);
    for (kib, status) in [(16, Some(200)), (58, Some(200)), (61, too_much)] {
        let cookie = format!("ballast={}; {session}", "x".repeat(kib * 1024));
        let ask = way.ask("GET", "/account", &[("cookie", &cookie)]);
        let heard = ask.send(http, way.envoy()).await;
        assert_eq!(heard.map(|heard| heard.status), status, "{kib} KiB, {http}");
        let reached = way.app.received();
        let cookies: Vec<_> = reached.iter().flat_map(|seen| seen.all("cookie")).collect();
        let whole = (status == Some(200)).then_some(&*cookie);
        assert_eq!(cookies, whole.as_slice());
    }
}

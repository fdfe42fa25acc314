//! Forms that Envoy sends along: kept where they meet a challenge, and let through byte for byte where they don't.

use demo::story::Http;

use super::{BOTH, Way, wire::Ask};

const KIB: usize = 1024;
const URLENCODED: &str = "application/x-www-form-urlencoded";

/// A POST of a page on this very origin.
fn post<'a>(way: &Way, lines: &[(&'a str, &'a str)], body: &'a str) -> Ask<'a> {
    let own = [
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-site", "same-origin"),
    ];
    let headers = [&own[..], lines].concat();
    Ask {
        body,
        ..way.ask("POST", "/form?a=1", &headers)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_kept_by_a_page_that_arrives_whole() {
    let way = Way::open().await;
    let (cookie, origin) = (way.sessions().aal1.header(), way.origin());
    let multipart = "multipart/form-data; boundary=b";
    let large = format!(
        "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{}\r\n--b--\r\n",
        "\u{7f}".repeat(63 * KIB)
    );
    let forms = [
        (
            URLENCODED,
            "to=B%C3%A4cker&note=%0D%0A&note=",
            "to=B%C3%A4cker&note=%0D%0A&note=",
        ),
        (multipart, large.as_str(), "a=%7F%7F"),
    ];
    for http in BOTH {
        for (content_type, body, kept) in forms {
            let lines = [
                ("cookie", &*cookie),
                ("origin", &origin),
                ("content-type", content_type),
            ];
            let heard = way.refused(http, &post(&way, &lines, body)).await;
            assert_eq!(
                (heard.status, heard.header("x-stepgate-reason")),
                (403, "resume"),
                "{http}"
            );
            assert_eq!(heard.header("x-stepgate-notice"), "");
            assert!(
                heard
                    .header("content-security-policy")
                    .contains("script-src 'nonce-")
            );
            assert!(heard.header("set-cookie").starts_with("stepgate_marker="));
            assert!(
                heard.body.contains(&format!("data-fields=\"{kept}")),
                "{http}"
            );
            assert!(
                heard.body.ends_with("</html>\n"),
                "{http}: {} bytes",
                heard.body.len()
            );
        }
    }
    way.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_any_size_passes_whole() {
    let way = Way::open().await;
    let cookie = way.sessions().aal2.header();
    let lines = [("cookie", &*cookie), ("content-type", URLENCODED)];
    for http in BOTH {
        for bytes in [
            0,
            1,
            31 * KIB,
            33 * KIB,
            64 * KIB - 1,
            64 * KIB,
            64 * KIB + 1,
            1024 * KIB,
        ] {
            let body = "x".repeat(bytes);
            let seen = way.allowed(http, &post(&way, &lines, &body)).await;
            assert_eq!(seen.body.len(), bytes, "{http}");
        }
    }
    way.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_came_in_part_is_lost_with_a_notice() {
    let way = Way::open().await;
    let (cookie, origin) = (way.sessions().aal1.header(), way.origin());
    let lines = [
        ("cookie", &*cookie),
        ("origin", &origin),
        ("content-type", URLENCODED),
    ];
    let body = "x".repeat(64 * KIB + 1);
    let heard = way.refused(Http::One, &post(&way, &lines, &body)).await;
    assert_eq!(heard.status, 303);
    assert_eq!(
        heard.header("x-stepgate-notice"),
        "form_not_kept; why=no_body"
    );
    let flow = way.flow("login/browser?aal=aal2&refresh=true", "/start");
    assert_eq!(heard.header("location"), flow);
    way.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_that_continues_is_on_every_origin() {
    let way = Way::open().await;
    let mut ask = way.ask("GET", "/.stepgate/resume?k=0a", &[("accept", "text/html")]);
    for host in ["app", "refuse"] {
        ask.host = way.host(host);
        let heard = way.refused(Http::One, &ask).await;
        assert_eq!(
            (heard.status, heard.header("x-stepgate-reason")),
            (403, "resume"),
            "{host}"
        );
    }
    ask.host = way.host("other");
    assert_eq!(way.refused(Http::One, &ask).await.status, 421);
    way.stage.stop().await;
}

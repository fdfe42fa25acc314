//! The loop guard's marker, which travels in `Set-Cookie`, beside the app's own cookies.

use super::{BOTH, Way};

const PAGE: (&str, &str) = ("sec-fetch-mode", "navigate");
const CLEARED: &str = "stepgate_marker=;";

#[tokio::test(flavor = "multi_thread")]
async fn the_fourth_challenge_in_a_row_is_a_page_and_an_allow_clears_the_marker() {
    let way = Way::open().await;
    for http in BOTH {
        let session = way.sessions().aal1;
        let aal1 = session.header();
        let mut marker = "theme=dark".to_owned();
        for _ in 0..3 {
            let cookie = format!("{aal1}; {marker}");
            let ask = way.ask("GET", "/transfer", &[PAGE, ("cookie", &cookie)]);
            let heard = way.refused(http, &ask).await;
            assert_eq!(heard.status, 303);
            marker = first_pair(heard.header("set-cookie"));
        }
        let cookie = format!("{aal1}; {marker}");
        let ask = way.ask("GET", "/transfer", &[PAGE, ("cookie", &cookie)]);
        let heard = way.refused(http, &ask).await;
        let told = (heard.status, heard.header("x-stepgate-reason"));
        assert_eq!(told, (403, "step_up_loop"));
        assert!(heard.header("set-cookie").starts_with(CLEARED));
        assert!(heard.body.trim_end().ends_with("</html>"));

        let double = way.stage.double().unwrap();
        let aal2 = double.step_up(&session, "totp").unwrap().header();
        let cookie = format!("{aal2}; {marker}");
        let ask = way.ask("GET", "/transfer", &[PAGE, ("cookie", &cookie)]);
        let heard = way.hear(http, &ask).await;
        let [app, clears] = heard.all("set-cookie").try_into().unwrap();
        assert_eq!((heard.status, app), (200, "app=own; Path=/"));
        assert!(clears.starts_with(CLEARED), "{clears}");
        assert_eq!(way.app.received().len(), 1);
    }
    way.stage.stop().await;
}

/// `name=value` of a `Set-Cookie`.
fn first_pair(cookie: &str) -> String {
    cookie.split(';').next().unwrap_or_default().to_owned()
}

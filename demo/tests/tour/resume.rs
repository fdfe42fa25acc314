//! A transfer that was typed while the factor grew old: it waits in the tab, and one click sends it, once.

use std::time::Duration;

use axum::{Router, response::Html};
use demo::stage::StageOptions;
use fantoccini::{
    Locator,
    actions::{Actions, InputSource, MouseActions, PointerAction},
};
use serde_json::json;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::visitor::{Tour, Visitor, person};

const TO: &str = "Bäckerei & Söhne <b>";
const NOTE: &str = "Brot\n</script><b>\"'&amp; \u{2028}und Wein";

/// The bank, where no session is remembered: a factor that grows old is old at once.
async fn start() -> Tour {
    let rules = include_str!("../../stepgate.yaml");
    let config = rules.replace("resume: true\n", "resume: true\n    cache: off\n");
    assert_ne!(config, rules);
    Tour::with(StageOptions {
        config: Some(config),
        ..StageOptions::default()
    })
    .await
}

/// A visitor at the form, typed in, and the factor too old by now.
async fn typed(tour: &Tour) -> Visitor {
    let (totp, visitor) = (person("totp"), tour.visitor().await);
    let transfer = format!("{}/transfer", tour.origins.app);
    visitor.open(&transfer).await;
    visitor.log_in(&totp).await;
    visitor.send("totp_code", &tour.code(&totp).await).await;
    visitor.arrives(&transfer).await;
    visitor.fill("to", TO).await;
    visitor.fill("amount", "250.00").await;
    visitor.fill("note", NOTE).await;
    grow_old(tour, &visitor).await;
    visitor
}

async fn grow_old(tour: &Tour, visitor: &Visitor) {
    let session = visitor.session(tour.stage.ports().kratos_public).await;
    let id = session["id"].as_str().unwrap();
    let double = tour.stage.double().unwrap();
    assert!(double.set_factor_age(id, Duration::from_secs(360)));
}

/// The form sent, and the page that continues it reached by the code.
async fn challenged(tour: &Tour, visitor: &Visitor) {
    visitor.click("form[action='/transfer'] button").await;
    visitor
        .arrives(&format!("{}/login?flow=", tour.origins.ciam))
        .await;
    assert_eq!(posted(tour), Vec::<String>::new(), "0 rows before");
    let code = tour.code(&person("totp")).await;
    visitor.send("totp_code", &code).await;
    let resume = format!("{}/.stepgate/resume?k=", tour.origins.app);
    visitor.arrives(&resume).await;
}

/// The forms that reached the bank's transfer.
fn posted(tour: &Tour) -> Vec<String> {
    let visits = tour.stage.ledger().visits().into_iter();
    let transfers = visits.filter(|visit| visit.method == "POST" && visit.path == "/transfer");
    transfers.map(|visit| visit.form).collect()
}

fn sent() -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("to", TO)
        .append_pair("amount", "250.00")
        .append_pair("note", &NOTE.replace('\n', "\r\n"))
        .finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_meets_a_challenge_goes_through_once() {
    let tour = start().await;
    let visitor = typed(&tour).await;
    challenged(&tour, &visitor).await;
    visitor.reads("Continue your transfer").await;
    for part in [TO, "250.00", "Brot\n</script><b>\"'&amp;"] {
        visitor.reads(part).await;
    }
    assert_eq!(
        posted(&tour),
        Vec::<String>::new(),
        "a click sends, and nothing else"
    );
    assert_eq!(
        visitor
            .run("return document.activeElement.textContent")
            .await,
        "Send it now"
    );
    is_readable(&visitor).await;
    let resume = visitor.at().await;
    visitor.double_click("#form button").await;
    visitor.reads("250.00 drachmas are on their way").await;
    visitor.reads(TO).await;
    assert_eq!(posted(&tour), [sent()], "1 row after, to the byte");
    visitor.client.refresh().await.unwrap();
    visitor.reads("250.00 drachmas are on their way").await;
    visitor.client.back().await.unwrap();
    visitor.reads("Already sent").await;
    visitor.client.refresh().await.unwrap();
    visitor.reads("Already sent").await;
    visitor.open(&resume).await;
    visitor.reads("Already sent").await;
    visitor.another_tab().await;
    visitor.open(&resume).await;
    visitor.reads("Nothing to continue").await;
    assert_eq!(posted(&tour), [sent()], "still 1");
    visitor.close().await;
    tour.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_was_shown_is_gone_whether_it_was_sent_or_not() {
    let tour = start().await;
    let visitor = typed(&tour).await;
    challenged(&tour, &visitor).await;
    visitor.reads(TO).await;
    let resume = visitor.at().await;
    visitor.open(&tour.origins.app).await;
    visitor.client.back().await.unwrap();
    visitor.reads("Nothing to continue").await;
    assert!(!visitor.text().await.contains(TO));
    visitor.open(&resume).await;
    visitor.reads("Nothing to continue").await;
    assert_eq!(posted(&tour), Vec::<String>::new());
    visitor.close().await;
    tour.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_click_but_a_persons_own_sends() {
    let tour = start().await;
    let visitor = typed(&tour).await;
    challenged(&tour, &visitor).await;
    visitor.reads(TO).await;
    visitor
        .run("document.querySelector('#form button').click(); return ''")
        .await;
    visitor
        .run("document.getElementById('form').requestSubmit(); return ''")
        .await;
    visitor.reads(TO).await;
    assert_eq!(posted(&tour), Vec::<String>::new());
    visitor.close().await;
    tour.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_customers_form_is_not_anothers_to_send() {
    let tour = start().await;
    let visitor = typed(&tour).await;
    visitor.click("form[action='/transfer'] button").await;
    let login = format!("{}/login?flow=", tour.origins.ciam);
    visitor.arrives(&login).await;
    visitor.open(&tour.origins.app).await;
    let stored = visitor.stored().await;
    let key = stored.trim_matches(['[', ']', '"']);
    let key = key.strip_prefix("stepgate.resume.").unwrap();
    let resume = format!("{}/.stepgate/resume?k={key}", tour.origins.app);
    visitor.client.delete_all_cookies().await.unwrap();
    let other = person("lost");
    visitor
        .open(&format!("{}/transfer", tour.origins.app))
        .await;
    visitor.arrives(&login).await;
    visitor.log_in(&other).await;
    visitor.send("totp_code", &tour.code(&other).await).await;
    visitor
        .arrives(&format!("{}/transfer", tour.origins.app))
        .await;
    visitor.open(&resume).await;
    visitor.reads("Not your form").await;
    let text = visitor.text().await;
    assert!(
        !text.contains("250.00") && !text.contains("Bäckerei"),
        "{text}"
    );
    visitor.client.refresh().await.unwrap();
    visitor.reads("Nothing to continue").await;
    assert_eq!(visitor.stored().await, "[]", "thrown away");
    assert_eq!(posted(&tour), Vec::<String>::new());
    visitor.close().await;
    tour.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_kept_while_signed_out_is_continued_by_whoever_signs_in() {
    let tour = start().await;
    let visitor = typed(&tour).await;
    visitor.client.delete_all_cookies().await.unwrap();
    visitor.click("form[action='/transfer'] button").await;
    visitor
        .arrives(&format!("{}/login?flow=", tour.origins.ciam))
        .await;
    let totp = person("totp");
    visitor.log_in(&totp).await;
    let resume = format!("{}/.stepgate/resume?k=", tour.origins.app);
    visitor.arrives(&resume).await;
    visitor.reads(TO).await;
    // The second factor is still missing, so the form is kept once more.
    visitor.click("#form button").await;
    visitor
        .arrives(&format!("{}/login?flow=", tour.origins.ciam))
        .await;
    visitor.send("totp_code", &tour.code(&totp).await).await;
    visitor.arrives(&resume).await;
    visitor.reads(TO).await;
    visitor.click("#form button").await;
    visitor.reads("250.00 drachmas are on their way").await;
    assert_eq!(posted(&tour), [sent()]);
    visitor.close().await;
    tour.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_page_posts_is_never_kept() {
    let tour = start().await;
    let visitor = typed(&tour).await;
    let trap = Trap::start(&format!("{}/transfer", tour.origins.app)).await;
    // Across sites the session stays at home, so Kratos is asked for a login, and has one. A sibling host's POST carries it.
    let home = format!("{}/", tour.origins.app);
    let step_up = format!("{}/login?flow=", tour.origins.ciam);
    for (host, end) in [("evil.localhost", home), ("other.bank.localhost", step_up)] {
        visitor.open(&format!("http://{host}:{}/", trap.port)).await;
        visitor.arrives(&end).await;
        visitor.open(&tour.origins.app).await;
        assert_eq!(visitor.stored().await, "[]", "{host}");
        assert_eq!(posted(&tour), Vec::<String>::new(), "{host}");
    }
    visitor.close().await;
    tour.stage.stop().await;
}

/// A page that posts a transfer by itself, under any name.
struct Trap {
    port: u16,
    server: JoinHandle<()>,
}

impl Trap {
    async fn start(target: &str) -> Self {
        let page = format!(
            "<form method=post action='{target}'><input name=to value=Eve><input name=amount value=9000></form>\
             <script>document.forms[0].submit()</script>"
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let app = Router::new().fallback(move || std::future::ready(Html(page.clone())));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { port, server }
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Nothing is wider than a small phone.
async fn is_readable(visitor: &Visitor) {
    visitor.client.set_window_size(500, 800).await.unwrap();
    let wide = "document.documentElement.style.width = '320px'; return String(document.querySelector('main').scrollWidth <= 320)";
    assert_eq!(visitor.run(wide).await, "true");
}

impl Visitor {
    async fn fill(&self, name: &str, text: &str) {
        // As typing does, but for characters that no keyboard has.
        let script = "const field = document.getElementsByName(arguments[0])[0]; field.value = arguments[1]; return ''";
        let arguments = vec![json!(name), json!(text)];
        self.client.execute(script, arguments).await.unwrap();
    }

    async fn run(&self, script: &str) -> String {
        let told = self.client.execute(script, vec![]).await.unwrap();
        told.as_str().unwrap_or_default().to_owned()
    }

    /// The names under which this tab keeps forms.
    async fn stored(&self) -> String {
        self.run("return JSON.stringify(Object.keys(sessionStorage).filter((name) => name.startsWith('stepgate.resume.')))")
            .await
    }

    async fn double_click(&self, selector: &str) {
        let button = self.client.find(Locator::Css(selector)).await.unwrap();
        let (down, up) = (
            PointerAction::Down { button: 0 },
            PointerAction::Up { button: 0 },
        );
        let twice = MouseActions::new("mouse".to_owned())
            .then(PointerAction::MoveToElement {
                element: button,
                duration: None,
                x: 0.0,
                y: 0.0,
            })
            .then(down.clone())
            .then(up.clone())
            .then(down)
            .then(up);
        self.client
            .perform_actions(Actions::from(twice))
            .await
            .unwrap();
    }

    async fn another_tab(&self) {
        let tab = self.client.new_window(true).await.unwrap();
        self.client.switch_to_window(tab.handle).await.unwrap();
    }
}

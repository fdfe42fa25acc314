//! The HTTP door behind real proxies, each with the project's own file for it: what the client hears, and what reaches
//! the bank. Envoy comes from `make envoy`, Caddy and nginx from `make proxies`.

use std::time::Duration;

use demo::{
    kratos::SessionCookie,
    stage::{Proxy, Stage, StageOptions},
};

use crate::http::{Answer, ask, send};

const ASKED: &str = "/transfer?to=Hermes&amount=250";
/// A proxy's own patience with Stepgate, and a busy machine's.
const SOON: Duration = Duration::from_secs(8);

/// A stage, and who asks.
struct Behind {
    stage: Stage,
    proxy: Proxy,
}

impl Behind {
    async fn start(proxy: Proxy) -> Self {
        let options = StageOptions {
            proxy,
            ..StageOptions::default()
        };
        let stage = Stage::start(options).await;
        let stage = stage.unwrap_or_else(|error| panic!("{error}"));
        Self { stage, proxy }
    }

    async fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
        let host = format!("app.bank.localhost:{}", self.stage.ports().envoy);
        self.ask_host(&host, method, target, headers).await
    }

    async fn ask_host(
        &self,
        host: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let lines = [&[("host", host)], headers].concat();
        let answer = ask(self.stage.place().envoy, method, target, &lines);
        tokio::time::timeout(SOON, answer).await.unwrap()
    }

    async fn page(&self, target: &str, cookie: Option<&SessionCookie>) -> Answer {
        let cookie = cookie.map(SessionCookie::header);
        let mut headers = vec![("accept", "text/html")];
        headers.extend(cookie.as_deref().map(|cookie| ("cookie", cookie)));
        self.ask("GET", target, &headers).await
    }

    /// A session with a password, and one with a code besides.
    fn sessions(&self) -> [SessionCookie; 2] {
        let double = self.stage.double().unwrap();
        let sign_in = || double.sign_in("totp@bank.localhost").unwrap();
        [sign_in(), double.step_up(&sign_in(), "totp").unwrap()]
    }

    /// Where Kratos starts a flow that leads back to what was asked.
    fn flow(&self, flow: &str) -> String {
        let place = self.stage.place();
        let back = format!("{}{ASKED}", place.app)
            .replace(':', "%3A")
            .replace('/', "%2F")
            .replace('?', "%3F")
            .replace('=', "%3D")
            .replace('&', "%26");
        format!("{}/self-service/{flow}return_to={back}", place.ciam)
    }

    /// What the bank was told with its last visit: path, id and level.
    fn seen(&self) -> (String, String, String) {
        let visit = self.stage.ledger().visits().pop().unwrap();
        let [id, aal] = [visit.user_id, visit.user_aal].map(Option::unwrap_or_default);
        (visit.path, id, aal)
    }

    fn reached(&self) -> usize {
        self.stage.ledger().visits().len()
    }

    async fn story(&self) {
        self.open_page().await;
        self.challenges().await;
        self.allows().await;
        self.marks().await;
        self.forged_identity().await;
        self.two_sessions().await;
        self.scripts().await;
        self.methods().await;
        self.hostile().await;
    }

    async fn open_page(&self) {
        let answer = self.page("/", None).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(self.seen(), ("/".into(), String::new(), String::new()));
        assert_eq!(answer.header("x-user-id"), None);
    }

    async fn challenges(&self) {
        let before = self.reached();
        let [aal1, _] = self.sessions();
        let plain = self.stage.double().unwrap().sign_in("plain@bank.localhost");
        for (cookie, flow) in [
            (None, "login/browser?"),
            (Some(&aal1), "login/browser?aal=aal2&refresh=true&"),
            (plain.as_ref(), "settings/browser?"),
        ] {
            let answer = self.page(ASKED, cookie).await;
            assert_eq!(answer.status, 303, "{flow} {answer:?}");
            assert_eq!(answer.location(), self.flow(flow));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
        assert_eq!(self.reached(), before);
    }

    async fn allows(&self) {
        let [aal1, aal2] = self.sessions();
        assert_eq!(self.page("/account", Some(&aal1)).await.status, 200);
        let (path, id, aal) = self.seen();
        assert_eq!((&*path, id.len(), &*aal), ("/account", 36, "aal1"));
        assert_eq!(self.page(ASKED, Some(&aal2)).await.status, 200);
        assert_eq!(self.seen(), ("/transfer".into(), id, "aal2".into()));
    }

    /// A challenge marks the browser, and the allow that ends it takes the mark away, where the proxy passes that on.
    async fn marks(&self) {
        let [_, aal2] = self.sessions();
        let challenge = self.page(ASKED, None).await;
        let mark = mark(&challenge).unwrap().split(';').next().unwrap();
        let cookies = format!("{}; {mark}", aal2.header());
        let headers = [("accept", "text/html"), ("cookie", &*cookies)];
        let allow = self.ask("GET", ASKED, &headers).await;
        let is_cleared =
            self::mark(&allow).is_some_and(|mark| mark.starts_with("stepgate_marker=;"));
        assert_eq!(
            (allow.status, is_cleared),
            (200, self.proxy != Proxy::Caddy)
        );
        let own = |answer: &Answer| {
            answer
                .headers
                .iter()
                .any(|(_, value)| value.starts_with("olympus_last="))
        };
        assert!(own(&allow), "the bank's own cookie stays: {allow:?}");
        let unmarked = self.page(ASKED, Some(&aal2)).await;
        assert_eq!(self::mark(&unmarked), None);
    }

    async fn forged_identity(&self) {
        let [aal1, _] = self.sessions();
        let cookie = aal1.header();
        let forged = [
            ("X-User-Id", "forged"),
            ("x-user-aal", "aal2"),
            ("accept", "text/html"),
        ];
        assert_eq!(self.ask("GET", "/", &forged).await.status, 200);
        assert_eq!(self.seen(), ("/".into(), String::new(), String::new()));
        let known = [&forged[..], &[("cookie", &*cookie)]].concat();
        assert_eq!(self.ask("GET", "/account", &known).await.status, 200);
        let (_, id, aal) = self.seen();
        assert_eq!((id.len(), &*aal), (36, "aal1"), "{id}");
        for name in ["x_user_id", "X.User.Id", "x-user_aal"] {
            let answer = self.ask("GET", "/", &[(name, "forged")]).await;
            assert!(!answer.body.contains("forged"), "the bank saw `{name}`");
            assert!([200, 400].contains(&answer.status), "{answer:?}");
        }
    }

    async fn two_sessions(&self) {
        let before = self.reached();
        let [aal1, aal2] = self.sessions().map(|cookie| cookie.header());
        for first in [&*aal1, "ory_kratos_session=x"] {
            let headers = [("cookie", first), ("cookie", &*aal2)];
            let answer = self.ask("GET", "/account", &headers).await;
            assert_eq!((answer.status, answer.reason()), (400, "session_ambiguous"));
        }
        assert_eq!(self.reached(), before);
    }

    async fn scripts(&self) {
        let before = self.reached();
        let [aal1, _] = self.sessions();
        let cookie = aal1.header();
        let script = [("accept", "application/json"), ("x-request-id", "a-1")];
        for (headers, status, reason) in [
            (script.to_vec(), 401, "session_inactive"),
            (
                [&script[..], &[("cookie", &*cookie)]].concat(),
                403,
                "session_aal2_required",
            ),
        ] {
            let answer = self.ask("GET", "/transfer", &headers).await;
            assert_eq!(
                (answer.status, answer.reason()),
                (status, reason),
                "{answer:?}"
            );
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(answer.location(), "");
            let json: serde_json::Value = serde_json::from_str(answer.body.trim()).unwrap();
            let member = |pointer| json.pointer(pointer).cloned().unwrap_or_default();
            assert_eq!(member("/error/id"), reason);
            assert_eq!(member("/error/code"), status);
            assert_eq!(member("/error_id"), reason);
            assert!(member("/request_id").is_string());
        }
        assert_eq!(self.reached(), before);
    }

    async fn methods(&self) {
        let before = self.reached();
        let head = self.ask("HEAD", ASKED, &[("accept", "text/html")]).await;
        assert_eq!(
            (head.status, head.location()),
            (303, &*self.flow("login/browser?"))
        );
        let form = [
            ("accept", "text/html"),
            ("content-type", "application/x-www-form-urlencoded"),
            ("content-length", "0"),
        ];
        let post = self.ask("POST", ASKED, &form).await;
        assert_eq!(post.status, 303, "{post:?}");
        assert!(
            post.location().ends_with("%2F"),
            "back to the origin: {}",
            post.location()
        );
        assert_eq!(self.reached(), before);
        let asks = [
            ("origin", "http://x.test"),
            ("access-control-request-method", "POST"),
        ];
        let _ = self.ask("OPTIONS", ASKED, &asks).await;
        assert_eq!(self.reached(), before + 1, "a preflight passes");
    }

    async fn hostile(&self) {
        let before = self.stage.ledger().count("/transfer");
        let app = format!("app.bank.localhost:{}", self.stage.ports().envoy);
        for target in [
            "/x/%2e%2e/transfer",
            "/x/..%2ftransfer",
            "/%2e%2e%2ftransfer",
            "/transfer%2f",
            "/transfer;x",
            "/%74ransfer",
            "//transfer",
            "/x/../transfer",
            "/transfer#/../",
            "/x#/../transfer",
        ] {
            let answer = self.ask("GET", target, &[]).await;
            assert!(
                answer.status >= 300 && answer.status < 500,
                "{target}: {answer:?}"
            );
        }
        for host in [
            "",
            "app.bank.localhost/x?",
            "app.bank.localhost?",
            "app.bank.localhost#",
            "other.test",
            "a@app.bank.localhost",
        ] {
            let answer = self
                .ask_host(host, "GET", "/transfer", &[("x-forwarded-host", &app)])
                .await;
            assert!(!(200..300).contains(&answer.status), "{host}: {answer:?}");
        }
        let odd = format!("GET /transfer? HTTP/1.1\r\nhost: {app}\r\nconnection: close\r\n\r\n");
        let odd = odd.bytes().map(|b| if b == b'?' { 0xa0 } else { b });
        let heard = send(self.stage.place().envoy, &odd.collect::<Vec<_>>()).await;
        assert!(heard.starts_with("HTTP/1.1 4"), "{heard}");
        let own = [
            ("x-forwarded-uri", "/"),
            ("x-original-url", "http://app.bank.localhost/"),
            ("x-forwarded-method", "GET"),
        ];
        assert_eq!(self.ask("GET", "/transfer", &own).await.status, 401);
        assert_eq!(self.stage.ledger().count("/transfer"), before);
    }

    /// First Kratos goes, then Stepgate.
    async fn outages(mut self) {
        let [aal1, aal2] = self.sessions();
        self.stage.stop_kratos().await;
        self.stage.ledger().clear();
        // Neither was asked about before, so nothing is remembered of them.
        for cookie in [&aal1, &aal2] {
            let answer = self.page(ASKED, Some(cookie)).await;
            assert_eq!((answer.status, answer.location()), (503, ""), "{answer:?}");
            if self.proxy != Proxy::EnvoyHttp {
                assert_eq!(answer.reason(), "kratos_unavailable");
                assert_eq!(answer.header("retry-after"), Some("1"));
                assert!(answer.body.contains("kratos_unavailable"), "{answer:?}");
            }
        }
        assert_eq!(self.reached(), 0);
        assert_eq!(
            self.page("/", None).await.status,
            200,
            "open pages stay open"
        );
        self.stage.kill_stepgate().await;
        self.stage.ledger().clear();
        for path in ["/", ASKED, "/account"] {
            let answer = self.page(path, Some(&aal2)).await;
            assert!([502, 503].contains(&answer.status), "{answer:?}");
            assert_eq!(answer.location(), "");
        }
        assert_eq!(self.reached(), 0);
        self.stage.stop().await;
    }
}

/// The loop guard's cookie, set or cleared.
fn mark(answer: &Answer) -> Option<&str> {
    let cookies = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie");
    let mut cookies = cookies.map(|(_, value)| value.as_str());
    cookies.find(|cookie| cookie.starts_with("stepgate_marker="))
}

#[tokio::test(flavor = "multi_thread")]
async fn caddy_keeps_the_story() {
    let behind = Behind::start(Proxy::Caddy).await;
    behind.story().await;
    behind.outages().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_keeps_the_story() {
    let behind = Behind::start(Proxy::Nginx).await;
    behind.story().await;
    behind.outages().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_over_http_keeps_the_story() {
    let behind = Behind::start(Proxy::EnvoyHttp).await;
    behind.story().await;
    behind.outages().await;
}

#[test]
fn traefik_copies_every_identity_header() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/envoy/traefik/dynamic.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let file: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    let door = &file["http"]["middlewares"]["stepgate"]["forwardAuth"];
    assert_eq!(door["address"], "http://127.0.0.1:4456/forward-auth");
    assert_eq!(door["trustForwardHeader"], false);
    let copied = ["X-User-Id", "X-User-Aal"];
    assert_eq!(door["authResponseHeaders"], serde_json::json!(copied));
    assert_eq!(
        file["http"]["routers"]["bank"]["middlewares"][0],
        "stepgate"
    );
}

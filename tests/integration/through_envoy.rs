//! What a client hears and what the app behind Envoy receives, through a real Envoy with the project's `envoy.yaml`.

mod access_log;
mod app;
mod cookie;
mod cors;
mod form;
mod grpc;
mod identity;
mod marker;
mod page;
mod restart;
mod script;
mod socket;
mod tls;
mod token;
mod websocket;
mod wire;

use std::net::SocketAddr;

use demo::kratos::SessionCookie;
use demo::stage::{Stage, StageOptions, people};
use demo::story::Http;

use app::{App, Seen};
use wire::{Ask, Heard};

const BOTH: [Http; 2] = [Http::One, Http::Two];

/// `other` is a host that Envoy knows and Stepgate doesn't; on `refuse` nobody is sent to set a factor up.
const HOSTS: [&str; 3] = ["app", "other", "refuse"];

const CONFIG: &str = "
kratos:
  ciam:
    api_url: http://127.0.0.1:4433
    browser_url: http://ciam.bank.localhost:8080
    origins: [http://app.bank.localhost:8080]
    credentials: [cookie, session_token, bearer]
  iam:
    api_url: http://127.0.0.1:4433
    browser_url: http://ciam.bank.localhost:8080
    origins: [http://refuse.bank.localhost:8080]
    enrolment: refuse
default: none
rules:
  - { id: account, match: { path: /account/** }, require: session }
  - { id: transfer, match: { path: /transfer/** }, require: aal2 }
  - { id: form, match: { path: /form/** }, require: aal2, return_to: /start, resume: true }
  - { id: recent, match: { path: /recent/** }, require: { max_age: 5m } }
  - { id: closed, match: { path: /closed/** }, require: deny }
  - { id: health, match: { path: /grpc.health.v1.Health/** }, require: aal2 }
servers:
  grpc: { listen: 127.0.0.1:9191 }
  admin: { listen: off }
";

/// The whole way: Envoy, Stepgate, the Kratos double, and an app that writes down what it receives.
struct Way {
    stage: Stage,
    app: App,
}

/// Somebody's sessions: with a second factor given, with one due, with none to give; and one given long ago.
struct Sessions {
    aal2: SessionCookie,
    aal1: SessionCookie,
    plain: SessionCookie,
    stale: SessionCookie,
}

impl Way {
    async fn open() -> Self {
        Self::with(StageOptions::default()).await
    }

    async fn with(options: StageOptions) -> Self {
        let app = App::start().await;
        let domains = |hosts: &[&str]| {
            let of = |host: &&str| format!("{host}.bank.localhost, \"{host}.bank.localhost:8080\"");
            format!(
                "domains: [{}]",
                hosts.iter().map(of).collect::<Vec<_>>().join(", ")
            )
        };
        let mut envoy_edits = vec![(domains(&["app"]), domains(&HOSTS))];
        envoy_edits.extend(grpc::route());
        envoy_edits.extend(options.envoy_edits);
        let stage = Stage::start(StageOptions {
            config: Some(options.config.unwrap_or_else(|| CONFIG.to_owned())),
            envoy_edits,
            app_port: Some(app.port),
            ..options
        });
        let stage = stage.await.unwrap();
        app.received();
        Self { stage, app }
    }

    fn envoy(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.stage.ports().envoy))
    }

    fn host(&self, name: &str) -> String {
        format!("{name}.bank.localhost:{}", self.stage.ports().envoy)
    }

    fn origin(&self) -> String {
        self.stage.ports().app()
    }

    /// Kratos' address for a flow that ends at `target` of the app.
    fn flow(&self, flow: &str, target: &str) -> String {
        let return_to = format!("{}{target}", self.origin());
        let return_to: String =
            url::form_urlencoded::byte_serialize(return_to.as_bytes()).collect();
        let mark = if flow.contains('?') { '&' } else { '?' };
        let ciam = self.stage.ports().ciam();
        format!("{ciam}/self-service/{flow}{mark}return_to={return_to}")
    }

    fn sessions(&self) -> Sessions {
        let double = self.stage.double().unwrap();
        let [enrolled, plain] = [0, 1].map(|number| people().swap_remove(number).email);
        let signed_in = |email: &str| double.sign_in(email).unwrap();
        let stepped_up = || double.step_up(&signed_in(&enrolled), "totp").unwrap();
        let stale = stepped_up();
        assert!(double.age_methods(&stale, std::time::Duration::from_secs(600)));
        Sessions {
            aal2: stepped_up(),
            aal1: signed_in(&enrolled),
            plain: signed_in(&plain),
            stale,
        }
    }

    fn ask<'a>(&self, method: &'a str, target: &'a str, headers: &[(&'a str, &'a str)]) -> Ask<'a> {
        Ask {
            method,
            host: self.host("app"),
            target,
            headers: headers.to_vec(),
            body: "",
        }
    }

    /// Asks, and is answered.
    async fn hear(&self, http: Http, ask: &Ask<'_>) -> Heard {
        ask.send(http, self.envoy()).await.unwrap()
    }

    /// Asks for what is refused, and sees that nothing reached the app and no header came twice.
    async fn refused(&self, http: Http, ask: &Ask<'_>) -> Heard {
        let heard = self.hear(http, ask).await;
        assert!(self.app.received().is_empty(), "{ask:?} reached the app");
        // Two sessions at once are ended on each domain that may have set one.
        let once = heard
            .headers
            .iter()
            .filter(|(name, _)| name != "set-cookie" || heard.status != 400);
        for (name, _) in once {
            assert_eq!(heard.all(name).len(), 1, "{name}: {ask:?}");
        }
        assert_eq!(
            heard.header("cache-control"),
            "no-store",
            "{ask:?}: {heard:?}"
        );
        assert_ne!(heard.header("x-request-id"), "", "{ask:?}");
        heard
    }

    /// Asks for what is allowed, and sees what reached the app, just once.
    async fn allowed(&self, http: Http, ask: &Ask<'_>) -> Seen {
        let heard = self.hear(http, ask).await;
        assert_eq!(heard.status, 200, "{ask:?}: {heard:?}");
        let mut received = self.app.received();
        assert_eq!(received.len(), 1, "{ask:?}");
        received.remove(0)
    }
}

//! A Stepgate in this process, a Kratos double behind it, and a client that asks as Envoy does.

use std::{collections::HashMap, io, net::SocketAddr, num::NonZero, sync::Arc, time::SystemTime};

use demo::kratos::{Double, Options, Person, RequiredAal, SessionCookie};
use envoy_types::pb::envoy::{
    config::core::v3::{HeaderValueOption, header_value_option::HeaderAppendAction},
    service::auth::v3::{
        AttributeContext, CheckRequest, CheckResponse,
        attribute_context::{HttpRequest, Request},
        authorization_client::AuthorizationClient,
        check_response::HttpResponse,
    },
};
use stepgate::{authorizer::Authorizer, config::Config, servers::Doors, telemetry::clock::Clock};
use tokio::{sync::watch, task::JoinHandle};
use tonic::transport::Channel;

/// Both doors, on free ports.
const SERVERS: &str = "servers: { admin: { listen: off }, grpc: { listen: '127.0.0.1:0' }, http: { listen: '127.0.0.1:0' } }";
/// The secret of `totp@`; made up.
const TOTP_SECRET: &str = "NOTASECRETNOTASECRETNOTASECRET22";

/// All of it, running.
pub(crate) struct Gate {
    pub(crate) double: Double,
    pub(crate) client: AuthorizationClient<Channel>,
    pub(crate) url: String,
    /// Where the HTTP door listens.
    pub(crate) http: SocketAddr,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) served: JoinHandle<io::Result<()>>,
}

/// A check's answer, as Envoy would act on it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// The gRPC status inside the message.
    pub(crate) code: i32,
    /// The HTTP status of a refusal; 200 for an allow.
    pub(crate) status: i32,
    pub(crate) headers: HashMap<String, String>,
    /// The client's cookies, whether it passes or not.
    pub(crate) set_cookies: Vec<String>,
    pub(crate) removed: Vec<String>,
    pub(crate) body: String,
}

impl Gate {
    /// Stepgate under these rules, over a Kratos that serves every session.
    pub(crate) async fn start(rules: &str) -> Self {
        Self::start_with(rules, RequiredAal::Aal1).await
    }

    /// The same, over a Kratos in this mode.
    pub(crate) async fn start_with(rules: &str, whoami_required_aal: RequiredAal) -> Self {
        Self::open(rules, whoami_required_aal, SERVERS).await
    }

    /// The same, with these doors.
    pub(crate) async fn start_behind(rules: &str, servers: &str) -> Self {
        Self::open(rules, RequiredAal::Aal1, servers).await
    }

    /// The same, where Kratos' settings are for enrolling first.
    pub(crate) async fn start_enrolling_first() -> Self {
        let enrol_first = |api_url: &str| {
            let origins = "origins: [https://app.test]";
            let first = format!("{origins}\n    settings: enrol_first");
            format!(
                "{} []\n{SERVERS}",
                config(api_url, "").trim_end().replace(origins, &first)
            )
        };
        Self::of(RequiredAal::Aal1, enrol_first).await
    }

    async fn open(rules: &str, whoami_required_aal: RequiredAal, servers: &str) -> Self {
        let written = |api_url: &str| format!("{}\n{servers}", config(api_url, rules));
        Self::of(whoami_required_aal, written).await
    }

    async fn of(whoami_required_aal: RequiredAal, written: impl Fn(&str) -> String) -> Self {
        crate::watch::listen();
        let options = Options {
            whoami_required_aal,
            ..Options::default()
        };
        let double = Double::start(options).await.unwrap();
        people(&double);
        let clock = double.clock().clone();
        let clock = Clock::by_hand(move || SystemTime::try_from(clock.now()).unwrap());
        let config = Config::parse("test.yaml", &written(double.public_url().as_str())).unwrap();
        let doors = Doors::open(config.servers.clone()).await.unwrap();
        let url = format!("http://{}", doors.grpc_address().unwrap());
        let http = doors.http_address().unwrap().unwrap().address().unwrap();
        let authorizer = Arc::new(Authorizer::new(config.into_snapshot().unwrap(), clock));
        let (stop, stopped) = watch::channel(false);
        let served = tokio::spawn(doors.serve(authorizer, NonZero::<usize>::MIN, stopped));
        let client = AuthorizationClient::connect(url.clone()).await.unwrap();
        Self {
            double,
            client,
            url,
            http,
            stop,
            served,
        }
    }

    /// Asks about a page, with this cookie header if there is one.
    pub(crate) async fn page(&self, target: &str, cookie: Option<&SessionCookie>) -> Heard {
        let cookie = cookie.map(SessionCookie::header);
        let mut headers = vec![("accept", "text/html")];
        headers.extend(cookie.as_deref().map(|cookie| ("cookie", cookie)));
        self.ask("GET", "app.test", target, &headers).await
    }

    /// Asks about any request.
    pub(crate) async fn ask(
        &self,
        method: &str,
        host: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Heard {
        self.send(request(method, host, target, headers)).await
    }

    /// Sends a message.
    pub(crate) async fn send(&self, request: CheckRequest) -> Heard {
        let response = self
            .client
            .clone()
            .check(request)
            .await
            .unwrap()
            .into_inner();
        Heard::from(response)
    }
}

fn people(double: &Double) {
    let person = |email: &str, totp_secret: Option<&str>| Person {
        email: email.to_owned(),
        password: "not-a-password-only-for-tests".to_owned(),
        totp_secret: totp_secret.map(str::to_owned),
        ..Person::default()
    };
    double.add_person(person("totp@app.test", Some(TOTP_SECRET)));
    double.add_person(person("plain@app.test", None));
}

/// A configuration with one Kratos, one origin and these rules.
pub(crate) fn config(api_url: &str, rules: &str) -> String {
    format!(
        "kratos:
  ciam:
    api_url: {api_url}
    browser_url: https://ciam.test
    origins: [https://app.test]
default: none
rules:
{rules}"
    )
}

/// A message as Envoy sends it in map mode.
pub(crate) fn request(
    method: &str,
    host: &str,
    target: &str,
    headers: &[(&str, &str)],
) -> CheckRequest {
    let http = HttpRequest {
        method: method.to_owned(),
        host: host.to_owned(),
        path: target.to_owned(),
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..HttpRequest::default()
    };
    let request = Request {
        http: Some(http),
        ..Request::default()
    };
    CheckRequest {
        attributes: Some(AttributeContext {
            request: Some(request),
            ..AttributeContext::default()
        }),
    }
}

impl From<CheckResponse> for Heard {
    fn from(response: CheckResponse) -> Self {
        let code = response.status.map_or(0, |status| status.code);
        let (status, headers, for_client, removed, body) = match response.http_response {
            Some(HttpResponse::OkResponse(ok)) => (
                200,
                ok.headers,
                ok.response_headers_to_add,
                ok.headers_to_remove,
                String::new(),
            ),
            Some(HttpResponse::DeniedResponse(denied)) => (
                denied.status.map_or(0, |status| status.code),
                denied.headers.clone(),
                denied.headers,
                Vec::new(),
                denied.body,
            ),
            other => panic!("an answer that Envoy might take for an allow: {other:?}"),
        };
        assert_eq!(code == 0, status == 200, "code and answer must agree");
        let headers = headers
            .into_iter()
            .map(|option| option.header.unwrap())
            .map(|header| (header.key, header.value));
        Self {
            code,
            status,
            headers: headers.collect(),
            set_cookies: for_client.into_iter().filter_map(set_cookie).collect(),
            removed,
            body,
        }
    }
}

/// The cookie that a header sets. Envoy drops it from a refusal where the older flag is set, and replaces others where
/// the action is not to append.
#[expect(deprecated, reason = "Envoy still obeys the older flag")]
fn set_cookie(option: HeaderValueOption) -> Option<String> {
    let append = i32::from(HeaderAppendAction::AppendIfExistsOrAdd);
    let adds = option.append.is_none() && option.append_action == append;
    let header = option.header.filter(|header| header.key == "set-cookie")?;
    assert!(adds, "this cookie may be dropped: {}", header.value);
    Some(header.value)
}

impl Heard {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn reason(&self) -> &str {
        self.header("x-stepgate-reason")
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }
}

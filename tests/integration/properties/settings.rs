//! Whatever a submission to Kratos' settings looks like: without a second factor it passes only if it holds nothing but what
//! sets one up.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use proptest::{prelude::*, sample::select};
use stepgate::{
    authorizer::Authorizer,
    config::Config,
    domain::{
        body::Body,
        claim::Claims,
        headers::Headers,
        request::Facts,
        session::{Aal, Enrolment, Session, Standing},
    },
    telemetry::clock::Clock,
};

use super::answers::now;

const CONFIG: &str = "
kratos:
  ciam:
    api_url: http://127.0.0.1:9
    browser_url: https://ciam.test/.ory
    origins: [https://app.test]
    settings: enrol_first
default: none
rules: []
";

/// All that a submission which enrols may hold.
const ENROLLING: [&str; 8] = [
    "flow",
    "csrf_token",
    "method",
    "totp_code",
    "webauthn_register",
    "webauthn_register_displayname",
    "lookup_secret_regenerate",
    "lookup_secret_confirm",
];
const OTHERS: [&str; 12] = [
    "password",
    "link",
    "unlink",
    "traits.email",
    "totp_unlink",
    "lookup_secret_disable",
    "webauthn_remove",
    "passkey_settings_register",
    "Method",
    "method[0]",
    "transient_payload",
    "",
];
const VALUES: [&str; 9] = [
    "totp",
    "webauthn",
    "lookup_secret",
    "totp",
    "password",
    "profile",
    "oidc",
    "true",
    "",
];

type Fields = Vec<(&'static str, &'static str)>;

fn fields() -> impl Strategy<Value = Fields> {
    let name = prop_oneof![
        12 => select(&ENROLLING[..]),
        1 => select(&OTHERS[..]),
    ];
    prop::collection::vec((name, select(&VALUES[..])), 0..5)
}

fn form(fields: &Fields) -> String {
    let mut all = url::form_urlencoded::Serializer::new(String::new());
    all.extend_pairs(fields).finish()
}

fn json(fields: &Fields) -> String {
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let members = fields
        .iter()
        .map(|(name, value)| format!("{}:{}", quoted(name), quoted(value)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// What Stepgate decides for somebody without a second factor.
fn decided(method: &str, query: &Fields, body: Option<(&str, String)>) -> &'static str {
    static GATE: LazyLock<Authorizer> = LazyLock::new(|| {
        let config = Config::parse("test.yaml", CONFIG).unwrap();
        Authorizer::new(config.into_snapshot().unwrap(), Clock::by_hand(now))
    });
    let mut lines = vec![("cookie", "ory_kratos_session=a")];
    lines.extend(body.as_ref().map(|(kind, _)| ("content-type", *kind)));
    let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    let facts = Facts {
        method: bytes(method),
        host: bytes("ciam.test"),
        target: bytes(&format!("/.ory/self-service/settings?{}", form(query))),
        headers: Headers::raw(
            lines
                .into_iter()
                .map(|(name, value)| (bytes(name), bytes(value)))
                .collect(),
        ),
        body: body.and_then(|(_, text)| Body::new(text.into())),
        ..Facts::default()
    };
    let plain = Standing::Session(Arc::new(Session {
        id: "session".into(),
        subject: "somebody".into(),
        aal: Aal::Aal1,
        methods: vec![],
        claims: Claims::default(),
    }));
    GATE.suppose(&facts, plain, &Enrolment::NotEnrolled)
        .decision
}

/// Told without looking at how it was sent.
fn may_pass(all: &Fields) -> bool {
    let is_once = |name: &str| all.iter().filter(|(own, _)| *own == name).count() <= 1;
    let method = all.iter().find(|(name, _)| *name == "method");
    let enrols =
        method.is_none_or(|(_, value)| ["totp", "webauthn", "lookup_secret"].contains(value));
    enrols
        && all
            .iter()
            .all(|(name, _)| ENROLLING.contains(name) && is_once(name))
}

proptest! {
    #[test]
    fn only_what_sets_a_second_factor_up_passes_without_one(
        query in fields(),
        body in fields(),
        is_json: bool,
        method in select(&["GET", "HEAD", "POST", "POST", "POST", "PUT", "DELETE"][..]),
    ) {
        let is_get = ["GET", "HEAD"].contains(&method);
        let kinds = ["application/x-www-form-urlencoded", "application/json"];
        let text = if is_json { json(&body) } else { form(&body) };
        let sent = (!is_get).then(|| (kinds[usize::from(is_json)], text));
        let all: Fields = if is_get {
            query.clone()
        } else {
            [query.clone(), body].concat()
        };
        let decision = decided(method, &query, sent);
        prop_assert!(["allow", "enrol"].contains(&decision));
        prop_assert!(decision == "enrol" || may_pass(&all), "{method} {all:?}");
        prop_assert!(decision == "enrol" || is_get || method == "POST");
    }
}

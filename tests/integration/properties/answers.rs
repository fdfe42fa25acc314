//! A Stepgate that is told what Kratos says, and the laws that each of its answers keeps.

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use stepgate::{
    authorizer::{Answer, Authorizer},
    config::Config,
    domain::{
        policy::Policy,
        reply::{Code, Refusal, Reply, Through},
    },
    telemetry::clock::Clock,
};
use url::Url;

pub(super) const CONFIG: &str = "
kratos:
  ciam:
    api_url: http://127.0.0.1:9
    browser_url: https://ciam.test/.ory
    origins: [https://app.test, http://app.test:8080, https://*.wild.test]
    credentials: [cookie, session_token, bearer]
  iam:
    api_url: http://127.0.0.1:9
    browser_url: https://iam.test
    origins: [https://staff.test, https://in.wild.test:8443]
default: session
context: { ignore: [theirs] }
rules:
  - { id: home, match: { path: / }, require: none }
  - { id: assets, match: { path: /assets/** }, require: none }
  - { id: transfer, match: { path: /transfer/** }, require: aal2, return_to: /account }
  - { id: fresh, match: { path: /transfer/new, methods: [POST] }, require: { max_age: 5m } }
  - { id: email, match: { path: '/users/{id}/email' }, require: { factors: [webauthn, totp], max_age: 1m } }
  - { id: users, match: { path: /users/** }, require: session }
  - { id: admin, match: { path: /admin/** }, require: { identity: { /metadata_public/role: [admin] } } }
  - { id: closed, match: { path: [/closed, /a/*] }, require: deny }
  - { id: wild, match: { path: /transfer/**, host: '*.wild.test' }, require: none }
";

/// Where challenges lead, and the origins they lead back to.
const DOMAINS: [(&str, &[&str]); 2] = [
    (
        "https://ciam.test/.ory/self-service/",
        &[
            "https://app.test",
            "http://app.test:8080",
            "https://*.wild.test",
        ],
    ),
    (
        "https://iam.test/self-service/",
        &["https://staff.test", "https://in.wild.test:8443"],
    ),
];

/// The time in all of these tests.
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// A Stepgate, and what it was made from. Made once: a client for Kratos is dear.
pub(crate) fn world() -> &'static (Authorizer, Policy) {
    static WORLD: LazyLock<(Authorizer, Policy)> = LazyLock::new(|| {
        crate::watch::listen();
        of(CONFIG)
    });
    &WORLD
}

/// A Stepgate with this configuration.
pub(super) fn of(config: &str) -> (Authorizer, Policy) {
    let config = Config::parse("test.yaml", config).unwrap();
    let snapshot = config.into_snapshot().unwrap();
    let policy = snapshot.policy.clone();
    (Authorizer::new(snapshot, Clock::by_hand(now)), policy)
}

/// What holds of any answer.
pub(crate) fn check(answer: &Answer) {
    match &answer.reply {
        Reply::Through(through) => check_through(through),
        Reply::Refused(refusal) => check_refusal(refusal),
    }
}

fn check_through(through: &Through) {
    let set: Vec<_> = through
        .mutations
        .set
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let removed: Vec<_> = through
        .mutations
        .remove
        .iter()
        .map(String::as_str)
        .collect();
    assert!(
        set.iter().all(|name| !removed.contains(name)),
        "{set:?} {removed:?}"
    );
    for name in ["x-user-id", "x-user-aal"] {
        assert!(
            set.contains(&name) || removed.contains(&name),
            "{name} stays as the client wrote it"
        );
    }
    let is_token = |b: u8| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&b);
    assert!(
        removed
            .iter()
            .all(|name| !name.is_empty() && name.bytes().all(is_token))
    );
}

fn check_refusal(refusal: &Refusal) {
    let status = refusal.status.as_u16();
    assert!(
        matches!(status, 303 | 400 | 401 | 403 | 421 | 503),
        "{status}"
    );
    let code_fits = match refusal.code {
        Code::InvalidArgument => matches!(status, 400 | 421),
        Code::PermissionDenied => matches!(status, 303 | 403),
        Code::Unauthenticated => matches!(status, 303 | 401),
        Code::Unavailable => status == 503,
    };
    assert!(code_fits, "{refusal:?}");
    let mut names: Vec<_> = refusal
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), refusal.headers.len(), "each name once");
    let is_plain = |value: &[u8]| value.iter().all(|&b| (b' '..0x7f).contains(&b));
    assert!(
        refusal
            .headers
            .iter()
            .all(|(_, value)| is_plain(value.as_bytes()))
    );
    assert!(refusal.body.len() < 4096, "{} bytes", refusal.body.len());
    let location = header(refusal, "location");
    assert_eq!(location.is_some(), status == 303);
    location.iter().for_each(|address| check_address(address));
    if header(refusal, "content-type") == Some("application/json") {
        let body: serde_json::Value = serde_json::from_str(&refusal.body).unwrap();
        body["redirect_browser_to"]
            .as_str()
            .iter()
            .for_each(|address| check_address(address));
    }
}

pub(crate) fn header<'a>(refusal: &'a Refusal, name: &str) -> Option<&'a str> {
    let found = refusal.headers.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.to_str().unwrap())
}

/// It leads to a Kratos of ours, and back to an origin that this Kratos judges.
fn check_address(address: &str) {
    assert!(
        address.len() <= 4096 && address.bytes().all(|b| b.is_ascii_graphic()),
        "{address}"
    );
    let domain = DOMAINS.iter().find(|(base, _)| address.starts_with(base));
    let (_, origins) = domain.unwrap_or_else(|| panic!("leads elsewhere: {address}"));
    let url = Url::parse(address).unwrap();
    let targets: Vec<_> = url
        .query_pairs()
        .filter(|(key, _)| key == "return_to")
        .collect();
    assert_eq!(targets.len(), 1, "{address}");
    let (_, query) = address.split_once("return_to=").unwrap();
    let back = percent_encoding::percent_decode_str(query).collect::<Vec<_>>();
    let back = String::from_utf8_lossy(&back).into_owned();
    let back = Url::parse(&back).unwrap();
    let origin = back.origin().ascii_serialization();
    let fits = |one: &&&str| match one.split_once("*.") {
        Some((scheme, suffix)) => {
            origin.starts_with(scheme) && origin.ends_with(&format!(".{suffix}"))
        }
        None => **one == origin,
    };
    assert!(
        origins.iter().find(fits).is_some(),
        "back to {origin} from {address}"
    );
    assert_eq!((back.username(), back.password()), ("", None));
}

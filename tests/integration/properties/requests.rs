//! Any bytes as a request, under anything that Kratos may say: an answer that keeps the laws, and an allow only where a
//! plain reading of the rules would allow.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use stepgate::domain::{
    claim::{Claim, Claims, Pointer, Scalar},
    decision::Grant,
    headers::Headers,
    reply::Reply,
    request::{Facts, Reach},
    session::{Aal, Enrolment, Factor, Method, Session, Standing},
};

use super::{
    answers::{check, now, world},
    reference::{asked, meets},
    spellings::spelled,
};

fn bytes(words: &'static [&'static str]) -> impl Strategy<Value = Bytes> {
    prop_oneof![
        6 => prop::sample::select(words).prop_map(|word| Bytes::from_static(word.as_bytes())),
        1 => prop::collection::vec(any::<u8>(), 0..24).prop_map(Bytes::from),
        1 => "[ -~]{0,24}".prop_map(Bytes::from),
    ]
}

const TARGETS: &[&str] = &[
    "/",
    "/transfer",
    "/transfer/new",
    "/transfer/x?to=1",
    "/users/1/email",
    "/users/1",
    "/admin",
    "/admin/x",
    "/closed",
    "/a/b",
    "/assets/x",
    "//assets/transfer",
    "/assets/%2574ransfer",
    "/assets%3f/x",
    "/other",
    "*",
    "",
    "/?_method=PUT",
];
const HOSTS: &[&str] = &[
    "app.test",
    "APP.test.",
    "app.test:8080",
    "app.test:1",
    "x.wild.test",
    "in.wild.test",
    "in.wild.test:443",
    "staff.test",
    "other.test",
    "",
    "a b",
];
const METHODS: &[&str] = &[
    "GET", "GET", "POST", "HEAD", "OPTIONS", "get", "PROPFIND", "",
];
const NAMES: &[&str] = &[
    "cookie",
    "cookie",
    "x-session-token",
    "authorization",
    "accept",
    "sec-fetch-mode",
    "origin",
    "access-control-request-method",
    "content-type",
    "upgrade",
    "x-requested-with",
    "x-return-to",
    "referer",
    "x-user-id",
    "x_user_aal",
    "X.User.Id",
    "x-request-id",
    "x-http-method-override",
    ":path",
    "sec-purpose",
];
const VALUES: &[&str] = &[
    "ory_kratos_session=abc",
    "ory_kratos_session=abc; ory_kratos_session=def",
    "a=1,ory_kratos_session=x",
    "token",
    "Bearer token",
    "Bearer  x",
    "text/html",
    "application/json;q=nan, text/html;q=inf",
    "navigate",
    "cors",
    "https://app.test",
    "https://evil.test",
    "https://app.test@evil.test/",
    "//evil.test/",
    "/\\evil.test",
    "https://x.wild.test/back?a#b",
    "https://staff.test/",
    "POST",
    "application/grpc",
    "websocket",
    "XMLHttpRequest",
    "root",
    "prefetch",
    "id-1",
    "",
];

fn lines() -> impl Strategy<Value = Vec<(Bytes, Bytes)>> {
    prop::collection::vec((bytes(NAMES), bytes(VALUES)), 0..8)
}

fn context() -> impl Strategy<Value = Vec<(Bytes, Bytes)>> {
    let entry = (
        bytes(&["require", "require", "max_age", "theirs", "other"]),
        bytes(&[
            "session", "aal2", "deny", "none", "5m", "0s", "9999999h", "",
        ]),
    );
    prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(entry, 0..3)]
}

pub(super) fn facts() -> impl Strategy<Value = Facts> {
    let target = prop_oneof![
        3 => bytes(TARGETS),
        1 => spelled().prop_map(Bytes::from),
        1 => (3000..9000_usize).prop_map(|length| Bytes::from(format!("/transfer/{}", "%25".repeat(length / 3)))),
        1 => (1000..9000_usize).prop_map(|length| Bytes::from(format!("/transfer?{}", "<".repeat(length)))),
    ];
    (
        bytes(METHODS),
        bytes(HOSTS),
        target,
        lines(),
        any::<bool>(),
        context(),
    )
        .prop_map(|(method, host, target, lines, joined, context)| Facts {
            reach: Reach::Edits,
            trace: Headers::default(),
            method,
            host,
            target,
            headers: if joined {
                Headers::joined(lines)
            } else {
                Headers::raw(lines)
            },
            context,
            body: None,
        })
}

pub(super) fn session() -> impl Strategy<Value = Session> {
    let aal = prop::sample::select(&[Aal::Aal0, Aal::Aal1, Aal::Aal2, Aal::Aal2][..]);
    let name = prop::sample::select(
        &[
            "password",
            "totp",
            "webauthn",
            "lookup_secret",
            "code",
            "new",
        ][..],
    );
    let method = (
        name,
        prop::option::of(aal.clone()),
        prop::option::of(-100..1000_i64),
    );
    let method = method.prop_map(|(name, aal, age)| Method {
        name: name.into(),
        aal,
        completed_at: age.map(|age| match u64::try_from(age) {
            Ok(age) => now() - Duration::from_secs(age),
            Err(_) => now() + Duration::from_secs(age.unsigned_abs()),
        }),
    });
    let role = prop::option::of(prop::sample::select(&["admin", "viewer"][..]));
    (aal, prop::collection::vec(method, 0..4), role).prop_map(|(aal, methods, role)| {
        let pointer = Pointer::parse("/metadata_public/role").unwrap();
        let claim = |role: &str| (pointer, Claim::One(Scalar::Text(role.into())));
        Session {
            id: "5e551011".into(),
            subject: "1de11111\r\né".into(),
            aal,
            methods,
            claims: Claims::new(role.map(claim).into_iter().collect()),
        }
    })
}

pub(super) fn standing() -> impl Strategy<Value = Standing> {
    let wait = prop::option::of(any::<u64>().prop_map(Duration::from_secs));
    prop_oneof![
        1 => wait.prop_map(|retry_after| Standing::Unavailable { retry_after }),
        1 => Just(Standing::SignedOut),
        1 => Just(Standing::SecondFactorDue),
        6 => session().prop_map(|session| Standing::Session(session.into())),
    ]
}

pub(super) fn enrolment() -> impl Strategy<Value = Enrolment> {
    let factors = prop::sample::subsequence(Factor::ALL.to_vec(), 0..=4);
    prop_oneof![
        Just(Enrolment::Unknown),
        Just(Enrolment::Enrolled),
        Just(Enrolment::NotEnrolled),
        Just(Enrolment::Unavailable { retry_after: None }),
        factors.prop_map(Enrolment::SetUp),
    ]
}

proptest! {
    #[test]
    fn any_request_gets_an_answer_and_an_allow_meets_every_demand(
        facts in facts(), standing in standing(), enrolment in enrolment(),
    ) {
        let (authorizer, policy) = world();
        let answer = authorizer.suppose(&facts, standing.clone(), &enrolment);
        check(&answer);
        prop_assert_eq!(answer.lifted, None);
        if let Reply::Through(through) = answer.reply {
            let (request, demands) = asked(policy, &facts).expect("a request that nobody may make");
            match through.permit.grant() {
                Grant::Open => prop_assert!(demands.is_empty()),
                Grant::Preflight => prop_assert!(request.preflight.is_some()),
                Grant::Shadowed(_) => panic!("no rule is in shadow"),
                Grant::Met => {
                    let Standing::Session(session) = standing else { panic!("no session") };
                    prop_assert!(demands.iter().all(|demand| meets(&session, demand)));
                }
            }
        }
    }
}

//! What the app is told of a person: the truth once, and never what the client says.

use super::{BOTH, Way};

/// Every spelling that some app server takes for `X-User-Id` or `X-User-Aal`, twice where that is allowed.
const FORGED: [(&str, &str); 8] = [
    ("X-User-Id", "forged"),
    ("x-user-id", "forged-too"),
    ("X-USER-AAL", "aal2"),
    ("x.user.id", "forged"),
    ("X.User-Id", "forged"),
    ("x-user.id", "forged"),
    ("x.user.aal", "aal2"),
    ("x-user.aal", "aal2"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_identity_never_reaches_the_app() {
    let way = Way::open().await;
    let cookie = way.sessions().aal2.header();
    let session = [&FORGED[..], &[("cookie", &cookie)]].concat();
    for http in BOTH {
        let seen = way.allowed(http, &way.ask("GET", "/", &session)).await;
        assert_eq!(
            names(&seen),
            [""; 0],
            "{http}: an open page is told nothing"
        );
        let seen = way
            .allowed(http, &way.ask("GET", "/transfer", &session))
            .await;
        assert_eq!(names(&seen), ["x-user-id", "x-user-aal"], "{http}");
        assert_eq!(seen.all("x-user-aal"), ["aal2"]);
        let id = seen.all("x-user-id");
        assert!(id.len() == 1 && !id[0].contains("forged"), "{id:?}");
    }
    way.stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_with_an_underscore_goes_nowhere() {
    let way = Way::open().await;
    for http in BOTH {
        for name in ["x_user_id", "X_User_Id", "x-user_id", "x_user_aal"] {
            let ask = way.ask("GET", "/", &[(name, "forged")]);
            let status = ask.send(http, way.envoy()).await.map(|heard| heard.status);
            assert!(
                matches!(status, None | Some(400)),
                "{name} over {http}: {status:?}"
            );
        }
    }
    assert!(way.app.received().is_empty());
    way.stage.stop().await;
}

/// With Envoy's own strips taken out, Stepgate's allow removes every spelling too.
#[tokio::test(flavor = "multi_thread")]
async fn without_envoys_strips_stepgate_removes_them_itself() {
    let strip = "x[-_.]user[-_.](id|aal|second[-_.]factor)";
    let reject = "headers_with_underscores_action: REJECT_REQUEST";
    let edit = |old: &str, new: &str| (old.to_owned(), new.to_owned());
    for encode_raw_headers in [true, false] {
        let way = Way::with(demo::stage::StageOptions {
            encode_raw_headers,
            envoy_edits: vec![
                edit(strip, "no-such-header"),
                edit(reject, "headers_with_underscores_action: ALLOW"),
            ],
            ..Default::default()
        });
        let way = way.await;
        let forged = [
            &FORGED[..],
            &[("x_user_id", "forged"), ("X_User-Aal", "aal2")],
        ]
        .concat();
        for http in BOTH {
            let seen = way.allowed(http, &way.ask("GET", "/", &forged)).await;
            assert_eq!(names(&seen), [""; 0], "{http}, raw: {encode_raw_headers}");
            let cookie = way.sessions().aal1.header();
            let session = [&forged[..], &[("cookie", &cookie)]].concat();
            let seen = way
                .allowed(http, &way.ask("GET", "/account", &session))
                .await;
            assert_eq!(names(&seen), ["x-user-id", "x-user-aal"], "{http}");
            assert_eq!(seen.all("x-user-aal"), ["aal1"]);
            assert!(!seen.all("x-user-id").concat().contains("forged"));
        }
        way.stage.stop().await;
    }
}

/// The names of all headers that could be one of ours, in any spelling, as often as they came.
fn names(seen: &super::Seen) -> Vec<&str> {
    let names = seen.headers.iter().map(|(name, _)| name.as_str());
    names
        .filter(|name| name.replace(['_', '.'], "-").starts_with("x-user-"))
        .collect()
}

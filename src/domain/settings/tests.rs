use bytes::Bytes;

use super::*;
use crate::domain::{headers::Headers, request::Facts};

const FLOW: &str = "/self-service/settings?flow=f";

fn request(method: &str, target: &str) -> Request {
    let facts = Facts {
        method: Bytes::from(method.to_owned()),
        host: Bytes::from_static(b"ciam.test"),
        target: Bytes::from(target.to_owned()),
        headers: Headers::default(),
        ..Facts::default()
    };
    let options = PathOptions {
        keep_semicolon: true,
        ignore_case: false,
    };
    Request::parse(&facts, options).unwrap()
}

fn posted(target: &str, body: &str) -> Option<Intent> {
    let fields = urlencoded(body.as_bytes()).unwrap();
    intent(&request("POST", target), Some(&fields))
}

fn got(query: &str) -> Option<Intent> {
    intent(&request("GET", &format!("{FLOW}&{query}")), None)
}

/// What each strategy of Kratos v26.2.0 takes: a form's fields, and whether they set a second factor up.
const SUBMISSIONS: [(&str, bool); 27] = [
    ("method=totp&totp_code=000000", true),
    ("method=lookup_secret&lookup_secret_regenerate=true", true),
    ("lookup_secret_regenerate=true", true),
    ("method=lookup_secret&lookup_secret_confirm=true", true),
    ("lookup_secret_confirm=true", true),
    (
        "webauthn_register={}&webauthn_register_displayname=key",
        true,
    ),
    (
        "method=webauthn&webauthn_register={}&webauthn_register_displayname=key",
        true,
    ),
    ("method=totp&totp_unlink=true", false),
    ("totp_unlink=true", false),
    ("lookup_secret_reveal=true", false),
    ("lookup_secret_disable=true", false),
    ("method=lookup_secret&lookup_secret_disable=true", false),
    ("webauthn_remove=00", false),
    ("method=webauthn&webauthn_remove=00", false),
    ("method=password&password=new", false),
    ("method=profile&traits.email=new", false),
    ("method=profile&traits={}", false),
    ("method=oidc&link=provider", false),
    ("link=provider", false),
    ("unlink=provider", false),
    ("method=saml&link=provider", false),
    ("passkey_settings_register={}", false),
    ("method=passkey&passkey_settings_register={}", false),
    ("passkey_remove=00", false),
    ("method=totp&transient_payload={}", false),
    ("method=code&totp_code=000000", false),
    ("", false),
];

#[test]
fn only_what_sets_a_second_factor_up_enrols() {
    for (fields, is_enrolling) in SUBMISSIONS {
        let wanted = if is_enrolling {
            Intent::Enrol
        } else {
            Intent::Change
        };
        let with_csrf = format!("csrf_token=t&{fields}");
        assert_eq!(posted(FLOW, fields), Some(wanted), "POST {fields}");
        assert_eq!(posted(FLOW, &with_csrf), Some(wanted), "POST {fields}");
        let by_get = got(&with_csrf);
        assert_eq!(by_get, Some(wanted), "GET {fields}");
        let in_query = format!("{FLOW}&{fields}");
        assert_eq!(
            posted(&in_query, "csrf_token=t"),
            Some(wanted),
            "query {fields}"
        );
    }
}

#[test]
fn an_enrolment_carries_nothing_else() {
    let enrolment = "method=totp&totp_code=000000";
    for (fields, _) in SUBMISSIONS.into_iter().filter(|(_, enrols)| !enrols) {
        let joined = format!("{enrolment}&{fields}");
        let is_empty = fields.is_empty();
        let wanted = if is_empty {
            Intent::Enrol
        } else {
            Intent::Change
        };
        assert_eq!(posted(FLOW, &joined), Some(wanted), "{joined}");
        let beside = posted(&format!("{FLOW}&{fields}"), enrolment);
        assert_eq!(beside, Some(wanted), "{fields} in the query");
    }
    for twice in [
        "method=totp&method=totp",
        "method=totp&method=password",
        "method=password&method=totp",
        "method=totp&totp_code=1&totp_code=2",
        "method=totp&flow=g",
        "Method=totp",
        "method[]=totp",
        "method[0]=totp",
        "method.x=totp",
        "method=TOTP",
        "method=totp%20",
        "method=totp&=x",
        "method=totp&%FF=x",
        "method=totp%00",
    ] {
        assert_eq!(posted(FLOW, twice), Some(Intent::Change), "{twice}");
        assert_eq!(got(twice), Some(Intent::Change), "GET {twice}");
    }
}

#[test]
fn a_submission_that_nobody_can_read_changes_something() {
    let request = |method, target| intent(&request(method, target), None);
    assert_eq!(request("POST", FLOW), Some(Intent::Change));
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
        assert_eq!(request(method, FLOW), Some(Intent::Change), "{method}");
    }
    for target in [
        "/self-service/settings?flow=f;method=password",
        "/self-service/settings?flow=%",
        "/self-service/settings?flow=f&flow=f",
        "/self-service/settings?flow=f&return_to=/",
    ] {
        assert_eq!(request("GET", target), Some(Intent::Change), "{target}");
        let enrolment = posted(target, "method=totp&totp_code=0");
        assert_eq!(enrolment, Some(Intent::Change), "{target}");
    }
}

#[test]
fn looking_and_beginning_change_nothing() {
    for target in [
        FLOW,
        "/self-service/settings",
        "/self-service/settings/browser",
        "/self-service/settings/browser?return_to=https://app.test/a%3Fmethod=password",
        "/self-service/settings/api",
        "/self-service/settings/flows?id=f",
        "/.ory/kratos/self-service/settings/browser/",
    ] {
        for method in ["GET", "HEAD"] {
            let own = intent(&request(method, target), None);
            assert_eq!(own, Some(Intent::Read), "{method} {target}");
        }
    }
}

#[test]
fn every_spelling_of_the_settings_is_theirs() {
    for path in [
        "/self-service/settings",
        "/self-service/settings/",
        "//self-service//settings",
        "//x/self-service/settings",
        "/self-service/%73ettings",
        "/self-service/%2573ettings",
        "/self-service/settings%20",
        "/self-service/settings%3fx",
        "/self-service;a=b/settings;c",
        "/Self-Service/SETTINGS",
        "/.ory/kratos/self-service/settings",
        "/self-service/settings/browser",
        "/self-service/settings/browser/more",
        "/self-service/settings/flows",
    ] {
        let change = posted(path, "method=password&password=new");
        assert_eq!(change, Some(Intent::Change), "{path}");
    }
    for path in [
        "/",
        "/settings",
        "/self-service",
        "/self-service/login",
        "/self-service/settingsx",
        "/self-service/x/settings",
        "/account/settings",
    ] {
        assert_eq!(posted(path, "method=password"), None, "{path}");
    }
}

#[test]
fn rules_give_way_on_kratos_own_paths_only() {
    let first = |url: &str| {
        let url = BaseUrl::parse(url).unwrap();
        EnrolFirst::new(&url, PathOptions::default()).unwrap()
    };
    let path = |text: &str| Path::parse(text.as_bytes(), PathOptions::default()).unwrap();
    let bare = first("https://app.test");
    let below = first("https://app.test/.ory/kratos");
    for (own, serves, target, wanted) in [
        (&bare, Serves::Apps, "/self-service/login", false),
        (&bare, Serves::Kratos, "/anything", true),
        (&bare, Serves::Both, "/self-service/login/browser", true),
        (&bare, Serves::Both, "/sessions/whoami", true),
        (&bare, Serves::Both, "/transfer", false),
        (&bare, Serves::Both, "/x/self-service/login", false),
        (&bare, Serves::Both, "/SELF-SERVICE/login", false),
        (&bare, Serves::Both, "//self-service/login", false),
        (&below, Serves::Both, "/self-service/login", false),
        (
            &below,
            Serves::Both,
            "/.ory/kratos/self-service/login",
            true,
        ),
        (&below, Serves::Both, "/.ory/kratos/admin", false),
    ] {
        let replaced = own.replaces_rules(serves, &path(target));
        assert_eq!(replaced, wanted, "{serves:?} {target}");
    }
}

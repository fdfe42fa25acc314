use bytes::Bytes;
use http::header;
use url::form_urlencoded::Serializer;

use super::*;
use crate::domain::{
    credential::CredentialKind,
    host::Authority,
    identity_domain::{BaseUrl, IdentityDomain, Refresh},
    loop_guard::Loop,
    marker::{Outcome, Secret},
    origin::{OriginPattern, Origins},
    path::PathOptions,
    reason::{Malformed, Reason},
    request::Facts,
    resume::{Form, Kept, Owner, Ticket, Who, continued},
    rule::{DEFAULT_RULE, Requirement},
    rule_set::RuleSet,
    session::Factor,
    upstream_headers::UpstreamHeaders,
};

pub(crate) fn policy() -> Policy {
    let domain = |name: &str| IdentityDomain {
        name: name.into(),
        browser_url: BaseUrl::parse("https://ciam.test").unwrap(),
        cookie: "ory_kratos_session".into(),
        credentials: vec![CredentialKind::Cookie],
        refresh: Refresh::Always,
        enrolment: EnrolmentPolicy::Detect,
        enrol_first: None,
    };
    let origin = |text: &str, id| (OriginPattern::parse(text).unwrap(), id);
    let origins = [
        origin("https://app.test", 0),
        origin("https://*.wild.test", 0),
        origin("https://staff.test", 1),
    ];
    Policy {
        identity_domains: vec![domain("ciam"), domain("iam")],
        origins: Origins::new(origins),
        rules: RuleSet::new(vec![], Requirement::Deny).unwrap(),
        paths: PathOptions::default(),
        upstream_headers: UpstreamHeaders::default(),
        context_ignore: vec![],
        secret: Secret::new(b"not-a-secret-but-long-enough-for-one").unwrap(),
    }
}

struct Asking {
    client: Client,
    method: &'static str,
    target: String,
    headers: Vec<(&'static str, &'static str)>,
    return_to: Option<&'static str>,
    host: &'static str,
    not_kept: Option<NotKept>,
}

impl Default for Asking {
    fn default() -> Self {
        Self {
            client: Client::Page,
            method: "GET",
            target: "/transfer".into(),
            headers: vec![],
            return_to: None,
            host: "app.test",
            not_kept: None,
        }
    }
}

impl Asking {
    fn refusal(&self, policy: &Policy, decision: Decision) -> Refusal {
        let headers = Headers::from_lines(&self.headers);
        let facts = Facts {
            method: Bytes::from_static(self.method.as_bytes()),
            host: Bytes::from_static(self.host.as_bytes()),
            target: Bytes::copy_from_slice(self.target.as_bytes()),
            headers: headers.clone(),
            ..Facts::default()
        };
        let request = Request::parse(&facts, PathOptions::default()).unwrap();
        let site = policy.locate(&request.authority).unwrap();
        let default = policy.rules.find(
            &request.authority.host,
            request.path.whole(),
            &request.method,
        );
        let rule = Rule {
            return_to: self.return_to.map(Into::into),
            ..default.clone()
        };
        let judged = Some(Judged {
            request: &request,
            site: &site,
            rule: &rule,
        });
        let case = Case {
            policy,
            headers: &headers,
            client: self.client,
            request_id: "id-1",
            judged,
            session: None,
            not_kept: self.not_kept,
            response_headers: &[],
        };
        match Reply::new(decision, &case) {
            Reply::Refused(refusal) => refusal,
            Reply::Through(_) => panic!("refusals only"),
        }
    }

    fn location(&self, decision: Decision) -> Option<String> {
        header(&self.refusal(&policy(), decision), "location")
    }
}

fn header(refusal: &Refusal, name: &str) -> Option<String> {
    let mut values = refusal
        .headers
        .iter()
        .filter(|(key, _)| key == name)
        .map(|(_, value)| value.to_str().unwrap().to_owned());
    let first = values.next();
    assert_eq!(values.next(), None, "{name} stands twice");
    first
}

fn step_up(is_stale: bool) -> Decision {
    Decision::StepUp(StepUp {
        is_stale,
        max_age: None,
    })
}

#[test]
fn login_step_up_and_enrolment_are_three_different_addresses() {
    let asking = Asking {
        target: "/transfer?to=ann&sum=5%20x".into(),
        ..Asking::default()
    };
    let back = "return_to=https%3A%2F%2Fapp.test%2Ftransfer%3Fto%3Dann%26sum%3D5%2520x";
    let ciam = "https://ciam.test/self-service";
    assert_eq!(
        asking.location(Decision::Login),
        Some(format!("{ciam}/login/browser?{back}"))
    );
    assert_eq!(
        asking.location(step_up(false)),
        Some(format!("{ciam}/login/browser?aal=aal2&refresh=true&{back}"))
    );
    assert_eq!(
        asking.location(Decision::Enrol),
        Some(format!("{ciam}/settings/browser?{back}"))
    );
}

#[test]
fn refresh_is_left_out_where_the_operator_says_so_unless_the_session_is_aal2() {
    let mut policy = policy();
    policy.identity_domains[0].refresh = Refresh::WhenStale;
    let start = |is_stale| {
        let location = header(
            &Asking::default().refusal(&policy, step_up(is_stale)),
            "location",
        )
        .unwrap();
        location.split("return_to").next().unwrap().to_owned()
    };
    assert_eq!(
        start(false),
        "https://ciam.test/self-service/login/browser?aal=aal2&"
    );
    assert_eq!(
        start(true),
        "https://ciam.test/self-service/login/browser?aal=aal2&refresh=true&"
    );
}

fn return_to(asking: &Asking) -> String {
    let location = asking.location(Decision::Login).unwrap();
    let (_, encoded) = location.split_once("return_to=").unwrap();
    percent_encoding::percent_decode_str(encoded)
        .decode_utf8()
        .unwrap()
        .into_owned()
}

#[test]
fn a_page_leads_back_to_itself_and_anything_else_to_the_first_trusted_address() {
    let post = |headers: &[(&'static str, &'static str)], rule: Option<&'static str>| {
        return_to(&Asking {
            method: "POST",
            headers: headers.to_vec(),
            return_to: rule,
            ..Asking::default()
        })
    };
    assert_eq!(
        return_to(&Asking {
            target: "//evil.test/?a=b&c".into(),
            ..Asking::default()
        }),
        "https://app.test//evil.test/?a=b&c"
    );
    assert_eq!(
        return_to(&Asking {
            host: "a.wild.test",
            ..Asking::default()
        }),
        "https://a.wild.test/transfer"
    );
    assert_eq!(post(&[], None), "https://app.test/");
    assert_eq!(
        post(&[("referer", "https://app.test/form?x#y")], None),
        "https://app.test/form?x#y"
    );
    assert_eq!(
        post(&[("referer", "https://app.test/form")], Some("/start")),
        "https://app.test/start"
    );
    assert_eq!(
        post(&[("x-return-to", "/here?x=1")], Some("/start")),
        "https://app.test/here?x=1"
    );
    assert_eq!(
        post(&[("x-return-to", "https://b.wild.test/x")], None),
        "https://b.wild.test/x"
    );
}

#[test]
fn an_address_outside_the_identity_domain_is_ignored() {
    let hostile = [
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test/",
        "https://user:pw@app.test/",
        "https://app.test@evil.test/",
        "http://app.test/",
        "https://app.test:8443/",
        "https://staff.test/",
        "javascript:alert(1)",
        "https://app.test/\u{1}",
        "https://wild.test/",
        "relative",
        "",
    ];
    for value in hostile {
        for name in ["x-return-to", "referer"] {
            let asking = Asking {
                method: "POST",
                headers: vec![(name, value)],
                ..Asking::default()
            };
            assert_eq!(return_to(&asking), "https://app.test/", "{name}: {value}");
        }
    }
}

#[test]
fn a_long_address_loses_its_query_and_then_its_path() {
    let long_query = Asking {
        target: format!("/transfer?{}", "a".repeat(4096)),
        ..Asking::default()
    };
    assert_eq!(return_to(&long_query), "https://app.test/transfer");
    let long_path = Asking {
        target: format!("/{}", "a".repeat(4096)),
        ..Asking::default()
    };
    assert_eq!(return_to(&long_path), "https://app.test/");
}

/// A decision and its status for each kind of client, in the order of [`Client::ALL`].
type Row = (fn() -> Decision, [u16; 6]);

#[test]
fn every_client_hears_every_outcome_in_a_form_it_can_act_on() {
    let unavailable = || Decision::Unavailable { retry_after: None };
    let outcomes: [Row; 9] = [
        (|| Decision::Login, [401, 401, 401, 401, 303, 401]),
        (|| step_up(false), [403, 403, 403, 401, 303, 403]),
        (|| step_up(true), [403, 403, 403, 401, 303, 403]),
        (|| Decision::Enrol, [403, 403, 403, 403, 303, 403]),
        (|| Decision::Deny(Reason::AccessDenied), [403; 6]),
        (|| looped(Outcome::StepUp, &[], None), [403; 6]),
        (|| Decision::Malformed(Malformed::Method), [400; 6]),
        (|| Decision::HostUnknown, [421; 6]),
        (|| Decision::Unavailable { retry_after: None }, [503; 6]),
    ];
    for (decision, statuses) in outcomes {
        for (client, status) in Client::ALL.into_iter().zip(statuses) {
            let refusal = Asking {
                client,
                ..Asking::default()
            }
            .refusal(&policy(), decision());
            assert_eq!(refusal.status, status, "{client:?} {:?}", decision());
            assert!(refusal.body.len() < 4096);
            assert_eq!(header(&refusal, "cache-control").unwrap(), "no-store");
            assert_eq!(
                header(&refusal, "x-stepgate-reason").unwrap(),
                decision().reason().as_str()
            );
            assert_eq!(header(&refusal, "location").is_some(), status == 303);
            assert_eq!(
                header(&refusal, "retry-after").is_some(),
                decision() == unavailable()
            );
        }
    }
}

#[test]
fn the_page_that_tells_of_two_sessions_ends_both_and_leads_to_log_in() {
    let page = Asking {
        host: "a.b.wild.test",
        ..Asking::default()
    }
    .refusal(&policy(), Decision::Ambiguous);
    let cookies = page.headers.iter().filter(|(name, _)| name == "set-cookie");
    let cookies: Vec<_> = cookies.map(|(_, value)| value.to_str().unwrap()).collect();
    let end = |domain: &str| format!("ory_kratos_session=; Path=/; Max-Age=0{domain}");
    let domains = [
        "",
        "; Domain=a.b.wild.test",
        "; Domain=b.wild.test",
        "; Domain=wild.test",
    ];
    assert_eq!(cookies, domains.map(end));
    let link = "<a href=\"https://ciam.test/self-service/login/browser?return_to=https%3A%2F%2Fa.b.wild.test%2Ftransfer\">";
    assert!(page.body.contains(link), "{}", page.body);
    let script = Asking {
        client: Client::Script,
        ..Asking::default()
    }
    .refusal(&policy(), Decision::Ambiguous);
    assert_eq!(header(&script, "set-cookie"), None);
}

#[test]
fn the_grpc_code_goes_with_the_answer() {
    let table = [
        (Decision::Login, Client::Page, Code::Unauthenticated),
        (Decision::Login, Client::Script, Code::Unauthenticated),
        (step_up(false), Client::Page, Code::PermissionDenied),
        (step_up(false), Client::Bearer, Code::Unauthenticated),
        (Decision::Enrol, Client::Page, Code::PermissionDenied),
        (
            Decision::Deny(Reason::AccessDenied),
            Client::Grpc,
            Code::PermissionDenied,
        ),
        (Decision::HostUnknown, Client::Page, Code::InvalidArgument),
        (
            Decision::Unavailable { retry_after: None },
            Client::Page,
            Code::Unavailable,
        ),
    ];
    for (decision, client, code) in table {
        let text = format!("{decision:?} {client:?}");
        let refusal = Asking {
            client,
            ..Asking::default()
        }
        .refusal(&policy(), decision);
        assert_eq!(refusal.code, code, "{text}");
    }
}

#[test]
fn a_bearer_is_challenged_as_rfc_9470_says() {
    let bearer = Asking {
        client: Client::Bearer,
        ..Asking::default()
    };
    let told = |decision| header(&bearer.refusal(&policy(), decision), "www-authenticate").unwrap();
    assert_eq!(told(Decision::Login), r#"Bearer error="invalid_token""#);
    let stale = Decision::StepUp(StepUp {
        is_stale: true,
        max_age: Some(Duration::from_secs(300)),
    });
    let told = told(stale);
    assert!(
        told.starts_with(r#"Bearer error="insufficient_user_authentication", error_description=""#),
        "{told}"
    );
    assert!(
        told.ends_with(r#", acr_values="aal2", max_age="300""#),
        "{told}"
    );
}

#[test]
fn a_script_reads_the_address_in_the_body() {
    let script = Asking {
        client: Client::Script,
        ..Asking::default()
    };
    let refusal = script.refusal(&policy(), step_up(false));
    let body: serde_json::Value = serde_json::from_str(&refusal.body).unwrap();
    assert_eq!(body["error"]["id"], "session_aal2_required");
    assert_eq!(body["error"]["code"], 403);
    assert_eq!(body["error"]["status"], "Forbidden");
    assert_eq!(body["error_id"], "session_aal2_required");
    assert_eq!(body["rule"], DEFAULT_RULE);
    assert_eq!(body["request_id"], "id-1");
    let address = body["redirect_browser_to"].as_str().unwrap();
    assert_eq!(
        address,
        "https://ciam.test/self-service/login/browser?aal=aal2&refresh=true&return_to=https%3A%2F%2Fapp.test%2F"
    );
}

#[test]
fn only_an_origin_of_the_same_identity_domain_may_read_a_refusal() {
    let allowed = |origin: &'static str| {
        let script = Asking {
            client: Client::Script,
            headers: vec![("origin", origin)],
            ..Asking::default()
        };
        header(
            &script.refusal(&policy(), Decision::Login),
            "access-control-allow-origin",
        )
    };
    assert_eq!(
        allowed("https://app.test").as_deref(),
        Some("https://app.test")
    );
    assert_eq!(
        allowed("https://a.wild.test").as_deref(),
        Some("https://a.wild.test")
    );
    for origin in [
        "https://evil.test",
        "https://staff.test",
        "http://app.test",
        "null",
        "https://app.test/",
        "https://user@app.test",
    ] {
        assert_eq!(allowed(origin), None, "{origin}");
    }
}

#[test]
fn enrolment_may_be_a_refusal() {
    let mut policy = policy();
    policy.identity_domains[0].enrolment = EnrolmentPolicy::Refuse;
    let refusal = Asking::default().refusal(&policy, Decision::Enrol);
    assert_eq!(refusal.status, 403);
    assert_eq!(header(&refusal, "location"), None);
    assert!(refusal.body.contains("your account has none yet"));
}

fn looped(outcome: Outcome, factors: &[Factor], max_age: Option<u64>) -> Decision {
    Decision::Loop(Loop {
        outcome,
        factors: factors.to_vec(),
        max_age: max_age.map(Duration::from_secs),
    })
}

#[test]
fn a_loop_is_a_page_that_says_why_and_where_to_go() {
    let refusal = Asking {
        target: "/transfer?to=a&b".into(),
        ..Asking::default()
    }
    .refusal(&policy(), looped(Outcome::Login, &[], None));
    assert_eq!(
        (refusal.status.as_u16(), refusal.code),
        (403, Code::PermissionDenied)
    );
    assert_eq!(
        header(&refusal, "x-stepgate-reason").unwrap(),
        "step_up_loop"
    );
    assert_eq!(header(&refusal, "location"), None);
    assert!(
        header(&refusal, "content-security-policy")
            .unwrap()
            .contains("form-action 'none'")
    );
    let back = "return_to=https%3A%2F%2Fapp.test%2Ftransfer%3Fto%3Da%26b";
    for part in [
        "<a href=\"\">Try again</a>".to_owned(),
        format!("<a href=\"https://ciam.test/self-service/settings/browser?{back}\">"),
        "session.cookie.domain".to_owned(),
        "id-1".to_owned(),
    ] {
        assert!(refusal.body.contains(&part), "{part}");
    }
}

#[test]
fn a_loop_of_step_ups_says_what_counts() {
    let said = |factors: &[Factor], max_age| {
        let looped = looped(Outcome::StepUp, factors, max_age);
        Asking::default().refusal(&policy(), looped).body
    };
    let cases = [
        (
            said(&[], None),
            "This page needs a second factor. The confirmation was not finished.",
        ),
        (
            said(&[Factor::Totp, Factor::Webauthn], None),
            "a code from an authenticator app or a security key. Another one does not count.",
        ),
        (said(&[], Some(300)), "given at most 5 minutes ago"),
        (said(&[], Some(3600)), "given at most 1 hour ago"),
        (said(&[], Some(90)), "given at most 90 seconds ago"),
        (said(&[], Some(0)), "given at most 0 seconds ago"),
        (said(&[], Some(60)), "Or the clocks differ"),
    ];
    for (body, part) in cases {
        assert!(body.contains(part), "{part}\n{body}");
    }
    assert!(
        !said(&[], None).contains("clocks"),
        "where no age is asked for, no clock matters"
    );
    let enrol =
        Asking::default().refusal(&policy(), looped(Outcome::Enrol, &[Factor::Webauthn], None));
    assert!(
        enrol
            .body
            .contains("Nothing was set up. This page needs a security key;")
    );
}

#[test]
fn a_form_is_not_sent_again_by_a_link() {
    let post = Asking {
        method: "POST",
        ..Asking::default()
    };
    let body = post
        .refusal(&policy(), looped(Outcome::StepUp, &[], None))
        .body;
    assert!(!body.contains("Try again") && body.contains("/settings/browser?"));
}

#[test]
fn a_loop_page_repeats_nothing_hostile_and_stays_small() {
    let hostile = "\"'><script>alert(1)</script>&{request_id}";
    let mut policy = policy();
    let mut check = |target: String, browser_url: &str| {
        policy.identity_domains[0].browser_url = BaseUrl::parse(browser_url).unwrap();
        for outcome in Outcome::ALL {
            let asking = Asking {
                target: target.clone(),
                ..Asking::default()
            };
            let body = asking
                .refusal(&policy, looped(outcome, &Factor::ALL, Some(86_399)))
                .body;
            assert!(body.len() < 4096, "{}", body.len());
            assert!(
                !body.contains("<script") && !body.contains("alert(1)</"),
                "{body}"
            );
            assert_eq!(body.matches("id-1").count(), 1, "{body}");
        }
    };
    for length in [0, 600, 1000, 8000] {
        check(
            format!("/transfer?{hostile}{}", "a".repeat(length)),
            "https://ciam.test",
        );
        check(
            format!("/transfer?{}", "'".repeat(length)),
            "https://ciam.test",
        );
    }
    check("/transfer".into(), "https://ciam.test/a&b'c");
    check(
        "/transfer".into(),
        &format!("https://ciam.test/{}", "&".repeat(900)),
    );
}

#[test]
fn a_cookie_goes_with_any_answer() {
    let cookie = (header::SET_COOKIE, HeaderValue::from_static("a=1"));
    let policy = policy();
    let headers = Headers::default();
    let case = Case {
        policy: &policy,
        headers: &headers,
        client: Client::Page,
        request_id: "id-1",
        judged: None,
        session: None,
        not_kept: None,
        response_headers: &[cookie.clone(), cookie.clone()],
    };
    let Reply::Refused(refusal) = Reply::new(Decision::HostUnknown, &case) else {
        panic!("refusals only");
    };
    let both = [cookie.clone(), cookie];
    assert!(refusal.headers.ends_with(&both));
}

fn form(fields: &str) -> Form {
    Form::read(b"application/x-www-form-urlencoded", fields.as_bytes()).unwrap()
}

fn ticket() -> Ticket {
    Ticket {
        key: "0a1b".into(),
        nonce: "n0nce".into(),
    }
}

fn kept(challenge: Decision, fields: &str) -> Decision {
    let policy = policy();
    let authority = Authority::parse(b"app.test").unwrap();
    let site = policy.locate(&authority).unwrap();
    Decision::Keep(Box::new(Kept {
        challenge,
        form: form(fields),
        owner: Owner::of(&policy.secret, &site.origin, "s1"),
        ticket: ticket(),
    }))
}

const STEP_UP: Decision = Decision::StepUp(StepUp {
    is_stale: false,
    max_age: None,
});

#[test]
fn a_form_is_kept_by_a_page_that_goes_to_the_challenge() {
    let post = Asking {
        method: "POST",
        return_to: Some("/form"),
        ..Asking::default()
    };
    for (challenge, code) in [
        (Decision::Login, Code::Unauthenticated),
        (STEP_UP, Code::PermissionDenied),
        (Decision::Enrol, Code::PermissionDenied),
    ] {
        let plain = post.location(match &challenge {
            Decision::Login => Decision::Login,
            Decision::Enrol => Decision::Enrol,
            _ => STEP_UP,
        });
        let word = challenge.as_str();
        let decision = kept(challenge, "to=a+b&to=%C3%A4");
        assert_eq!(
            (decision.as_str(), decision.reason()),
            (word, Reason::Resume)
        );
        let refusal = post.refusal(&policy(), decision);
        assert_eq!((refusal.status.as_u16(), refusal.code), (403, code));
        assert_eq!(header(&refusal, "x-stepgate-reason").unwrap(), "resume");
        assert_eq!(header(&refusal, "cache-control").unwrap(), "no-store");
        assert_eq!(header(&refusal, "location"), None);
        let plain = plain.unwrap().replace('&', "&amp;");
        let way_back = plain.replace("%2Fform", "%2F.stepgate%2Fresume%3Fk%3D0a1b");
        for part in [
            format!("<a href=\"{plain}\">"),
            format!("data-challenge=\"{way_back}\""),
            "data-fields=\"to=a+b&to=%C3%A4\"".to_owned(),
            "<script nonce=\"n0nce\"".to_owned(),
            "data-key=\"0a1b\"".to_owned(),
        ] {
            assert!(refusal.body.contains(&part), "{part}\n{}", refusal.body);
        }
    }
}

#[test]
fn the_pages_of_a_form_run_their_own_script_and_nothing_else() {
    let continued = |policy: &Policy| {
        let site = policy
            .locate(&Authority::parse(b"app.test").unwrap())
            .unwrap();
        let page = continued(Who::SignedOut, &policy.secret, &site, ticket());
        Decision::Resume(Box::new(page))
    };
    for decision in [kept(STEP_UP, "a=1"), continued(&policy())] {
        let refusal = Asking::default().refusal(&policy(), decision);
        assert_eq!(refusal.status, 403);
        assert_eq!(
            header(&refusal, "content-security-policy").unwrap(),
            "default-src 'none'; script-src 'nonce-n0nce'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
        );
        assert_eq!(refusal.body.matches("<script").count(), 1);
        assert!(!refusal.body.contains("{nonce}") && !refusal.body.contains("src="));
        assert!(refusal.body.len() < 12 * 1024, "{}", refusal.body.len());
    }
    let script = Asking {
        client: Client::Script,
        ..Asking::default()
    };
    let refusal = script.refusal(&policy(), continued(&policy()));
    assert_eq!(
        (refusal.status.as_u16(), refusal.code),
        (403, Code::PermissionDenied)
    );
    assert!(
        refusal.body.starts_with(r#"{"error":{"id":"resume""#),
        "{}",
        refusal.body
    );
}

#[test]
fn a_page_that_keeps_a_form_says_the_same_whatever_is_in_it() {
    let hostile =
        "</script><script>alert(1)</script>\"'><b>\u{2028}{fields}{nonce}{request_id}--><!--";
    let fields = Serializer::new(String::new())
        .append_pair(hostile, hostile)
        .finish();
    let post = Asking {
        method: "POST",
        ..Asking::default()
    };
    let body = |fields: &str| post.refusal(&policy(), kept(STEP_UP, fields)).body;
    assert_eq!(body(&fields).replace(&fields, "a=1"), body("a=1"));
}

#[test]
fn the_largest_form_makes_a_page_of_less_than_256_kib() {
    let value = "\u{7f}".repeat(64 * 1024 - 200);
    let body =
        format!("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{value}\r\n--b--\r\n");
    let form = Form::read(b"multipart/form-data; boundary=b", body.as_bytes()).unwrap();
    let Decision::Keep(mut kept) = kept(STEP_UP, "a=1") else {
        panic!("a form is kept");
    };
    kept.form = form;
    let refusal = Asking::default().refusal(&policy(), Decision::Keep(kept));
    assert!(refusal.body.len() < 256 * 1024, "{}", refusal.body.len());
}

#[test]
fn a_form_that_is_lost_is_told_of() {
    let post = Asking {
        method: "POST",
        not_kept: Some(NotKept::Files),
        ..Asking::default()
    };
    let refusal = post.refusal(&policy(), STEP_UP);
    assert_eq!(refusal.status, 303);
    assert_eq!(
        header(&refusal, "x-stepgate-notice").unwrap(),
        "form_not_kept; why=files"
    );
}

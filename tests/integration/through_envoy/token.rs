//! Callers with a token: native apps and bearers.

use serde_json::Value;

use super::{BOTH, Way};
use demo::stage::people;

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_token_hears_its_own_challenge() {
    let way = Way::open().await;
    let double = way.stage.double().unwrap();
    let email = people().swap_remove(0).email;
    let token = double.sign_in_native(&email).unwrap();
    let bearer = format!("Bearer {token}");
    let native = [("x-session-token", &*token)];
    let authorized = [("authorization", &*bearer)];
    for http in BOTH {
        let heard = way
            .refused(http, &way.ask("POST", "/transfer", &native))
            .await;
        assert_eq!((heard.status, heard.header("www-authenticate")), (403, ""));
        let body: Value = serde_json::from_str(&heard.body).unwrap();
        let step_up = way.flow("login/browser?aal=aal2&refresh=true", "/");
        assert_eq!(body["redirect_browser_to"], step_up);

        let heard = way
            .refused(http, &way.ask("POST", "/transfer", &authorized))
            .await;
        let challenge = heard.header("www-authenticate");
        assert_eq!(heard.status, 401);
        assert!(challenge.starts_with(r#"Bearer error="insufficient_user_authentication", "#));
        assert!(challenge.ends_with(r#", acr_values="aal2""#), "{challenge}");
        let heard = way
            .refused(http, &way.ask("GET", "/recent", &authorized))
            .await;
        assert!(
            heard
                .header("www-authenticate")
                .ends_with(r#", max_age="300""#)
        );

        let unknown = [("authorization", "Bearer ory_st_nobody")];
        let heard = way
            .refused(http, &way.ask("GET", "/account", &unknown))
            .await;
        let challenge = heard.header("www-authenticate");
        assert_eq!(
            (heard.status, challenge),
            (401, r#"Bearer error="invalid_token""#)
        );
    }
    assert!(double.step_up_native(&token, "totp"));
    for http in BOTH {
        for headers in [native, authorized] {
            let seen = way
                .allowed(http, &way.ask("POST", "/transfer", &headers))
                .await;
            assert_eq!(seen.all("x-user-aal"), ["aal2"]);
        }
    }
    way.stage.stop().await;
}

use super::browser::{Answer, Http};
use super::part::{Part, key, sent_to, with_field};
use super::tale::{End, Step, Tale, same};
use super::{Customer, Place};

const FORGED: [(&str, &str); 3] = [
    ("x-user-id", "forged"),
    ("x-user-aal", "aal2"),
    ("x.user.id", "forged"),
];

/// Walks the whole story: `enrolled` has an authenticator app and backup codes, `plain` a password only.
/// Afterwards `plain` has an app as well, and `enrolled` a backup code less.
pub async fn walk(place: &Place, http: Http, enrolled: &Customer, plain: &Customer) -> Vec<Step> {
    let mut tale = Tale::default();
    // A part that ends early has told why.
    if let Ok(part) = Part::new(place, http, &mut tale) {
        let _ = part.step_up(enrolled).await;
    }
    if let Ok(part) = Part::new(place, http, &mut tale) {
        let _ = part.backup_code(enrolled).await;
    }
    if let Ok(part) = Part::new(place, http, &mut tale) {
        let _ = part.enrol(plain).await;
    }
    tale.steps
}

impl Part<'_> {
    async fn step_up(mut self, customer: &Customer) -> Result<(), End> {
        self.open_page().await?;
        self.log_in(customer).await?;
        self.account(customer).await?;
        let page = self.second_factor_page().await?;
        self.wrong_code(&page).await?;
        self.right_code(&page, customer).await?;
        self.done("the same URL answers once the code is given", 1)
            .await?;
        self.forged_headers().await?;
        self.log_out().await
    }

    async fn backup_code(mut self, customer: &Customer) -> Result<(), End> {
        self.log_in(customer).await?;
        let page = self.second_factor_page().await?;
        let code = customer.backup_codes.first().map_or("", String::as_str);
        let answer = self.browser.submit(&page, &[("lookup_secret", code)]).await;
        let back = answer.and_then(|answer| sent_to(&answer, &self.asked));
        self.tale
            .step("a backup code leads back to the same URL", back)?;
        self.done("the same URL answers after a backup code", 1)
            .await
    }

    async fn enrol(mut self, customer: &Customer) -> Result<(), End> {
        self.log_in(customer).await?;
        let want = self.flow("settings/browser");
        self.challenged(
            "no second factor: sent to settings, not to a form that asks for one",
            &want,
        )
        .await?;
        let page = self
            .browser
            .follow(&want)
            .await
            .and_then(|page| with_field(page, "totp_code"));
        let page = self
            .tale
            .step("settings offer an authenticator app", page)?;
        let answer = match key(&page.body) {
            Some(key) => {
                self.browser
                    .submit(&page, &[("totp_code", &(self.place.code)(key))])
                    .await
            }
            None => Err("the page shows no key".to_owned()),
        };
        let back = answer.and_then(|answer| sent_to(&answer, &self.asked));
        self.tale.step(
            "the first code of the new app leads back to the same URL",
            back,
        )?;
        self.done("enrolled: straight through, without a second code", 1)
            .await
    }

    async fn open_page(&mut self) -> Result<(), End> {
        let answer = self.browser.get(&self.place.app).await;
        let open = answer.and_then(|answer| same("status", &answer.status, &200));
        self.tale.step("the open page is open", open)
    }

    /// Signed out, sent to log in, logged in, sent back.
    async fn log_in(&mut self, customer: &Customer) -> Result<(), End> {
        let want = self.flow("login/browser");
        self.challenged("signed out: sent to log in, without `aal`", &want)
            .await?;
        let page = self
            .browser
            .follow(&want)
            .await
            .and_then(|page| with_field(page, "password"));
        let page = self.tale.step("the login page asks for a password", page)?;
        let typed = [
            ("identifier", customer.email.as_str()),
            ("password", customer.password.as_str()),
        ];
        let answer = self.browser.submit(&page, &typed).await;
        let want = self.after_password(customer);
        let back = answer.and_then(|answer| sent_to(&answer, &want));
        self.tale.step("the password leads back", back)
    }

    /// Where a password leads: back, or, where Kratos hides enrolled people's sessions, on to its own second factor.
    fn after_password(&self, customer: &Customer) -> String {
        if self.place.hides_enrolled && customer.totp_secret.is_some() {
            return self.flow("login/browser?aal=aal2");
        }
        self.asked.clone()
    }

    async fn account(&mut self, customer: &Customer) -> Result<(), End> {
        let answer = self
            .browser
            .get(&format!("{}/account", self.place.app))
            .await;
        if self.place.hides_enrolled && customer.totp_secret.is_some() {
            let status = answer.and_then(|answer| same("status", &answer.status, &303));
            return self
                .tale
                .step("a session that Kratos hides opens no page", status);
        }
        let seen = answer
            .and_then(|answer| same("status", &answer.status, &200))
            .and_then(|()| self.seen("/account", "aal1"));
        self.tale.step(
            "a password is enough for the account, and the bank is told so",
            seen,
        )
    }

    async fn second_factor_page(&mut self) -> Result<Answer, End> {
        let want = self.flow("login/browser?aal=aal2&refresh=true");
        self.challenged("a password alone: sent to step up", &want)
            .await?;
        let page = self.browser.follow(&want).await;
        let page = page
            .and_then(|page| with_field(page, "totp_code"))
            .and_then(|page| with_field(page, "lookup_secret"));
        self.tale
            .step("the page asks for a code or a backup code", page)
    }

    async fn wrong_code(&mut self, page: &Answer) -> Result<(), End> {
        let answer = self.browser.submit(page, &[("totp_code", "000000")]).await;
        let status = answer.and_then(|answer| same("status", &answer.status, &303));
        self.tale
            .step("a wrong code leads to the form again", status)?;
        let answer = self.browser.get(&self.asked).await;
        let shut = answer
            .and_then(|answer| same("status", &answer.status, &303))
            .and_then(|()| self.reached(0));
        self.tale.step("a wrong code opens nothing", shut)
    }

    async fn right_code(&mut self, page: &Answer, customer: &Customer) -> Result<(), End> {
        let code = (self.place.code)(customer.totp_secret.as_deref().unwrap_or_default());
        let answer = self.browser.submit(page, &[("totp_code", &code)]).await;
        let back = answer.and_then(|answer| sent_to(&answer, &self.asked));
        self.tale
            .step("the right code leads back to the same URL", back)?;
        self.tale.step(
            "until now nothing reached the bank's transfer",
            self.reached(0),
        )
    }

    /// The operation succeeds, and is the first and only one that reached the bank.
    async fn done(&mut self, name: &str, times: usize) -> Result<(), End> {
        let answer = self.browser.get(&self.asked).await;
        let done = answer.and_then(|answer| same("status", &answer.status, &200));
        let done = done
            .and_then(|()| self.reached(times))
            .and_then(|()| self.seen("/transfer", "aal2"));
        self.tale.step(name, done)
    }

    async fn forged_headers(&mut self) -> Result<(), End> {
        let answer = self.browser.get_with(&self.place.app, &FORGED).await;
        let dropped = answer
            .and_then(|answer| same("status", &answer.status, &200))
            .and_then(|()| self.unseen());
        self.tale
            .step("forged identity headers don't reach the open page", dropped)?;
        let answer = self.browser.get_with(&self.asked, &FORGED).await;
        let own = answer
            .and_then(|answer| same("status", &answer.status, &200))
            .and_then(|()| self.seen("/transfer", "aal2"));
        self.tale
            .step("nor a guarded one, which gets the true ones", own)?;
        // HTTP/1.1 gets a 400; of HTTP/2 Envoy resets the stream, so there is no answer to look at.
        let before = self.place.ledger.count("/");
        let _ = self
            .browser
            .get_with(&self.place.app, &[("x_user_id", "forged")])
            .await;
        let refused = same(
            "open pages that reached the bank",
            &self.place.ledger.count("/"),
            &before,
        );
        self.tale.step(
            "a request with a forged name in underscores goes nowhere",
            refused,
        )
    }

    async fn log_out(&mut self) -> Result<(), End> {
        let page = self
            .browser
            .follow(&format!("{}/logout", self.place.ciam))
            .await;
        self.tale.step(
            "the log-out page answers",
            page.and_then(|page| same("status", &page.status, &200)),
        )?;
        let before = self.place.ledger.count("/transfer");
        let answer = self.browser.get(&self.asked).await;
        let want = self.flow("login/browser");
        let shut = answer
            .and_then(|answer| sent_to(&answer, &want))
            .and_then(|()| self.reached(before));
        self.tale.step("logged out: sent to log in again", shut)
    }
}

//! One browser and one query at `login/browser`, asked as a page and as a program.

use serde_json::json;

use super::Error;
use super::answer::Answer;
use super::browser::Browser;
use super::client::Kratos;
use super::sheet::Sheet;
use super::target::enc;

/// Where a browser logs in.
pub(super) const PATH: &str = "/self-service/login/browser";

/// The form that a login flow must show.
pub(super) struct Form<'a> {
    nodes: &'a [&'a str],
    messages: &'a [u64],
    aal: &'a str,
    refresh: bool,
}

/// Those nodes and messages, at this `aal`.
pub(super) fn form<'a>(
    nodes: &'a [&'a str],
    messages: &'a [u64],
    aal: &'a str,
    refresh: bool,
) -> Form<'a> {
    Form {
        nodes,
        messages,
        aal,
        refresh,
    }
}

/// One browser and one query, asked both ways.
pub(super) struct Visit<'a> {
    kratos: &'a Kratos<'a>,
    browser: Browser,
    who: &'a str,
    query: &'a str,
}

impl<'a> Visit<'a> {
    /// `browser`, whose session the table calls `who`, with this query and a `return_to`.
    pub(super) fn new(
        kratos: &'a Kratos<'a>,
        browser: Browser,
        who: &'a str,
        query: &'a str,
    ) -> Self {
        Self {
            kratos,
            browser,
            who,
            query,
        }
    }

    fn path(&self) -> String {
        let return_to = enc(&self.kratos.target().return_to());
        let and = if self.query.is_empty() { "" } else { "&" };
        format!("{PATH}?{}{and}return_to={return_to}", self.query)
    }

    fn what(&self, way: &str) -> String {
        format!("{} ?{} {way}", self.who, self.query)
    }

    async fn html(&mut self) -> Result<Answer, Error> {
        let path = self.path();
        self.browser.page(self.kratos, path).await
    }

    async fn json(&mut self) -> Result<Answer, Error> {
        let path = self.path();
        self.browser.data(self.kratos, path).await
    }

    /// A page is sent to the login UI, a program gets the flow.
    pub(super) async fn shows(&mut self, sheet: &mut Sheet, form: &Form<'_>) -> Result<(), Error> {
        let what = self.what("H");
        let answer = self.html().await?;
        let start = format!("{}/login?flow=", self.kratos.target().ui);
        sheet.sent_near(&what, &answer, &start);
        let id = answer
            .location()
            .and_then(|to| to.strip_prefix(&start))
            .unwrap_or_default()
            .to_owned();
        let flow = self
            .browser
            .data(self.kratos, format!("/self-service/login/flows?id={id}"))
            .await?;
        self.form_is(sheet, &what, &flow, form);
        let flow = self.json().await?;
        self.form_is(sheet, &self.what("J"), &flow, form);
        Ok(())
    }

    fn form_is(&self, sheet: &mut Sheet, what: &str, flow: &Answer, form: &Form<'_>) {
        sheet.same(what, flow.status, 200);
        sheet.same(format!("{what}: nodes"), flow.nodes(), form.nodes);
        sheet.same(format!("{what}: messages"), flow.messages(), form.messages);
        let got = json!([
            flow.at("/type"),
            flow.at("/requested_aal"),
            flow.at("/refresh"),
            flow.at("/return_to")
        ]);
        let want = json!([
            "browser",
            form.aal,
            form.refresh,
            self.kratos.target().return_to()
        ]);
        sheet.same(format!("{what}: flow"), got, want);
    }

    /// A page is sent to the error UI, which can read this error; a program gets it.
    pub(super) async fn fails(
        &mut self,
        sheet: &mut Sheet,
        status: u16,
        id: Option<&str>,
    ) -> Result<(), Error> {
        let what = self.what("H");
        let answer = self.html().await?;
        sheet
            .error_page(&what, self.kratos, &answer, status, id)
            .await?;
        sheet.refused(&self.what("J"), &self.json().await?, status, id);
        Ok(())
    }

    /// A page is sent to `return_to`, a program is told that there is a session.
    pub(super) async fn goes_back(&mut self, sheet: &mut Sheet) -> Result<(), Error> {
        let answer = self.html().await?;
        sheet.sent_to(&self.what("H"), &answer, &self.kratos.target().return_to());
        sheet.refused(
            &self.what("J"),
            &self.json().await?,
            400,
            Some("session_already_available"),
        );
        Ok(())
    }
}

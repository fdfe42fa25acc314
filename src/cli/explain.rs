//! `stepgate explain`: one request, every rule considered, why one won, the decision, and the answer at each door.
//!
//! It runs what `serve` runs: the same parsing, the same rules, the same decision, and the doors' own encoders. Only Kratos
//! is not asked: what it would say is given.

mod doors;
mod rules;

use std::io::{self, Write};

use clap::Args;

use super::{
    ConfigFile, Exit,
    cases::{self, Said},
    complain,
    speak::{STRONG, speak},
};
use crate::{
    authorizer::{Answer, Authorizer, Snapshot},
    config::Config,
    domain::{
        body::Body,
        client::Client,
        credential::Presented,
        decision::Verdict,
        duration::in_words,
        policy::Site,
        request::{Facts, Reach, Request},
        settings::SETTINGS_RULE,
    },
    telemetry::clock::Clock,
};

/// The id that answers carry, where the request has none.
const REQUEST_ID: &str = "explain";
/// What stands for the credential: nobody's.
const CREDENTIAL: &str = "a-credential";

/// A request, and what Kratos would say of whoever makes it.
#[derive(Debug, Args)]
pub(super) struct Explain {
    #[command(flatten)]
    config: ConfigFile,
    /// The request's method.
    #[arg(long, default_value = "GET", value_name = "METHOD")]
    method: String,
    /// The request's address. It reaches the doors byte for byte.
    #[arg(long, value_name = "URL", value_parser = url)]
    url: String,
    /// A header of the request, as `Name: value`; may be given often. Without any, it is a browser that opens a page.
    #[arg(long = "header", short = 'H', value_name = "HEADER", value_parser = header)]
    headers: Vec<(String, String)>,
    /// The request's body, whole, as Envoy passes it with `with_request_body`.
    #[arg(long, value_name = "TEXT")]
    body: Option<String>,
    /// A key and a value of Envoy's `context_extensions`, as `require=aal2`; may be given often.
    #[arg(long = "context", value_name = "KEY=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,
    /// What Kratos says: `none`, `aal1` (no second factor is set up), `aal1-enrolled`, `aal2`, `aal2:10m` (the factor was
    /// given that long ago), `withheld` (whoami wants the second factor first), `unavailable`.
    #[arg(long, default_value = "none", value_name = "SESSION", value_parser = session)]
    session: Said,
}

fn url(text: &str) -> Result<String, String> {
    match cases::Request::new("GET", text, &[], &[]) {
        Some(_) => Ok(text.to_owned()),
        None => Err("an address is `https://` or `http://`, a host, and a path".to_owned()),
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header is `Name: value`")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as `key=value`")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn session(text: &str) -> Result<Said, String> {
    Said::parse(text).ok_or_else(|| "a session is `none`, `aal1`, `aal1-enrolled`, `aal2`, `aal2:10m`, `withheld` or `unavailable`".to_owned())
}

impl Explain {
    /// Explains; whatever the decision, that is done.
    pub(super) fn run(&self) -> Exit {
        let config = match Config::load(&self.config.path) {
            Ok(config) => config,
            Err(faults) => {
                complain(&faults);
                return Exit::BadConfig;
            }
        };
        speak(|mut out| {
            self.tell(&mut out, &config)?;
            Ok(Exit::Done)
        })
    }

    fn tell(&self, out: &mut impl Write, config: &Config) -> io::Result<()> {
        let clock = Clock::system();
        let facts = self.facts(config);
        self.tell_request(out, config, &facts)?;
        let policy = config.policy.clone();
        let snapshot = Snapshot {
            policy,
            kratos: Vec::new(),
        };
        let authorizer = Authorizer::new(snapshot, clock.clone());
        let answer = |reach| self.answer(&authorizer, config, &facts, reach, &clock);
        tell_decision(out, &answer(Reach::Edits))?;
        doors::tell(out, answer)
    }

    /// The facts, as Envoy's door has them.
    fn facts(&self, config: &Config) -> Facts {
        let mut headers = self.headers.clone();
        if headers.is_empty() {
            let page = [("accept", "text/html"), ("sec-fetch-mode", "navigate")];
            headers.extend(page.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("x-request-id"))
        {
            headers.push(("x-request-id".to_owned(), REQUEST_ID.to_owned()));
        }
        let request = cases::Request::new(&self.method, &self.url, &headers, &self.context);
        let cookie = |request: &cases::Request| cases::cookie(config, request.host()).to_owned();
        let body = self.body.clone().map(Into::into).and_then(Body::new);
        let facts = request.map(|request| {
            let cookie = (self.session != Said::SignedOut).then(|| cookie(&request));
            request.facts(cookie.as_deref(), CREDENTIAL)
        });
        Facts {
            body,
            ..facts.unwrap_or_default()
        }
    }

    fn answer(
        &self,
        authorizer: &Authorizer,
        config: &Config,
        facts: &Facts,
        reach: Reach,
        clock: &Clock,
    ) -> Answer {
        let host = String::from_utf8_lossy(&facts.host).into_owned();
        let pointers = cases::pointers(config, &host);
        let (standing, enrolment) = self.session.standing(pointers, clock.now());
        let facts = Facts {
            reach,
            ..facts.clone()
        };
        authorizer.suppose(&facts, standing, &enrolment)
    }

    /// The request as it is understood, and the rules as far as it comes to them.
    fn tell_request(&self, out: &mut impl Write, config: &Config, facts: &Facts) -> io::Result<()> {
        writeln!(out, "{STRONG}{} {}{STRONG:#}", self.method, self.url)?;
        let request = match Request::parse(facts, config.policy.paths) {
            Ok(request) => request,
            Err(malformed) => return writeln!(out, "  can't be judged: {malformed}"),
        };
        let Some(site) = config.policy.locate(&request.authority) else {
            return writeln!(
                out,
                "  `{}` is on none of the `origins`",
                request.authority.host
            );
        };
        tell_site(out, facts, &site)?;
        writeln!(out, "  session  {}", told(&self.session))?;
        let (host, method) = (&request.authority.host, request.judged_method());
        let selection = config.policy.select(&site, host, &request.path, method);
        if &*selection.rule.id == SETTINGS_RULE {
            return writeln!(
                out,
                "\n  Kratos' own: no rule holds here, but `settings: enrol_first` does"
            );
        }
        rules::tell(out, config, &request, facts)
    }
}

fn tell_site(out: &mut impl Write, facts: &Facts, site: &Site<'_>) -> io::Result<()> {
    let (kinds, cookie) = (&site.domain.credentials, &site.domain.cookie);
    let presented = Presented::find(&facts.headers, kinds, cookie);
    let kind = presented.ok().and_then(|presented| presented.kind());
    let client = Client::of(&facts.headers, kind);
    writeln!(
        out,
        "  origin   {}, of identity domain `{}`",
        site.origin, site.domain.name
    )?;
    writeln!(out, "  client   {}", client.as_str())
}

/// What Kratos is supposed to say.
fn told(said: &Said) -> String {
    let words = match said {
        Said::SignedOut => "none",
        Said::Unavailable(_) => "Kratos can't say",
        Said::Withheld => "AAL1, and Kratos wants the second factor before it tells more",
        Said::Aal1 => "AAL1, no second factor is set up",
        Said::Aal1Enrolled => "AAL1, a second factor is set up",
        Said::Aal2(age) => return format!("AAL2, by an authenticator app {} ago", in_words(*age)),
        Said::Written(_) => "as it is written",
    };
    words.to_owned()
}

fn tell_decision(out: &mut impl Write, answer: &Answer) -> io::Result<()> {
    let rule = match &*answer.rule {
        "" => "before any rule".to_owned(),
        rule => format!("by rule `{rule}`"),
    };
    let (decision, reason) = (answer.decision, answer.reason);
    writeln!(
        out,
        "\n{STRONG}Decision{STRONG:#}\n  {decision} ({reason}), {rule}"
    )?;
    match answer.lifted {
        Some(Verdict { decision, reason }) => writeln!(
            out,
            "  were no rule in shadow: {decision} ({})",
            reason.as_str()
        ),
        None => Ok(()),
    }
}

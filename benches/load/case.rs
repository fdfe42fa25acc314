//! What is measured: each case its rules, its sessions, what is asked, and the answer.

use std::fmt::Write;

use bytes::Bytes;
use demo::kratos::{Double, Options, Person, SessionCookie};

use crate::{
    Outcome, floor,
    load::{Expected, Load},
    message,
    process::Program,
};

/// Somebody with a second factor.
const EMAIL: &str = "totp@app.test";
/// Why they are refused before they use it.
const STEP_UP: &str = "session_aal2_required";
/// Sessions where many are remembered.
const SESSIONS: usize = 10_000;
/// Sessions where each check asks Kratos: many more than are in flight, so that no call is shared.
const ASKING: usize = 1_000;
/// Hosts that many rules are spread over.
const HOSTS: usize = 50;
/// The case whose ratio is not read as it is, since its target is a difference of ratios to the floor.
pub(crate) const RULES_AGAINST_ONE: &str = "5,000 rules against 1";
/// Checks in flight, and the connections they share: Envoy has one a worker thread.
pub(crate) const MANY: (usize, usize) = (64, 2);
const ONE: (usize, usize) = (1, 1);

/// The double of Kratos, and who is signed in there.
pub(crate) struct Kratos {
    pub(crate) double: Double,
    aal1: Vec<SessionCookie>,
    aal2: Vec<SessionCookie>,
}

/// One line of the table.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) target: Option<Target>,
    pub(crate) program: Program,
    pub(crate) load: Load,
    /// What it is held against, and what that is asked.
    pub(crate) floor: Program,
    pub(crate) floor_load: Load,
    pub(crate) asks: Asks,
}

/// The ratio to the floor that must be held, and the one to aim at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) gate: f64,
    pub(crate) aim: f64,
}

/// How often Kratos must be asked for a session while it is measured; else the case is not what its name says.
#[derive(Clone, Copy)]
pub(crate) enum Asks {
    Never,
    EachTime,
}

impl Kratos {
    pub(crate) async fn start() -> Outcome<Self> {
        let double = Double::start(Options::default()).await?;
        double.add_person(Person {
            email: EMAIL.to_owned(),
            password: "not-a-password-only-for-benchmarks".to_owned(),
            totp_secret: Some("NOTASECRETNOTASECRETNOTASECRET22".to_owned()),
            ..Person::default()
        });
        let sign_in = || double.sign_in(EMAIL);
        let aal1 = (0..ASKING).map(|_| sign_in());
        let aal1 = aal1.collect::<Option<_>>().ok_or("nobody signed in")?;
        let aal2 = (0..SESSIONS).map(|_| double.step_up(&sign_in()?, "totp"));
        let aal2 = aal2.collect::<Option<_>>().ok_or("nobody stepped up")?;
        Ok(Self { double, aal1, aal2 })
    }

    /// So many new sessions with a second factor.
    pub(crate) fn sign_in(&self, sessions: usize) -> Outcome<Vec<SessionCookie>> {
        let new = || self.double.step_up(&self.double.sign_in(EMAIL)?, "totp");
        let new = (0..sessions).map(|_| new()).collect::<Option<_>>();
        new.ok_or_else(|| "nobody stepped up".into())
    }

    /// The rule of a warm hit, with room for so many sessions.
    pub(crate) fn remembering(&self, sessions: usize) -> String {
        let room = format!("ttl: 10m, capacity: {sessions}");
        self.config(&rule("transfer", "aal2", ""))
            .replace("ttl: 10m", &room)
    }

    /// The rule of a warm hit, which also keeps forms that meet a challenge.
    pub(crate) fn keeping_forms(&self) -> String {
        self.config(&rule(
            "transfer",
            "aal2",
            ", resume: true, return_to: /transfer",
        ))
    }

    /// A configuration with these rules; what is remembered lasts longer than a case.
    fn config(&self, rules: &str) -> String {
        let api_url = self.double.public_url();
        format!(
            "kratos:
  ciam:
    api_url: {api_url}
    browser_url: https://ciam.test
    origins: [https://app.test, 'https://*.app.test']
    cache: {{ ttl: 10m }}
default: deny
rules:
{rules}"
        )
    }
}

impl Case {
    /// One without a target that asks Kratos nothing.
    fn new(name: &'static str, config: &str, load: Load) -> Outcome<Self> {
        let floor = match load.expected {
            Expected::Allow => floor::ALLOW,
            Expected::Redirect(_) => floor::REDIRECT,
        };
        Ok(Self {
            name,
            target: None,
            program: Program::stepgate(config),
            floor: Program::floor(floor)?,
            floor_load: load.of_floor(),
            load,
            asks: Asks::Never,
        })
    }

    /// The same held against another case's Stepgate in the place of the floor.
    fn against(self, name: &'static str, target: Option<Target>, other: &Self) -> Self {
        Self {
            name,
            target,
            floor: other.program.clone(),
            floor_load: other.load.clone(),
            ..self
        }
    }

    /// The same, with that message in as many places as there are sessions elsewhere: the load reads as much for one session as
    /// for all, and only what is remembered differs.
    fn repeated(&self, message: &[u8]) -> Self {
        let copies = (0..SESSIONS).map(|_| Bytes::copy_from_slice(message));
        let mut repeated = self.clone();
        repeated.load.messages = copies.collect();
        repeated
    }

    /// Whether Kratos was asked as often as the case says.
    pub(crate) fn holds(&self, calls: u64, checks: usize) -> Outcome<()> {
        let expected = match self.asks {
            Asks::Never => 0,
            Asks::EachTime => u64::try_from(checks)?,
        };
        if calls == expected {
            return Ok(());
        }
        let name = self.name;
        Err(format!("{name}: whoami was called {calls} times for {checks} checks").into())
    }
}

/// All cases, in the order of the table.
pub(crate) fn all(kratos: &Kratos) -> Outcome<Vec<Case>> {
    let open = kratos.config(&rule("open", "none", ""));
    let aal2 = kratos.config(&rule("transfer", "aal2", ""));
    let asking = kratos.config(&rule("transfer", "aal2", ", cache: off"));
    let first = kratos.aal2.get(..1).ok_or("nobody stepped up")?;
    let strangers = kratos.aal2.get(..ASKING).ok_or("nobody stepped up")?;
    let allow = |name, target, config: &str, messages, how| -> Outcome<Case> {
        let case = Case::new(name, config, load(messages, how, Expected::Allow))?;
        Ok(Case { target, ..case })
    };
    let nobody = vec![message::page("app.test", "/transfer/1", None)?];
    let many = pages(&kratos.aal2)?;
    let warm = target(1.00, 0.80);
    let one_session = allow("warm hit, 1 session", warm, &aal2, pages(first)?, MANY)?;
    let sessions = allow("warm hit, 10,000 sessions", warm, &aal2, many, MANY)?;
    let rules = ruled("warm hit, 5,000 rules", 5_000, kratos)?;
    let one_again = one_session.repeated(&pages(first)?.concat());
    let against = |case: &Case, name, target, one| case.clone().against(name, target, one);
    Ok(vec![
        allow("open route", target(0.90, 0.75), &open, pages(first)?, MANY)?,
        one_session.clone(),
        sessions.clone(),
        ruled("warm hit, 1,000 rules", 1_000, kratos)?,
        rules.clone(),
        Case {
            target: target(1.10, 0.95),
            ..refusal("no-cookie refusal", &aal2, nobody, "session_inactive")?
        },
        // It asks Kratos twice each time, and the floor asks nobody.
        Case {
            target: target(6.5, 6.5),
            asks: Asks::EachTime,
            ..refusal("step-up refusal", &aal2, pages(&kratos.aal1)?, STEP_UP)?
        },
        Case {
            asks: Asks::EachTime,
            ..allow("miss", target(3.7, 2.8), &asking, pages(strangers)?, MANY)?
        },
        allow("open route, 1 in flight", None, &open, pages(first)?, ONE)?,
        allow(
            "warm hit, 1 in flight",
            target(1.05, 1.00),
            &aal2,
            pages(first)?,
            ONE,
        )?,
        against(
            &sessions,
            "10,000 sessions against 1",
            target(1.05, 1.02),
            &one_again,
        ),
        against(&rules, RULES_AGAINST_ONE, None, &one_session),
    ])
}

/// One whose answers all give this reason.
fn refusal(
    name: &'static str,
    config: &str,
    messages: Vec<Bytes>,
    reason: &'static str,
) -> Outcome<Case> {
    Case::new(
        name,
        config,
        load(messages, MANY, Expected::Redirect(Some(reason))),
    )
}

fn target(gate: f64, aim: f64) -> Option<Target> {
    Some(Target { gate, aim })
}

fn load(
    messages: Vec<Bytes>,
    (in_flight, connections): (usize, usize),
    expected: Expected,
) -> Load {
    Load {
        in_flight,
        connections,
        ..Load::of(messages, expected)
    }
}

/// A page for each of these sessions.
pub(crate) fn pages(sessions: &[SessionCookie]) -> Outcome<Vec<Bytes>> {
    let cookies = sessions.iter().map(SessionCookie::header);
    cookies
        .map(|cookie| message::page("app.test", "/transfer/1", Some(&cookie)))
        .collect()
}

fn rule(id: &str, require: &str, more: &str) -> String {
    format!("  - {{ id: {id}, match: {{ path: /transfer/** }}, require: {require}{more} }}\n")
}

/// So many rules over [`HOSTS`] hosts, asked for pages of each in turn.
pub(crate) fn ruled(name: &'static str, rules: usize, kratos: &Kratos) -> Outcome<Case> {
    let cookie = kratos.aal2.first().ok_or("nobody stepped up")?.header();
    let (mut text, mut messages) = (String::new(), Vec::new());
    for rule in 0..rules {
        let host = format!("h{}.app.test", rule.checked_rem(HOSTS).unwrap_or_default());
        writeln!(
            text,
            "  - {{ id: r{rule}, match: {{ host: {host}, path: /area{rule}/** }}, require: aal2 }}"
        )?;
        messages.push(message::page(
            &host,
            &format!("/area{rule}/1"),
            Some(&cookie),
        )?);
    }
    let load = Load::of(messages, Expected::Allow);
    Case::new(name, &kratos.config(&text), load)
}

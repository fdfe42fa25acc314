//! What Kratos is supposed to say of a credential: a word, or a session written out.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::json;
use serde_saphyr::Spanned;

use super::shape;
use crate::{
    config::Collector,
    domain::{
        claim::Pointer,
        duration::parse_duration,
        session::{Aal, Enrolment, Factor, Standing},
    },
    kratos,
};

const WORDS: &str = "`none`, `aal1`, `aal1-enrolled`, `aal2`, `aal2:10m`, `withheld`, `unavailable` or `unavailable:20s`";
/// How long a session still lasts.
const LIFESPAN: Duration = Duration::from_secs(3600);
/// The session's id, in every case.
const SESSION_ID: &str = "5e551000-0000-4000-8000-000000000001";
/// The identity's id, where a case gives none.
const SUBJECT: &str = "1de00000-0000-4000-8000-000000000001";

/// What Kratos says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// `none`: there is no session, and Kratos is well.
    SignedOut,
    /// `unavailable`, or `unavailable:20s` where it says when to ask again.
    Unavailable(Option<Duration>),
    /// `withheld`: there is a session, which Kratos won't serve before its second factor is used.
    Withheld,
    /// `aal1`: a password, and no second factor is set up.
    Aal1,
    /// `aal1-enrolled`: a password, and an authenticator app is set up.
    Aal1Enrolled,
    /// `aal2`, or `aal2:10m`: a password, and an authenticator app used that long ago.
    Aal2(Duration),
    /// A session written out.
    Written(Written),
}

/// A session, as whoami would tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its level.
    pub aal: Aal,
    /// The methods used, in their order.
    pub methods: Vec<Used>,
    /// The identity, with an `id`.
    pub identity: serde_json::Map<String, serde_json::Value>,
    /// The second factors set up; where not given, those used.
    pub set_up: Vec<Factor>,
}

/// One method used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// Kratos' name for it.
    pub method: Box<str>,
    /// The level it counts for, in Kratos' word; `None` where Kratos names none.
    pub aal: Option<Box<str>>,
    /// When it was completed.
    pub when: When,
}

/// When a method was completed, seen from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// This long ago.
    Ago(Duration),
    /// This far ahead, as another machine's clock has it.
    Ahead(Duration),
    /// Kratos doesn't say.
    Missing,
}

/// What is written, or `None` after noting why it is nothing; no session where nothing is.
pub(super) fn check(
    faults: &mut Collector,
    written: Option<&Spanned<shape::Session>>,
) -> Option<Said> {
    match written.map(|spanned| (&spanned.value, spanned.referenced)) {
        None => Some(Said::SignedOut),
        Some((shape::Session::Word(word), at)) => {
            let said = Said::parse(word);
            if said.is_none() {
                faults.add(
                    at,
                    format_args!("`session: {word}` is none of {WORDS}, nor a map"),
                );
            }
            said
        }
        Some((shape::Session::Written(session), _)) => {
            self::written(faults, session).map(Said::Written)
        }
    }
}

fn written(faults: &mut Collector, session: &shape::Written) -> Option<Written> {
    let level = &session.aal;
    let aal = Aal::parse(&level.value);
    if aal.is_none() {
        let text = &level.value;
        faults.add(
            level.referenced,
            format_args!("`aal: {text}` is none of `aal0`, `aal1`, `aal2`"),
        );
    }
    let methods: Vec<_> = session
        .methods
        .iter()
        .map(|used| self::used(faults, used))
        .collect();
    let set_up = session.set_up.as_ref().map(|list| {
        list.iter()
            .filter_map(|name| factor(faults, name))
            .collect::<Vec<_>>()
    });
    let given = methods
        .iter()
        .filter_map(|used| Factor::parse(&used.method));
    let set_up = set_up.unwrap_or_else(|| given.collect());
    Some(Written {
        aal: aal?,
        methods,
        identity: identity(session.identity.clone()),
        set_up,
    })
}

fn used(faults: &mut Collector, used: &shape::Used) -> Used {
    let when = used.age.as_ref().map(|age| {
        let when = When::parse(&age.value);
        if when.is_none() {
            faults.add(age.referenced, format_args!("`age: {}` is neither a duration such as `5m`, one ahead of now such as `-5m`, nor `missing`", age.value));
        }
        when.unwrap_or(When::Missing)
    });
    Used {
        method: (&*used.method).into(),
        aal: used.aal.as_ref().map(|aal| (&*aal.value).into()),
        when: when.unwrap_or(When::Ago(Duration::ZERO)),
    }
}

fn factor(faults: &mut Collector, name: &Spanned<String>) -> Option<Factor> {
    let factor = Factor::parse(&name.value);
    if factor.is_none() {
        faults.add(
            name.referenced,
            format_args!("`{}` is not a second factor of Kratos", name.value),
        );
    }
    factor
}

/// The identity with an id, its own or one made up.
fn identity(
    written: Option<serde_json::Map<String, serde_json::Value>>,
) -> serde_json::Map<String, serde_json::Value> {
    let mut identity = written.unwrap_or_default();
    identity
        .entry("id")
        .or_insert_with(|| serde_json::Value::from(SUBJECT));
    identity
}

impl When {
    fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix('-') {
            _ if text == "missing" => Some(Self::Missing),
            Some(ahead) => parse_duration(ahead).ok().map(Self::Ahead),
            None => parse_duration(text).ok().map(Self::Ago),
        }
    }

    /// The moment, if there is one.
    #[must_use]
    pub fn at(self, now: SystemTime) -> Option<SystemTime> {
        match self {
            Self::Ago(age) => now.checked_sub(age),
            Self::Ahead(ahead) => now.checked_add(ahead),
            Self::Missing => None,
        }
    }
}

impl Said {
    /// What a word stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let (word, time) = word
            .split_once(':')
            .map_or((word, None), |(word, time)| (word, Some(time)));
        let time = time.map(parse_duration).transpose().ok()?;
        match (word, time) {
            ("none", None) => Some(Self::SignedOut),
            ("aal1", None) => Some(Self::Aal1),
            ("aal1-enrolled", None) => Some(Self::Aal1Enrolled),
            ("withheld", None) => Some(Self::Withheld),
            ("aal2", age) => Some(Self::Aal2(age.unwrap_or_default())),
            ("unavailable", retry_after) => Some(Self::Unavailable(retry_after)),
            _ => None,
        }
    }

    /// What a check would learn from Kratos, of the identity what stands at these pointers.
    #[must_use]
    pub fn standing(&self, pointers: &[Pointer], now: SystemTime) -> (Standing, Enrolment) {
        let retry_after = match self {
            Self::SignedOut => return (Standing::SignedOut, Enrolment::Unknown),
            Self::Withheld => return (Standing::SecondFactorDue, Enrolment::Unknown),
            Self::Unavailable(retry_after) => *retry_after,
            _ => None,
        };
        match self.written() {
            Some(written) => {
                let body = written.whoami(now).to_string();
                let standing = kratos::read_whoami(body.as_bytes(), pointers, now);
                (standing, written.enrolment())
            }
            None => (Standing::Unavailable { retry_after }, Enrolment::Unknown),
        }
    }

    /// The session in full, where there is one to see.
    #[must_use]
    pub fn written(&self) -> Option<Written> {
        let app = Used {
            method: "totp".into(),
            aal: Some("aal2".into()),
            when: When::Ago(Duration::ZERO),
        };
        match self {
            Self::SignedOut | Self::Unavailable(_) | Self::Withheld => None,
            Self::Aal1 => Some(Written::new(Aal::Aal1, &[], &[])),
            Self::Aal1Enrolled => Some(Written::new(Aal::Aal1, &[], &[Factor::Totp])),
            Self::Aal2(age) => {
                let when = When::Ago(*age);
                Some(Written::new(
                    Aal::Aal2,
                    &[Used { when, ..app }],
                    &[Factor::Totp],
                ))
            }
            Self::Written(written) => Some(written.clone()),
        }
    }
}

impl Written {
    fn new(aal: Aal, second: &[Used], set_up: &[Factor]) -> Self {
        let when = second
            .first()
            .map_or(When::Ago(Duration::ZERO), |used| used.when);
        let password = Used {
            method: "password".into(),
            aal: Some("aal1".into()),
            when,
        };
        Self {
            aal,
            methods: [&[password], second].concat(),
            identity: identity(None),
            set_up: set_up.to_vec(),
        }
    }

    /// The body of whoami.
    #[must_use]
    pub fn whoami(&self, now: SystemTime) -> serde_json::Value {
        let moment = |at: SystemTime| Timestamp::try_from(at).ok().map(|at| at.to_string());
        let method = |used: &Used| json!({ "method": used.method, "aal": used.aal, "completed_at": used.when.at(now).and_then(moment) });
        json!({
            "id": SESSION_ID,
            "active": true,
            "expires_at": now.checked_add(LIFESPAN).and_then(moment),
            "authenticator_assurance_level": self.aal.as_str(),
            "authentication_methods": self.methods.iter().map(method).collect::<Vec<_>>(),
            "identity": self.identity,
        })
    }

    fn enrolment(&self) -> Enrolment {
        match (self.aal, self.set_up.is_empty()) {
            (Aal::Aal2, _) => Enrolment::SetUp(self.set_up.clone()),
            (_, true) => Enrolment::NotEnrolled,
            (_, false) => Enrolment::Enrolled,
        }
    }
}

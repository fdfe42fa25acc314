//! Sessions that are remembered. Memory can only allow: it holds what let a request through, and each request judges it
//! anew by its own rule and the clock.
//!
//! The key is the credential's fingerprint, which nobody knows how to give to two of them: so an answer never reaches another
//! credential. And what is remembered holds no credential that could be taken from it. Nothing is served beyond its ttl, its
//! session's end, or what Kratos itself allows to be remembered, nor from before the clock was set back.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use quick_cache::sync::Cache;

use crate::domain::{
    credential::{Credential, Fingerprint},
    session::Session,
};

/// How long and how much is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The longest that a session is remembered; zero for never.
    pub ttl: Duration,
    /// How many sessions are remembered at once.
    pub capacity: usize,
}

impl Default for Settings {
    /// One second and a hundred thousand sessions.
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(1),
            capacity: 100_000,
        }
    }
}

/// What whoami said once, and how long that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The session.
    pub session: Arc<Session>,
    /// When the call that told of it began.
    pub asked_at: SystemTime,
    /// From when on it must not be served: the session's end, or what Kratos allows.
    pub until: SystemTime,
}

/// The sessions of one identity domain.
#[derive(Debug)]
pub(super) struct Sessions {
    ttl: Duration,
    entries: Cache<Fingerprint, Remembered>,
}

impl Sessions {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            ttl: settings.ttl,
            entries: Cache::new(settings.capacity),
        }
    }

    /// The session that a credential stands for, if it was asked for at most `ttl` ago, or the rule's own shorter time.
    pub(super) fn get(
        &self,
        credential: &Credential,
        rule_ttl: Option<Duration>,
        now: SystemTime,
    ) -> Option<Remembered> {
        let ttl = rule_ttl.map_or(self.ttl, |rule| rule.min(self.ttl));
        if ttl.is_zero() {
            return None;
        }
        let remembered = self.entries.get(&credential.fingerprint())?;
        let is_young = now
            .duration_since(remembered.asked_at)
            .is_ok_and(|age| age < ttl);
        (is_young && now < remembered.until).then_some(remembered)
    }

    /// Remembers what let a request through.
    pub(super) fn insert(&self, credential: &Credential, remembered: Remembered) {
        if !self.ttl.is_zero() {
            self.entries.insert(credential.fingerprint(), remembered);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        claim::Claims,
        credential::{CredentialKind, Presented},
        headers::Headers,
        session::Aal,
    };

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000 + millis)
    }

    fn credential(value: &str) -> Credential {
        of_kind(CredentialKind::Cookie, value)
    }

    fn of_kind(kind: CredentialKind, value: &str) -> Credential {
        let (name, value) = match kind {
            CredentialKind::Cookie => ("cookie", format!("sid={value}")),
            CredentialKind::SessionToken => ("x-session-token", value.to_owned()),
            CredentialKind::Bearer => ("authorization", format!("Bearer {value}")),
        };
        let line = (Bytes::from(name), Bytes::from(value));
        match Presented::find(&Headers::raw(vec![line]), &[kind], "sid") {
            Ok(Presented::One(credential)) => credential,
            other => panic!("{other:?}"),
        }
    }

    fn remembered(subject: &str, until: u64) -> Remembered {
        let session = Session {
            id: "s".into(),
            subject: subject.into(),
            aal: Aal::Aal2,
            methods: vec![],
            claims: Claims::default(),
        };
        Remembered {
            session: Arc::new(session),
            asked_at: at(0),
            until: at(until),
        }
    }

    fn sessions(ttl: u64) -> Sessions {
        Sessions::new(Settings {
            ttl: Duration::from_millis(ttl),
            capacity: 100,
        })
    }

    #[test]
    fn a_session_is_served_until_its_ttl_its_end_or_the_rules_own_time() {
        let short = Some(Duration::from_millis(300));
        let never = Some(Duration::ZERO);
        let longer = Some(Duration::from_secs(60));
        let cases = [
            (1000, 5000, None, 0, true),
            (1000, 5000, None, 999, true),
            (1000, 5000, None, 1000, false),
            (1000, 500, None, 499, true),
            (1000, 500, None, 500, false),
            (1000, 5000, short, 299, true),
            (1000, 5000, short, 300, false),
            (1000, 5000, longer, 1000, false),
            (1000, 5000, never, 0, false),
            (0, 5000, None, 0, false),
        ];
        for (ttl, until, rule, now, served) in cases {
            let sessions = sessions(ttl);
            sessions.insert(&credential("a"), remembered("ann", until));
            let found = sessions.get(&credential("a"), rule, at(now));
            assert_eq!(
                found.is_some(),
                served,
                "ttl {ttl} until {until} rule {rule:?} at {now}"
            );
        }
    }

    #[test]
    fn a_clock_that_was_set_back_serves_nothing() {
        let sessions = sessions(1000);
        sessions.insert(&credential("a"), remembered("ann", 5000));
        let before = at(0) - Duration::from_millis(1);
        assert_eq!(sessions.get(&credential("a"), None, before), None);
    }

    #[test]
    fn the_same_text_as_another_kind_is_another_credential() {
        let sessions = sessions(1000);
        sessions.insert(
            &of_kind(CredentialKind::Cookie, "a"),
            remembered("ann", 5000),
        );
        for kind in [CredentialKind::SessionToken, CredentialKind::Bearer] {
            assert_eq!(sessions.get(&of_kind(kind, "a"), None, at(0)), None);
        }
    }

    proptest! {
        #[test]
        fn an_answer_never_reaches_another_credential(values in prop::collection::hash_set("[a-z]{1,3}", 1..200)) {
            let sessions = sessions(1000);
            for value in &values {
                sessions.insert(&credential(value), remembered(value, 5000));
            }
            for value in &values {
                if let Some(found) = sessions.get(&credential(value), None, at(1)) {
                    prop_assert_eq!(&*found.session.subject, value.as_str());
                }
            }
        }
    }
}

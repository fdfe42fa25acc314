//! The double itself: options, keys, clock and store, and what more than one room asks of them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::asked::Asked;
use super::clock::Clock;
use super::cookie::{Copy, Seal};
use super::csrf::{Csrf, Jar};
use super::errors::Fault;
use super::go_url::query_escape;
use super::identity::Identity;
use super::options::{Options, RequiredAal};
use super::return_to::ReturnUrls;
use super::session::{Aal, Session};
use super::store::Store;

/// How many different paths are counted.
const PATHS: usize = 1024;

/// One running Kratos.
#[derive(Debug)]
pub(crate) struct Kratos {
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    /// Of the public API, without its last slash.
    pub(crate) base: String,
    /// Of the admin API, without its last slash.
    pub(crate) admin_base: String,
    pub(crate) return_urls: ReturnUrls,
    pub(crate) seal: Seal,
    pub(crate) jar: Jar,
    store: Mutex<Store>,
    calls: Mutex<HashMap<String, u64>>,
}

/// What a request shows of its sender.
#[derive(Debug)]
pub(crate) enum Shown {
    /// No credential that could be read.
    Nothing,
    /// A token, from a header or out of a cookie.
    Token(String),
}

/// There is no live session behind a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoSession;

impl Kratos {
    /// `base` and `admin_base` are whole URLs.
    pub(crate) fn new(options: Options, clock: Clock, base: &str, admin_base: &str) -> Self {
        let jar = Jar::new(base, options.cookie_domain.as_deref());
        let base = base.trim_end_matches('/').to_owned();
        let default = options.default_return_url.as_str();
        let return_urls = ReturnUrls::new(default, &options.allowed_return_urls, &base);
        Self {
            clock,
            base,
            admin_base: admin_base.trim_end_matches('/').to_owned(),
            return_urls,
            seal: Seal::new(),
            jar,
            store: Mutex::default(),
            calls: Mutex::default(),
            options,
        }
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Notes a call of the public API.
    pub(crate) fn count(&self, path: &str) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = calls.get_mut(path) {
            *count = count.saturating_add(1);
        } else if calls.len() < PATHS {
            calls.insert(path.to_owned(), 1);
        }
    }

    pub(crate) fn calls(&self, path: &str) -> u64 {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.get(path).copied().unwrap_or_default()
    }

    /// The page of that name at the UI, with one parameter.
    pub(crate) fn page(&self, name: &str, parameter: &str, value: &str) -> String {
        let ui = self.options.ui_url.as_str().trim_end_matches('/');
        format!("{ui}/{name}?{parameter}={value}")
    }

    /// The session cookie a request shows: the first of that name that decodes.
    ///
    /// # Errors
    ///
    /// The message of the last, where none does; `None` where there is no cookie at all.
    pub(crate) fn session_cookie(&self, asked: &Asked) -> Option<Result<Copy, String>> {
        let mut failure = None;
        for (name, value) in asked.cookies() {
            if name != self.options.cookie_name {
                continue;
            }
            match self.seal.open(&value) {
                Ok(copy) => return Some(Ok(copy)),
                Err(message) => failure = Some(message),
            }
        }
        failure.map(Err)
    }

    /// Which credential counts: header, then cookie, then bearer; none falls through to the next once it is read (K-11
    /// to K-14).
    pub(crate) fn shown(&self, asked: &Asked) -> Shown {
        let header = asked.header("x-session-token").map(String::from);
        let cookie = || self.session_cookie(asked)?.ok().map(|copy| copy.token);
        let token = header
            .or_else(cookie)
            .or_else(|| bearer(asked).map(String::from));
        token.map_or(Shown::Nothing, Shown::Token)
    }

    /// The live session behind a request.
    pub(crate) fn session<'a>(
        &self,
        store: &'a Store,
        asked: &Asked,
    ) -> Result<(&'a Session, &'a Identity), NoSession> {
        let Shown::Token(token) = self.shown(asked) else {
            return Err(NoSession);
        };
        let session = store
            .session_by_token(&token)
            .filter(|session| session.is_live(self.now()));
        let identity = session.and_then(|session| store.identities.get(&session.identity));
        match (session, identity) {
            (Some(session), Some(identity)) if identity.active => Ok((session, identity)),
            _ => Err(NoSession),
        }
    }

    /// Whether a session of `identity` is enough where `required` is; if not, the error names the way to step up.
    pub(crate) fn satisfies(
        &self,
        session: &Session,
        identity: &Identity,
        required: RequiredAal,
        return_to: Option<&str>,
    ) -> Result<(), Fault> {
        let lacks = session.aal() < Aal::Aal2 && identity.has_second_factor();
        if required == RequiredAal::HighestAvailable && lacks {
            return Err(Fault::aal2_required(&self.step_up(return_to)));
        }
        Ok(())
    }

    /// Where a second factor is asked for.
    pub(crate) fn step_up(&self, return_to: Option<&str>) -> String {
        let rest = return_to
            .map(|url| format!("&return_to={}", query_escape(url)))
            .unwrap_or_default();
        format!("{}/self-service/login/browser?aal=aal2{rest}", self.base)
    }

    /// A new copy of the session's cookie (K-24); `csrf` is renewed where the request came without that person's session.
    pub(crate) fn issue(&self, asked: &Asked, csrf: &mut Csrf, session: &Session) -> String {
        let known = self
            .session(&self.store(), asked)
            .is_ok_and(|(old, _)| old.identity == session.identity);
        if !known {
            self.jar.renew(csrf);
        }
        self.set_cookie(session)
    }

    /// A cookie value that opens `session`.
    pub(crate) fn seal_session(&self, session: &Session) -> String {
        let copy = Copy {
            token: session.token.clone(),
            expires_at: session.expires_at,
        };
        self.seal.close(&copy, self.now())
    }

    /// The `Set-Cookie` that opens `session`.
    pub(crate) fn set_cookie(&self, session: &Session) -> String {
        let now = self.now();
        let left = session.expires_at.duration_since(now).as_secs();
        let until = super::clock::after(
            now,
            std::time::Duration::from_secs(u64::try_from(left).unwrap_or_default()),
        );
        self.cookie_line(&self.seal_session(session), until, left)
    }

    /// The `Set-Cookie` that takes the session cookie away.
    pub(crate) fn clear_cookie(&self, session: &Session) -> String {
        let start = Timestamp::from_second(1).unwrap_or_default();
        self.cookie_line(&self.seal_session(session), start, 0)
    }

    fn cookie_line(&self, value: &str, until: Timestamp, left: i64) -> String {
        let name = &self.options.cookie_name;
        let domain = self
            .options
            .cookie_domain
            .as_ref()
            .map(|domain| format!("Domain={domain}; "))
            .unwrap_or_default();
        let until = until.strftime("%a, %d %b %Y %H:%M:%S GMT");
        format!(
            "{name}={value}; Path=/; {domain}Expires={until}; Max-Age={left}; HttpOnly; SameSite=Lax"
        )
    }
}

/// The token of an `Authorization: Bearer` header, with exactly one blank (K-10).
pub(crate) fn bearer(asked: &Asked) -> Option<&str> {
    let (scheme, token) = asked.header("authorization")?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.contains(' ')).then_some(token)
}

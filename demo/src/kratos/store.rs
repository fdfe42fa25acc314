//! What a Kratos keeps in its database, in memory: people and sessions for good, flows and errors for a while.

use std::collections::HashMap;

use uuid::Uuid;

use super::courier::Mail;
use super::identity::Identity;
use super::login::LoginFlow;
use super::recovery::RecoveryFlow;
use super::session::Session;
use super::settings::{Held, SettingsFlow};
use super::shelf::Shelf;
use super::user_errors::UserError;

/// Every table.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) identities: HashMap<Uuid, Identity>,
    sessions: HashMap<Uuid, Session>,
    by_token: HashMap<String, Uuid>,
    pub(crate) login_flows: Shelf<LoginFlow>,
    pub(crate) recovery_flows: Shelf<RecoveryFlow>,
    pub(crate) settings_flows: Shelf<SettingsFlow>,
    /// Settings forms that wait for a password.
    pub(crate) held: Shelf<Held>,
    pub(crate) errors: Shelf<UserError>,
    pub(crate) mails: Vec<Mail>,
}

impl Store {
    /// The person who logs in with `email`, in any case of letters.
    pub(crate) fn identity_by_email(&self, email: &str) -> Option<&Identity> {
        self.identities
            .values()
            .find(|identity| identity.email().eq_ignore_ascii_case(email))
    }

    /// Writes a session, new or changed.
    pub(crate) fn put_session(&mut self, session: Session) {
        self.by_token.insert(session.token.clone(), session.id);
        self.sessions.insert(session.id, session);
    }

    pub(crate) fn session(&self, id: Uuid) -> Option<&Session> {
        self.sessions.get(&id)
    }

    pub(crate) fn session_mut(&mut self, id: Uuid) -> Option<&mut Session> {
        self.sessions.get_mut(&id)
    }

    /// The session a token or cookie opens, whatever its state.
    pub(crate) fn session_by_token(&self, token: &str) -> Option<&Session> {
        self.sessions.get(self.by_token.get(token)?)
    }

    /// The sessions of a person, the newest first.
    pub(crate) fn sessions_of(&self, identity: Uuid) -> Vec<&Session> {
        let mut sessions: Vec<_> = self
            .sessions
            .values()
            .filter(|session| session.identity == identity)
            .collect();
        sessions.sort_by_key(|session| std::cmp::Reverse(session.authenticated_at));
        sessions
    }

    /// Forgets the sessions of a person; whether there were any.
    pub(crate) fn remove_sessions_of(&mut self, identity: Uuid) -> bool {
        let before = self.sessions.len();
        self.sessions
            .retain(|_, session| session.identity != identity);
        let sessions = &self.sessions;
        self.by_token.retain(|_, id| sessions.contains_key(id));
        self.sessions.len() < before
    }

    /// Forgets a person with all that is theirs; whether there was one.
    pub(crate) fn remove_identity(&mut self, id: Uuid) -> bool {
        self.remove_sessions_of(id);
        self.identities.remove(&id).is_some()
    }
}

//! One check, from its facts to its decision. What is found on the way stays here, for the reply and the log.

mod form;
mod rule;

use std::{
    borrow::Cow,
    cell::OnceCell,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{HeaderName, HeaderValue, header};

use super::{
    Answer, Snapshot,
    inquiry::{Found, Inquiry, Memory},
    request_id,
};
use crate::{
    domain::{
        client::Client,
        credential::{CredentialKind, Presented},
        decision::{self, Decision, decide_change, with_session},
        identity_domain::EnrolmentPolicy,
        loop_guard::Guard,
        policy::Site,
        reply::{Case, Judged, Reply},
        request::{Facts, Request},
        resume::NotKept,
        rule::{Demand, Rule},
        rule_set::Selection,
        session::{Enrolment, Session, Standing},
    },
    kratos::Kratos,
    telemetry::traces::CheckSpan,
};

/// What a check has found so far.
#[derive(Debug)]
pub(super) struct Check<'a> {
    snapshot: &'a Snapshot,
    facts: &'a Facts,
    now: SystemTime,
    pub(super) request_id: Cow<'a, str>,
    pub(super) request: Option<Request>,
    pub(super) site: Option<Site<'a>>,
    pub(super) rule: Option<&'a Rule>,
    pub(super) presented: Presented,
    /// What a request that changes Kratos' settings must meet besides having a second factor; `None` for any other request.
    change: Option<Vec<Demand>>,
    client: OnceCell<Client>,
    pub(super) session: Option<Arc<Session>>,
    pub(super) waited: Duration,
    pub(super) memory: Memory,
    pub(super) is_step_up_completed: bool,
    pub(super) not_kept: Option<NotKept>,
    is_continued: bool,
    response_headers: Vec<(HeaderName, HeaderValue)>,
}

impl<'a> Check<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, facts: &'a Facts, now: SystemTime) -> Self {
        Self {
            snapshot,
            facts,
            now,
            request_id: request_id::of(&facts.headers),
            request: None,
            site: None,
            rule: None,
            presented: Presented::Nothing,
            change: None,
            client: OnceCell::new(),
            session: None,
            waited: Duration::ZERO,
            memory: Memory::Unasked,
            is_step_up_completed: false,
            not_kept: None,
            is_continued: false,
            response_headers: Vec::new(),
        }
    }

    /// The steps up to the session, in their order: what is demanded of it, or the decision that needs none.
    pub(super) fn begin(&mut self) -> Result<Selection<'a>, Decision> {
        let selection = self.find_rule()?;
        let site = self.site.as_ref().ok_or(Decision::HostUnknown)?;
        // Kratos obeys all kinds, whichever are listed, and so none may be overlooked where it decides.
        let kinds = match self.change {
            Some(_) => &CredentialKind::ALL[..],
            None => &*site.domain.credentials,
        };
        let presented = Presented::find(&self.facts.headers, kinds, &site.domain.cookie);
        match presented {
            Ok(presented) => self.presented = presented,
            Err(_) => return Err(self.settle(&selection, decision::ambiguous(&selection))),
        }
        Ok(selection)
    }

    /// Finds out who it is, within the check's own deadline or the identity domain's timeout, whichever is shorter.
    pub(super) async fn ask(
        &mut self,
        selection: &Selection<'_>,
        deadline: Option<Duration>,
        span: &CheckSpan,
    ) -> (Standing, Enrolment) {
        let Some((site, kratos)) = self.kratos() else {
            return (Found::late().standing, Enrolment::Unknown);
        };
        let inquiry = Inquiry {
            kratos,
            demands: &selection.asked(),
            enforced: &selection.in_force().demands,
            presented: &self.presented,
            asks_enrolment: self.asks_enrolment(site),
            rule_ttl: selection.cache(),
            now: self.now,
            span,
        };
        let budget = deadline.map_or(kratos.timeout(), |own| own.min(kratos.timeout()));
        let found = inquiry.within(budget).await;
        self.waited = found.waited;
        self.memory = found.memory;
        self.renew(found.renewal);
        (found.standing, found.enrolment)
    }

    /// Passes a renewed session cookie on, and keeps caches away from it.
    fn renew(&mut self, renewal: Option<HeaderValue>) {
        if let Some(cookie) = renewal {
            let private = HeaderValue::from_static("private, no-store");
            self.response_headers.push((header::SET_COOKIE, cookie));
            self.response_headers.push((header::CACHE_CONTROL, private));
        }
    }

    /// What would have been learned of all this: without a credential there is no session, and where nobody asks for
    /// factors, nobody knows of them.
    pub(super) fn as_asked<'e>(
        &self,
        standing: Standing,
        enrolment: &'e Enrolment,
    ) -> (Standing, &'e Enrolment) {
        let standing = match (&standing, &self.presented) {
            (Standing::Unavailable { .. }, _) | (_, Presented::One(_)) => standing,
            _ => Standing::SignedOut,
        };
        match &self.site {
            Some(site) if !self.asks_enrolment(site) => (standing, &Enrolment::Unknown),
            _ => (standing, enrolment),
        }
    }

    fn asks_enrolment(&self, site: &Site<'_>) -> bool {
        self.change.is_some() || site.domain.enrolment != EnrolmentPolicy::Off
    }

    /// The decision, now that the session is known.
    pub(super) fn conclude(
        &mut self,
        selection: &Selection<'a>,
        standing: Standing,
        enrolment: &Enrolment,
    ) -> Decision {
        let decision = if self.is_continued {
            self.continued(&standing)
        } else {
            self.judge(selection, &standing, enrolment)
        };
        if let Standing::Session(session) = standing {
            self.session = Some(session);
        }
        decision
    }

    fn judge(
        &mut self,
        selection: &Selection<'a>,
        standing: &Standing,
        enrolment: &Enrolment,
    ) -> Decision {
        let decision = match &self.change {
            Some(own) => decide_change(own, standing, enrolment, self.now),
            None => with_session(selection, standing, enrolment, self.now),
        };
        let decision = self.guard(selection, standing.session(), decision);
        let decision = self.keep(standing, decision);
        self.settle(selection, decision)
    }

    /// A request that passes has the rule that it was selected by; a refusal is that of the rule in force.
    fn settle(&mut self, selection: &Selection<'a>, decision: Decision) -> Decision {
        if matches!(decision, Decision::Allow(_)) {
            self.rule = Some(selection.rule);
        }
        decision
    }

    /// The decision, unless it would lead in circles.
    fn guard(
        &mut self,
        selection: &Selection<'_>,
        session: Option<&Session>,
        decision: Decision,
    ) -> Decision {
        let (Some(request), Some(site)) = (&self.request, &self.site) else {
            return decision;
        };
        let guard = Guard {
            secret: &self.snapshot.policy.secret,
            site,
            path: request.path.whole(),
            headers: &self.facts.headers,
            client: self.client(),
            session,
            demands: &selection.in_force().demands,
            now: self.now,
        };
        let guarded = guard.judge(decision);
        self.is_step_up_completed = guarded.is_step_up_completed;
        self.response_headers.extend(guarded.cookie);
        guarded.decision
    }

    fn kratos(&self) -> Option<(&Site<'a>, &'a Kratos)> {
        let site = self.site.as_ref()?;
        Some((site, self.snapshot.kratos.get(site.domain_id)?))
    }

    /// The client, which is asked for only once it is known what it presents.
    pub(super) fn client(&self) -> Client {
        *self
            .client
            .get_or_init(|| Client::of(&self.facts.headers, self.presented.kind()))
    }

    pub(super) fn answer(&self, decision: Decision) -> Answer {
        let (word, reason) = (decision.as_str(), decision.reason().as_str());
        let lifted = decision.lifted();
        Answer {
            reply: Reply::new(decision, &self.case()),
            rule: self.rule.map(|rule| rule.id.clone()).unwrap_or_default(),
            decision: word,
            reason,
            lifted,
            aal: self
                .session
                .as_ref()
                .map_or("", |session| session.aal.as_str()),
        }
    }

    fn case(&self) -> Case<'_> {
        let judged = || {
            Some(Judged {
                request: self.request.as_ref()?,
                site: self.site.as_ref()?,
                rule: self.rule?,
            })
        };
        Case {
            policy: &self.snapshot.policy,
            headers: &self.facts.headers,
            client: self.client(),
            request_id: &self.request_id,
            judged: judged(),
            session: self.session.as_deref(),
            not_kept: self.not_kept,
            response_headers: &self.response_headers,
        }
    }
}

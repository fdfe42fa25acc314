//! The first steps of a check: the request, where it belongs, its rule, and what that asks of the session.

use super::{super::submission, Check};
use crate::domain::{
    context,
    decision::{Decision, Grant, without_session},
    origin::Serves,
    policy::Site,
    reason::{Malformed, Reason},
    request::{Facts, Request},
    resume,
    rule::Demand,
    rule_set::Selection,
    settings::{self, Intent},
};

impl<'a> Check<'a> {
    /// What the request's rules demand of the session, or the decision where none is needed.
    pub(super) fn find_rule(&mut self) -> Result<Selection<'a>, Decision> {
        let policy = &self.snapshot.policy;
        if policy.upstream_headers.are_forged(self.facts) {
            return Err(Decision::Malformed(Malformed::ForgedIdentity));
        }
        let request = Request::parse(self.facts, policy.paths).map_err(Decision::Malformed)?;
        let request = self.request.insert(request);
        let site = policy.locate(&request.authority);
        let site = self.site.insert(site.ok_or(Decision::HostUnknown)?);
        if request.path.whole() == resume::PATH.as_bytes() {
            self.is_continued = true;
            return Ok(policy.rules.session_only());
        }
        let (host, method) = (&request.authority.host, request.judged_method());
        let mut selection = policy.select(site, host, &request.path, method);
        self.rule = Some(selection.in_force().rule);
        let extension = context::parse(&self.facts.context, &policy.context_ignore);
        selection.add(&extension.map_err(|_| Decision::Deny(Reason::ContextInvalid))?);
        if changes_settings(site, request, self.facts) {
            return self.hold(selection.into_force());
        }
        match without_session(&selection, request) {
            Some(settled) => Err(self.settle(&selection, settled)),
            None => Ok(selection),
        }
    }

    /// Whoever changes Kratos' settings must have a second factor, besides what is enforced there.
    fn hold(&mut self, mut selection: Selection<'a>) -> Result<Selection<'a>, Decision> {
        let request = self.request.as_ref();
        let settled = request.and_then(|request| without_session(&selection, request));
        if let Some(settled) = settled.filter(|settled| !is_open(settled)) {
            return Err(settled);
        }
        self.change = Some(selection.demands.clone());
        selection.demands.push(Demand::AAL2);
        Ok(selection)
    }
}

fn is_open(decision: &Decision) -> bool {
    matches!(decision, Decision::Allow(permit) if permit.grant() == Grant::Open)
}

/// Whether this would change something in Kratos' settings but set a second factor up, where that takes one.
fn changes_settings(site: &Site<'_>, request: &Request, facts: &Facts) -> bool {
    let serves_kratos = site.origin.serves() != Serves::Apps && site.domain.enrol_first.is_some();
    if !serves_kratos {
        return false;
    }
    let fields = submission::fields(facts);
    let intent = settings::intent(request, fields.as_deref());
    // No client sends one with what it only reads.
    let has_odd_body = request.is_repeatable() && facts.body.is_some();
    intent.is_some_and(|intent| intent == Intent::Change || has_odd_body)
}

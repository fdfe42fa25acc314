//! A form on its way through a check: kept where it meets a challenge, and continued afterwards.

use super::{super::ticket, Check};
use crate::domain::{
    decision::Decision,
    resume::{self, Form, Kept, NotKept, Owner, Posted, Who},
    session::Standing,
};

impl Check<'_> {
    /// The page that continues a form, whoever looks at it.
    pub(super) fn continued(&self, standing: &Standing) -> Decision {
        let secret = &self.snapshot.policy.secret;
        let page = Who::of(standing)
            .zip(self.site.as_ref())
            .zip(ticket::draw())
            .map(|((who, site), ticket)| resume::continued(who, secret, site, ticket));
        match (page, standing) {
            (Some(page), _) => Decision::Resume(Box::new(page)),
            (None, Standing::Unavailable { retry_after }) => Decision::Unavailable {
                retry_after: *retry_after,
            },
            (None, _) => Decision::Unavailable { retry_after: None },
        }
    }

    /// The decision, with the form that met it where the rule says that it is kept. Why one is not stays here.
    pub(super) fn keep(&mut self, standing: &Standing, decision: Decision) -> Decision {
        let Some(outcome) = self.form(standing, &decision) else {
            return decision;
        };
        match (outcome, ticket::draw()) {
            (Ok((form, owner)), Some(ticket)) => Decision::Keep(Box::new(Kept {
                challenge: decision,
                form,
                owner,
                ticket,
            })),
            (outcome, _) => {
                self.not_kept = outcome.err();
                decision
            }
        }
    }

    fn form(
        &self,
        standing: &Standing,
        decision: &Decision,
    ) -> Option<Result<(Form, Owner), NotKept>> {
        self.rule.filter(|rule| rule.resume)?;
        let (request, site) = (self.request.as_ref()?, self.site.as_ref()?);
        let posted = Posted {
            request,
            headers: &self.facts.headers,
            client: self.client(),
            body: self.facts.body.as_ref(),
            origin: &site.origin,
        };
        let is_challenge = resume::is_challenge(decision, site.domain.enrolment);
        let who = Who::of(standing).filter(|_| is_challenge && posted.is_form())?;
        Some(resume::keep(&posted, who, &self.snapshot.policy.secret))
    }
}

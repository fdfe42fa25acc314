use crate::random::Random;

/// Before anything is counted, so that what can be remembered is; ttls, at least one.
const WARM_UP_TTLS: f64 = 2.0;
const COUNTED_SECONDS: f64 = 60.0;
/// Revocations a second: enough to tell, too few to change the load.
const REVOCATIONS: f64 = 20.0;

/// Sessions and replicas, and who remembers whom.
#[derive(Debug)]
pub(crate) struct World {
    rate: f64,
    replicas: usize,
    ttl: f64,
    /// How popular a session and all before it are, out of the last.
    popularity: Vec<f64>,
    /// Until when each replica remembers each session.
    memory: Vec<f64>,
    /// When each session was revoked, and when it was last let through since.
    revoked: Vec<Option<(f64, f64)>>,
    random: Random,
}

/// What was seen.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Calls of whoami a second.
    pub(crate) calls: f64,
    /// Seconds from each revocation to the last allow.
    lags: Vec<f64>,
}

impl Outcome {
    /// The lag that so large a part of the revocations didn't exceed.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a position in a short list"
    )]
    pub(crate) fn lag(&self, part: f64) -> f64 {
        let last = self.lags.len().saturating_sub(1);
        let at = (last as f64 * part).round() as usize;
        self.lags.get(at).copied().unwrap_or_default()
    }
}

impl World {
    #[expect(clippy::cast_precision_loss, reason = "thousands of sessions")]
    pub(crate) fn new(
        rate: f64,
        sessions: usize,
        replicas: usize,
        ttl: f64,
        exponent: f64,
    ) -> Self {
        let popularity = (1..=sessions).scan(0.0, |sum, rank| {
            *sum += (rank as f64).powf(-exponent);
            Some(*sum)
        });
        Self {
            rate,
            replicas,
            ttl,
            popularity: popularity.collect(),
            memory: vec![0.0; sessions * replicas],
            revoked: vec![None; sessions],
            random: Random::new(7),
        }
    }

    pub(crate) fn run(mut self) -> Outcome {
        let start = (self.ttl * WARM_UP_TTLS).max(1.0);
        let end = start + COUNTED_SECONDS;
        let mut revocation = start;
        let (mut now, mut calls, mut lags) = (0.0, 0_u32, Vec::new());
        while now < end {
            now += self.random.wait(self.rate);
            // The last ones need a ttl to be told.
            if now > revocation && now < end - self.ttl {
                self.revoke(now, &mut lags);
                revocation += self.random.wait(REVOCATIONS);
            }
            if self.check(now) && now > start {
                calls += 1;
            }
        }
        lags.extend(
            self.revoked
                .iter()
                .flatten()
                .map(|(from, last)| last - from),
        );
        lags.sort_by(f64::total_cmp);
        Outcome {
            calls: f64::from(calls) / COUNTED_SECONDS,
            lags,
        }
    }

    /// One check; whether Kratos was asked.
    fn check(&mut self, now: f64) -> bool {
        let session = self.draw();
        let at = session * self.replicas + self.random.below(self.replicas);
        let Some(until) = self.memory.get_mut(at) else {
            return false;
        };
        let is_remembered = now < *until;
        if !is_remembered {
            *until = now + self.ttl;
        }
        // What was asked for after the revocation was refused, so nobody remembers it.
        if let Some(Some((from, last))) = self.revoked.get_mut(session)
            && is_remembered
            && *until <= *from + self.ttl
        {
            *last = now;
        }
        !is_remembered
    }

    /// Revokes a session. A session revoked before has had its time: it counts, and lives again.
    fn revoke(&mut self, now: f64, lags: &mut Vec<f64>) {
        let session = self.draw();
        let Some(slot) = self.revoked.get_mut(session) else {
            return;
        };
        if let Some((from, last)) = *slot {
            if now < from + self.ttl {
                return;
            }
            lags.push(last - from);
        }
        *slot = Some((now, now));
    }

    /// A session, by popularity.
    fn draw(&mut self) -> usize {
        let all = self.popularity.last().copied().unwrap_or_default();
        let wanted = self.random.unit() * all;
        self.popularity.partition_point(|sum| *sum <= wanted)
    }
}

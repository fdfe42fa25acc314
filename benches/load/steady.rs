//! Checks at a fixed rate.

use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;
use tokio::{task::JoinSet, time::timeout};

use crate::{
    Outcome,
    load::{Expected, Load, MAX_RUN, Tally, now},
    wire::{check, connect},
};

impl Load {
    /// So many checks a second, sent when they are due whether or not others were answered. A latency counts from when
    /// the check was due, so a server that stalls is charged for each check that it kept waiting.
    pub(crate) async fn steady(
        &self,
        port: u16,
        per_second: f64,
        past: Duration,
    ) -> Outcome<Tally> {
        timeout(MAX_RUN, self.steady_unbounded(port, per_second, past)).await?
    }

    async fn steady_unbounded(&self, port: u16, per_second: f64, past: Duration) -> Outcome<Tally> {
        let mut connections = Vec::new();
        for _ in 0..self.connections {
            connections.push(connect(port).await?);
        }
        let pause = Duration::from_secs_f64(1.0 / per_second);
        let (began, mut due) = (now(), Duration::ZERO);
        let mut asked = JoinSet::new();
        let mut all = Tally::default();
        let sends = connections.iter().cycle().zip(self.messages.iter().cycle());
        for (connection, message) in sends.take_while(|_| began.elapsed() < past) {
            // The runtime's own clock ticks in milliseconds, which is too coarse.
            while began.elapsed() < due {
                tokio::task::yield_now().await;
            }
            let due_at = began.checked_add(due).ok_or("no such time")?;
            asked.spawn(ask_at(
                due_at,
                connection.clone(),
                message.clone(),
                self.expected,
            ));
            due = due.saturating_add(pause);
            while let Some(one) = asked.try_join_next() {
                all.add(one??);
            }
        }
        while let Some(one) = asked.join_next().await {
            all.add(one??);
        }
        all.took = began.elapsed();
        Ok(all)
    }
}

/// One check of a fixed rate.
async fn ask_at(
    due: Instant,
    connection: SendRequest<Bytes>,
    message: Bytes,
    expected: Expected,
) -> Outcome<Tally> {
    let response = check(connection, message).await?;
    let mut tally = Tally::default();
    tally.count(&expected.hold(&response)?);
    tally.latencies.push(now().duration_since(due));
    Ok(tally)
}

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::reading;

/// Older visits are dropped: a ledger is for a test or an afternoon, not for ever.
const KEPT: usize = 10_000;

/// Longest form that is read, in bytes.
const FORM: usize = 64 * 1024;

/// A request that reached the bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// The method, in capitals.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// `X-User-Id` as it arrived; several values are joined by `, `.
    pub user_id: Option<String>,
    /// `X-User-Aal` as it arrived; several values are joined by `, `.
    pub user_aal: Option<String>,
    /// The body of a POST as it arrived; empty for anything else, and above 64 KiB.
    #[serde(default)]
    pub form: String,
}

/// The requests that reached the bank, in order. Clones share one book.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    visits: Arc<Mutex<VecDeque<Visit>>>,
    /// Where the book is, if in another process.
    elsewhere: Option<SocketAddr>,
}

impl Ledger {
    /// The ledger of a bank in another process, where [`open_ledger`](super::open_ledger) serves it.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self {
            elsewhere: Some(address),
            ..Self::default()
        }
    }

    /// The number of requests for `path`, whatever their method and query; more than any where it can't be read.
    #[must_use]
    pub fn count(&self, path: &str) -> usize {
        self.read().map_or(usize::MAX, |visits| {
            visits.iter().filter(|visit| visit.path == path).count()
        })
    }

    /// The last 10,000 requests, oldest first; none where it can't be read.
    #[must_use]
    pub fn visits(&self) -> Vec<Visit> {
        self.read().unwrap_or_default()
    }

    /// Forgets them all.
    pub fn clear(&self) {
        match self.elsewhere {
            // A book that can't be cleared can't be read either, and `count` says so.
            Some(address) => drop(reading::clear(address)),
            None => self.book().clear(),
        }
    }

    fn read(&self) -> Option<Vec<Visit>> {
        match self.elsewhere {
            Some(address) => reading::visits(address).ok(),
            None => Some(self.book().iter().cloned().collect()),
        }
    }

    fn write(&self, visit: Visit) {
        let mut book = self.book();
        if book.len() >= KEPT {
            book.pop_front();
        }
        book.push_back(visit);
    }

    fn book(&self) -> MutexGuard<'_, VecDeque<Visit>> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes each request down before it is answered.
pub(crate) async fn record(State(ledger): State<Ledger>, request: Request, next: Next) -> Response {
    let (request, form) = with_form(request).await;
    ledger.write(Visit {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        user_id: joined(&request, "x-user-id"),
        user_aal: joined(&request, "x-user-aal"),
        form,
    });
    next.run(request).await
}

/// The request, whole again, and the text of its form.
async fn with_form(request: Request) -> (Request, String) {
    if request.method() != Method::POST {
        return (request, String::new());
    }
    let (head, body) = request.into_parts();
    let body = to_bytes(body, FORM).await.unwrap_or_default();
    let form = String::from_utf8_lossy(&body).into_owned();
    (Request::from_parts(head, body.into()), form)
}

fn joined(request: &Request, name: &str) -> Option<String> {
    let values = request.headers().get_all(name);
    let texts: Vec<_> = values
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(path: &str) -> Visit {
        Visit {
            method: "GET".to_owned(),
            path: path.to_owned(),
            user_id: None,
            user_aal: None,
            form: String::new(),
        }
    }

    #[test]
    fn each_path_is_counted_by_itself() {
        let ledger = Ledger::default();
        ledger.write(visit("/"));
        ledger.write(visit("/transfer"));
        ledger.write(visit("/transfer"));
        assert_eq!(
            (
                ledger.count("/"),
                ledger.count("/transfer"),
                ledger.count("/account")
            ),
            (1, 2, 0)
        );
    }

    #[test]
    fn the_oldest_visits_are_dropped() {
        let ledger = Ledger::default();
        ledger.write(visit("/first"));
        (0..KEPT).for_each(|_| ledger.write(visit("/next")));
        assert_eq!((ledger.count("/first"), ledger.count("/next")), (0, KEPT));
    }
}

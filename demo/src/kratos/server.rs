//! The two doors: which room answers which path, and what every answer carries besides.
//!
//! Paths are Go's: an unclean one is redirected, a known one with another method is 405, the rest 404 (K-20, K-111).

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::answer::Answer;
use super::asked::Asked;
use super::csrf::Csrf;
use super::routes::{ADMIN, Cookie, MOVED, PUBLIC, Route};
use super::state::Kratos;

/// A request's body is read up to here.
const LONGEST_BODY: usize = 1 << 20;

/// A door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Public,
    Admin,
}

impl Door {
    fn routes(self) -> &'static [Route] {
        match self {
            Self::Public => PUBLIC,
            Self::Admin => ADMIN,
        }
    }

    /// The routes of a path, one a method; admin paths at the public door only point to the other.
    fn at(self, path: &str) -> Vec<&'static Route> {
        let at = |routes: &'static [Route]| -> Vec<&'static Route> {
            routes
                .iter()
                .filter(|route| captures(route.path, path).is_some())
                .collect()
        };
        let found = at(self.routes());
        if found.is_empty() && path.starts_with("/admin/") && !at(ADMIN).is_empty() {
            return vec![&MOVED];
        }
        found
    }

    fn elsewhere(self) -> Cookie {
        match self {
            Self::Public => Cookie::Set,
            Self::Admin => Cookie::Unread,
        }
    }

    /// The service behind the door.
    pub(crate) fn service(self, kratos: Arc<Kratos>) -> Router {
        Router::new().fallback(serve).with_state((self, kratos))
    }
}

async fn serve(
    State((door, kratos)): State<(Door, Arc<Kratos>)>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let asked = Asked {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
        peer,
        captured: Vec::new(),
    };
    answer(door, &kratos, asked)
}

fn answer(door: Door, kratos: &Kratos, mut asked: Asked) -> Response {
    if door == Door::Public {
        kratos.count(&asked.path);
    }
    let routes = door.at(&asked.path);
    let cookie = routes
        .first()
        .map_or(door.elsewhere(), |route| route.cookie);
    let mut csrf = kratos.jar.of(&asked, cookie == Cookie::Set);
    let answer = guard(kratos, &asked, cookie, &csrf);
    let answer = answer.unwrap_or_else(|| enter(kratos, &mut asked, &routes, &mut csrf));
    dress(
        answer.maybe_cookie(csrf.take_cookie().as_deref()),
        &asked,
        cookie,
    )
}

/// What is answered before a path is looked up: an unclean one, or a change without its token.
fn guard(kratos: &Kratos, asked: &Asked, cookie: Cookie, csrf: &Csrf) -> Option<Answer> {
    let sent = sent(asked);
    if cookie == Cookie::Set && !is_safe(asked) && !csrf.fits(sent.as_deref()) {
        return Some(Answer::fault(
            asked,
            &kratos.jar.fault(asked, sent.as_deref()),
        ));
    }
    let clean = with_query(clean(&asked.path)?, asked);
    Some(Answer::redirect(
        asked,
        StatusCode::TEMPORARY_REDIRECT,
        &clean,
    ))
}

fn enter(kratos: &Kratos, asked: &mut Asked, routes: &[&Route], csrf: &mut Csrf) -> Answer {
    let route = routes
        .iter()
        .find(|route| takes(route.method, asked.method.as_str()));
    if let Some(route) = route {
        asked.captured = captures(route.path, &asked.path).unwrap_or_default();
        return (route.room)(kratos, asked, csrf);
    }
    if routes.is_empty() {
        return Answer::text(StatusCode::NOT_FOUND, "404 page not found\n");
    }
    let answer = Answer::text(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n");
    answer.header(header::ALLOW, &allowed(routes))
}

fn dress(answer: Answer, asked: &Asked, cookie: Cookie) -> Response {
    let mut response = answer.into_response();
    let headers = response.headers_mut();
    if asked.method == "GET" {
        let value = HeaderValue::from_static("private, no-cache, no-store, must-revalidate");
        headers.insert(header::CACHE_CONTROL, value);
    }
    if cookie != Cookie::Unread {
        headers.insert(header::VARY, HeaderValue::from_static("Cookie"));
    }
    response
}

/// Methods that change nothing need no token.
fn is_safe(asked: &Asked) -> bool {
    ["GET", "HEAD", "OPTIONS", "TRACE"].contains(&asked.method.as_str())
}

fn sent(asked: &Asked) -> Option<String> {
    let header = asked.header("x-csrf-token").map(String::from);
    header.or_else(|| asked.fields().text("csrf_token").map(String::from))
}

fn takes(method: &str, asked: &str) -> bool {
    method == "*" || method == asked || (method == "GET" && asked == "HEAD")
}

fn allowed(routes: &[&Route]) -> String {
    let mut methods: Vec<&str> = routes.iter().map(|route| route.method).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.sort_unstable();
    methods.join(", ")
}

/// What the placeholders of `pattern` match in `path`, or `None`.
fn captures(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut captured = Vec::new();
    let mut segments = path.split('/');
    for wanted in pattern.split('/') {
        let segment = segments.next()?;
        if wanted == "{}" && !segment.is_empty() {
            captured.push(segment.to_owned());
        } else if wanted != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(captured)
}

/// The clean form of a path that isn't clean.
fn clean(path: &str) -> Option<String> {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    let slash = if path.ends_with('/') && !kept.is_empty() {
        "/"
    } else {
        ""
    };
    let clean = format!("/{}{slash}", kept.join("/"));
    (clean != path).then_some(clean)
}

/// `path` with the query it was asked with.
pub(crate) fn with_query(path: String, asked: &Asked) -> String {
    if asked.query.is_empty() {
        path
    } else {
        format!("{path}?{}", asked.query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_matches_one_segment() {
        assert_eq!(captures("/a/{}/b", "/a/1/b"), Some(vec![String::from("1")]));
        for path in ["/a//b", "/a/1/b/", "/a/1", "/a/1/2/b"] {
            assert_eq!(captures("/a/{}/b", path), None, "{path}");
        }
    }

    #[test]
    fn unclean_paths_are_cleaned() {
        for (path, cleaned) in [
            ("//sessions/whoami", Some("/sessions/whoami")),
            ("/a/../b/./c", Some("/b/c")),
            ("/sessions/whoami/", None),
            ("/", None),
            ("/a", None),
        ] {
            assert_eq!(clean(path).as_deref(), cleaned, "{path}");
        }
    }
}

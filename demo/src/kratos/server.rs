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
use super::state::Kratos;
use super::{admin, health, login, logout, settings, user_errors, whoami};

/// A request's body is read up to here.
const LONGEST_BODY: usize = 1 << 20;

type Room = fn(&Kratos, &Asked, &mut Csrf) -> Answer;

/// One path of a door.
struct Route {
    /// `*` for any.
    method: &'static str,
    /// With `{}` for any one segment.
    path: &'static str,
    cookie: Cookie,
    room: Room,
}

/// Whether an answer may set the CSRF cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cookie {
    /// Where the browser has none.
    Set,
    /// Only as part of a login.
    Kept,
    /// Never, and the answer doesn't vary by cookie.
    Unread,
}

const fn route(method: &'static str, path: &'static str, cookie: Cookie, room: Room) -> Route {
    Route {
        method,
        path,
        cookie,
        room,
    }
}

const PUBLIC: &[Route] = &[
    route("*", "/sessions/whoami", Cookie::Kept, whoami::whoami),
    route("DELETE", "/sessions/{}", Cookie::Kept, logout::end_mine),
    route(
        "GET",
        "/self-service/login/browser",
        Cookie::Set,
        login::open_browser,
    ),
    route(
        "GET",
        "/self-service/login/api",
        Cookie::Kept,
        login::open_api,
    ),
    route("GET", "/self-service/login/flows", Cookie::Set, login::read),
    route("GET", "/self-service/login", Cookie::Kept, login::submit),
    route("POST", "/self-service/login", Cookie::Kept, login::submit),
    route(
        "GET",
        "/self-service/settings/browser",
        Cookie::Set,
        settings::open_browser,
    ),
    route(
        "GET",
        "/self-service/settings/api",
        Cookie::Kept,
        settings::open_api,
    ),
    route(
        "GET",
        "/self-service/settings/flows",
        Cookie::Set,
        settings::read,
    ),
    route(
        "GET",
        "/self-service/settings",
        Cookie::Kept,
        settings::submit,
    ),
    route(
        "POST",
        "/self-service/settings",
        Cookie::Kept,
        settings::submit,
    ),
    route(
        "GET",
        "/self-service/logout/browser",
        Cookie::Set,
        logout::open,
    ),
    route("GET", "/self-service/logout", Cookie::Set, logout::submit),
    route(
        "DELETE",
        "/self-service/logout/api",
        Cookie::Kept,
        logout::native,
    ),
    route(
        "GET",
        "/self-service/errors",
        Cookie::Set,
        user_errors::read,
    ),
    route("GET", "/health/alive", Cookie::Unread, health::ok),
    route("GET", "/health/ready", Cookie::Unread, health::ok),
    route("GET", "/version", Cookie::Unread, not_here),
];

const ADMIN: &[Route] = &[
    route("*", "/sessions/whoami", Cookie::Unread, at_the_public_port),
    route("POST", "/admin/identities", Cookie::Unread, admin::create),
    route("GET", "/admin/identities", Cookie::Unread, admin::list),
    route("GET", "/admin/identities/{}", Cookie::Unread, admin::get),
    route(
        "PUT",
        "/admin/identities/{}",
        Cookie::Unread,
        admin::replace,
    ),
    route(
        "PATCH",
        "/admin/identities/{}",
        Cookie::Unread,
        admin::patch,
    ),
    route(
        "DELETE",
        "/admin/identities/{}",
        Cookie::Unread,
        admin::delete,
    ),
    route(
        "DELETE",
        "/admin/identities/{}/credentials/{}",
        Cookie::Unread,
        admin::delete_credential,
    ),
    route(
        "GET",
        "/admin/identities/{}/sessions",
        Cookie::Unread,
        admin::sessions::list,
    ),
    route(
        "DELETE",
        "/admin/identities/{}/sessions",
        Cookie::Unread,
        admin::sessions::delete_all,
    ),
    route(
        "GET",
        "/admin/sessions/{}",
        Cookie::Unread,
        admin::sessions::get,
    ),
    route(
        "DELETE",
        "/admin/sessions/{}",
        Cookie::Unread,
        admin::sessions::revoke,
    ),
    route(
        "PATCH",
        "/admin/sessions/{}/extend",
        Cookie::Unread,
        admin::sessions::extend,
    ),
    route("GET", "/health/alive", Cookie::Unread, health::ok),
    route("GET", "/health/ready", Cookie::Unread, health::ok),
    route("GET", "/version", Cookie::Unread, health::version),
];

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
    let at_path: Vec<&Route> = door
        .routes()
        .iter()
        .filter(|route| captures(route.path, &asked.path).is_some())
        .collect();
    let cookie = at_path
        .first()
        .map_or(door.elsewhere(), |route| route.cookie);
    let mut csrf = kratos.jar.of(&asked, cookie == Cookie::Set);
    let answer = match (
        clean(&asked.path),
        at_path
            .iter()
            .find(|route| takes(route.method, asked.method.as_str())),
    ) {
        (Some(path), _) => Answer::redirect(
            &asked,
            StatusCode::TEMPORARY_REDIRECT,
            &with_query(path, &asked),
        ),
        (None, Some(route)) => {
            asked.captured = captures(route.path, &asked.path).unwrap_or_default();
            (route.room)(kratos, &asked, &mut csrf)
        }
        (None, None) if at_path.is_empty() => {
            Answer::text(StatusCode::NOT_FOUND, "404 page not found\n")
        }
        (None, None) => Answer::text(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n")
            .header(header::ALLOW, &allowed(&at_path)),
    };
    dress(
        answer.maybe_cookie(csrf.take_cookie().as_deref()),
        &asked,
        cookie,
    )
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

fn with_query(path: String, asked: &Asked) -> String {
    if asked.query.is_empty() {
        path
    } else {
        format!("{path}?{}", asked.query)
    }
}

fn not_here(_: &Kratos, _: &Asked, _: &mut Csrf) -> Answer {
    Answer::text(StatusCode::NOT_FOUND, "404 page not found\n")
}

fn at_the_public_port(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let url = with_query(format!("{}{}", kratos.base, asked.path), asked);
    Answer::redirect(asked, StatusCode::TEMPORARY_REDIRECT, &url)
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

//! Which room answers which path of which door.

use axum::http::StatusCode;

use super::answer::Answer;
use super::asked::Asked;
use super::csrf::Csrf;
use super::server::with_query;
use super::state::Kratos;
use super::{admin, courier, health, login, logout, recovery, settings, user_errors, whoami};

type Room = fn(&Kratos, &Asked, &mut Csrf) -> Answer;

/// One path of a door.
pub(crate) struct Route {
    /// `*` for any.
    pub(crate) method: &'static str,
    /// With `{}` for any one segment.
    pub(crate) path: &'static str,
    pub(crate) cookie: Cookie,
    pub(crate) room: Room,
}

/// Whether an answer may set the CSRF cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
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

/// The public door.
pub(crate) const PUBLIC: &[Route] = &[
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
        "/self-service/recovery/browser",
        Cookie::Set,
        recovery::open,
    ),
    route(
        "GET",
        "/self-service/recovery/flows",
        Cookie::Set,
        recovery::read,
    ),
    route(
        "POST",
        "/self-service/recovery",
        Cookie::Kept,
        recovery::submit,
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

/// Admin paths asked for at the public door.
pub(crate) const MOVED: Route = route("*", "", Cookie::Kept, at_the_admin_port);

/// The admin door.
pub(crate) const ADMIN: &[Route] = &[
    route(
        "GET",
        "/sessions/whoami",
        Cookie::Unread,
        at_the_public_port,
    ),
    route("DELETE", "/sessions/{}", Cookie::Unread, at_the_public_port),
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
    route(
        "GET",
        "/admin/courier/messages",
        Cookie::Unread,
        courier::list,
    ),
    // Not Kratos': a test makes a session older instead of waiting.
    route(
        "PATCH",
        "/admin/sessions/{}/age",
        Cookie::Unread,
        admin::sessions::age,
    ),
    route("GET", "/health/alive", Cookie::Unread, health::ok),
    route("GET", "/health/ready", Cookie::Unread, health::ok),
    route("GET", "/version", Cookie::Unread, health::version),
];

fn not_here(_: &Kratos, _: &Asked, _: &mut Csrf) -> Answer {
    Answer::text(StatusCode::NOT_FOUND, "404 page not found\n")
}

fn at_the_public_port(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let url = with_query(format!("{}{}", kratos.base, asked.path), asked);
    Answer::redirect(asked, StatusCode::TEMPORARY_REDIRECT, &url)
}

fn at_the_admin_port(kratos: &Kratos, asked: &Asked, _: &mut Csrf) -> Answer {
    let url = with_query(format!("{}{}", kratos.admin_base, asked.path), asked);
    Answer::redirect(asked, StatusCode::TEMPORARY_REDIRECT, &url)
}

//! What the bank and the login pages look like: one frame, one stylesheet, no script.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

const STYLE: &str = include_str!("../assets/olympus.css");

/// No `form-action`: browsers apply it to redirects after a form too, and those end on other hosts of the bank.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

/// A link in the head of a page; the one to the page itself is marked.
#[derive(Debug, Clone)]
pub struct Link {
    /// The words to click.
    pub text: &'static str,
    /// Where they lead.
    pub href: String,
    /// Whether this is the page shown.
    pub here: bool,
}

/// Frames `body` as a page named `title`.
#[must_use]
pub fn page(title: &str, home: &str, links: &[Link], body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Olympus Bank" }
                link rel="stylesheet" href="/olympus.css";
                link rel="icon" href="data:,";
            }
            body {
                header { (brand(home)) (navigation(links)) }
                main { (body) }
                footer { "Olympus Bank is a demonstration. Its money, people and passwords are made up." }
            }
        }
    };
    (
        [
            (CONTENT_SECURITY_POLICY, POLICY),
            (CACHE_CONTROL, "no-store"),
        ],
        page,
    )
        .into_response()
}

/// Serves the stylesheet.
pub async fn stylesheet() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "max-age=60"),
    ];
    (headers, STYLE).into_response()
}

fn brand(home: &str) -> Markup {
    html! {
        a.brand href=(home) {
            // Two peaks.
            svg viewBox="0 0 24 24" aria-hidden="true" { path d="M1 20 8.5 6l4 7.2L15.5 9 23 20z"; }
            "Olympus Bank"
        }
    }
}

fn navigation(links: &[Link]) -> Markup {
    html! {
        @if !links.is_empty() {
            nav {
                @for link in links {
                    a href=(link.href) aria-current=[link.here.then_some("page")] { (link.text) }
                }
            }
        }
    }
}

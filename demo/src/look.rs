//! What the bank, the console and the login pages look like: one frame, one stylesheet, one script, nothing from outside.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, html};

const STYLE: &str = include_str!("../assets/olympus.css");
const SCRIPT: &str = include_str!("../assets/olympus.js");
const GATED: &str = include_str!("../assets/gated.js");

/// Whose page it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brand {
    /// The customers' side.
    Bank,
    /// The staff's side, in another colour: nobody should take one for the other.
    Staff,
}

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

/// What stands around the body of a page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Whose page it is.
    pub brand: Brand,
    /// The page's name.
    pub title: String,
    /// Where the brand leads.
    pub home: String,
    /// The head's links.
    pub links: Vec<Link>,
    /// Origins that the page's script may call besides its own, as a content security policy lists them.
    pub connect: String,
}

impl Brand {
    /// The name in the head.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bank => "Olympus Bank",
            Self::Staff => "Olympus staff",
        }
    }
}

/// Frames `body`.
#[must_use]
pub fn page(frame: &Frame, body: &Markup) -> Response {
    let staff = frame.brand == Brand::Staff;
    let page = html! {
        (DOCTYPE)
        html lang="en" class=[staff.then_some("staff")] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (frame.title) " · " (frame.brand.name()) }
                link rel="stylesheet" href="/olympus.css";
                link rel="icon" href="data:,";
                script src="/olympus.js" defer {}
            }
            body {
                a.skip href="#main" { "Skip to the page" }
                header { (brand(frame)) (navigation(&frame.links)) }
                main #main { (body) }
                footer { "Olympus Bank is a demonstration of Stepgate. Its money, people and passwords are made up." }
            }
        }
    };
    let headers = [
        (CONTENT_SECURITY_POLICY, policy(&frame.connect)),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, page).into_response()
}

/// Serves the stylesheet and the scripts.
pub fn assets<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route(
            "/olympus.css",
            get(|| asset("text/css; charset=utf-8", STYLE)),
        )
        .route(
            "/olympus.js",
            get(|| asset("text/javascript; charset=utf-8", SCRIPT)),
        )
        .route(
            "/gated.js",
            get(|| asset("text/javascript; charset=utf-8", GATED)),
        )
}

async fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "max-age=60")], text).into_response()
}

/// No `form-action`: browsers apply it to redirects after a form too, and those end on other hosts of the bank.
fn policy(connect: &str) -> String {
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self' {connect}; img-src 'self' data:; \
         frame-ancestors 'none'; base-uri 'none'"
    )
}

fn brand(frame: &Frame) -> Markup {
    html! {
        a.brand href=(frame.home) {
            // Two peaks.
            svg viewBox="0 0 24 24" aria-hidden="true" { path d="M1 20 8.5 6l4 7.2L15.5 9 23 20z"; }
            (frame.brand.name())
        }
    }
}

fn navigation(links: &[Link]) -> Markup {
    html! {
        @if !links.is_empty() {
            nav aria-label="Pages" {
                @for link in links {
                    a href=(link.href) aria-current=[link.here.then_some("page")] { (link.text) }
                }
            }
        }
    }
}

use axum::http::HeaderMap;
use maud::{Markup, html};

/// What this request told the app about its sender: the identity headers, then all of them.
pub(crate) fn told(headers: &HeaderMap) -> Markup {
    let identity: Vec<_> = headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-user-"))
        .collect();
    html! {
        section.card {
            h2 { "What the app was told about you" }
            @if identity.is_empty() {
                p { "Nothing. On an open page no session is looked up." }
            } @else {
                table.told { @for (name, value) in identity { (row(name.as_str(), value.as_bytes())) } }
            }
            details {
                summary { "All headers of this request" }
                table.told {
                    @for (name, value) in headers {
                        // The page is shown to people over shoulders; a session cookie is a key.
                        @if name == "cookie" { (row("cookie", b"<redacted>")) } @else { (row(name.as_str(), value.as_bytes())) }
                    }
                }
            }
        }
    }
}

fn row(name: &str, value: &[u8]) -> Markup {
    html! { tr { th scope="row" { code { (name) } } td { code { (String::from_utf8_lossy(value)) } } } }
}

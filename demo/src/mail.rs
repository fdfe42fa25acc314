//! The mails that both Kratos sent, caught: `mail.bank.localhost`.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use maud::html;

use crate::backstage::Backstage;
use crate::look::{self, Brand, Frame, Link};

/// The pages of the mails.
pub fn router(backstage: Backstage) -> Router {
    Router::new()
        .route("/", get(mails))
        .merge(look::assets())
        .with_state(backstage)
}

async fn mails(State(backstage): State<Backstage>) -> Response {
    let mails = backstage.mails().await;
    let body = html! {
        h1 { "Caught mails" }
        p.lead { "What either Kratos mails ends here, for nobody at Olympus Bank has a mailbox." }
        @if mails.is_empty() { p.note { "Nothing yet. Recovering an account sends a code." } }
        @for mail in &mails {
            article.card.mail {
                h2 { (mail.subject) }
                p.soft { "To " (mail.to) " · " (mail.sent_at) }
                pre { (mail.body) }
            }
        }
    };
    let bank = Link {
        text: "Bank",
        href: backstage.origins.app.clone(),
        here: false,
    };
    let frame = Frame {
        brand: Brand::Bank,
        title: "Caught mails".to_owned(),
        home: backstage.origins.app,
        links: vec![bank],
        connect: String::new(),
    };
    look::page(&frame, &body)
}

//! The words on the pages.

use maud::{Markup, html};
use serde::Deserialize;

use super::flow::{Flow, Identity};
use super::form;

/// Where each flow starts; the browser reaches Kratos and these pages on one host.
pub(super) const LOGIN: &str = "/self-service/login/browser";
pub(super) const SETTINGS: &str = "/self-service/settings/browser";
pub(super) const RECOVERY: &str = "/self-service/recovery/browser";
/// What comes first is what people are sent here for.
const SETTINGS_ORDER: [&str; 4] = ["totp", "lookup_secret", "password", "profile"];

#[derive(Debug, Deserialize)]
pub(super) struct Session {
    authenticator_assurance_level: String,
    identity: Option<Identity>,
}

pub(super) fn login_title(flow: &Flow) -> &'static str {
    match (flow.asks_for_second_factor(), flow.refresh) {
        (true, _) => "Your second factor",
        (false, true) => "Your password, once more",
        (false, false) => "Log in",
    }
}

pub(super) fn login_body(flow: &Flow) -> Markup {
    let groups = flow.groups();
    html! {
        div.narrow {
            h1 { (login_title(flow)) }
            @if groups.is_empty() { (no_method(flow)) } @else { (form::messages(flow)) }
            (form::cards(flow, &groups, true))
            @if !flow.asks_for_second_factor() && !flow.refresh { p { a href=(RECOVERY) { "Can't log in? Recover the account" } } }
            @if flow.asks_for_second_factor() { p.soft { "Phone lost, and no codes left? Ask the bank's staff to remove the factor. "
                a href="/logout" { "Log out" } } }
        }
    }
}

pub(super) fn recovery_body(flow: &Flow) -> Markup {
    html! {
        div.narrow {
            h1 { "Recover your account" }
            p.lead { "A code is mailed to you. It replaces the password, never the second factor." }
            (form::messages(flow))
            (form::cards(flow, &flow.groups(), true))
        }
    }
}

/// Kratos offers an empty form to people who have no second factor (K-43); say so, and where to get one.
fn no_method(flow: &Flow) -> Markup {
    let settings = flow.return_to.as_deref().map_or_else(
        || SETTINGS.to_owned(),
        |back| with_return_to(SETTINGS, back),
    );
    html! {
        p.note.error role="alert" { "There is no second factor on this account, so there is nothing to ask you for." }
        p { "Set one up, then try again." }
        p { a.button href=(settings) { "Set up a second factor" } }
    }
}

pub(super) fn settings_body(flow: &Flow) -> Markup {
    let mut groups = flow.groups();
    groups.sort_by_key(|group| {
        SETTINGS_ORDER
            .iter()
            .position(|known| known == group)
            .unwrap_or(usize::MAX)
    });
    html! {
        div.narrow {
            h1 { "Security settings" }
            @if let Some(email) = flow.email() { p.lead { (email) } }
            @if let Some(back) = &flow.return_to {
                p.note { "Set up a second factor, and you are taken back to where you were." br; a href=(back) { "Go back without" } }
            }
            (form::messages(flow))
            (form::cards(flow, &groups, false))
        }
    }
}

pub(super) fn signed_in(session: &Session, bank: &str) -> Markup {
    let email = session
        .identity
        .as_ref()
        .and_then(|identity| identity.traits.get("email"))
        .and_then(|email| email.as_str());
    let level = match session.authenticator_assurance_level.as_str() {
        "aal2" => "with a second factor (AAL2)",
        _ => "with a password (AAL1)",
    };
    html! {
        div.narrow {
            h1 { "You are logged in" }
            p.lead { (email.unwrap_or("Someone")) ", " (level) }
            div.card {
                p { a.button href=(bank) { "To the bank" } }
                p { a href=(SETTINGS) { "Security settings" } }
                p { a href="/logout" { "Log out" } }
            }
        }
    }
}

pub(super) fn half_signed_in(bank: &str) -> Markup {
    html! {
        div.narrow {
            h1 { "Your second factor is missing" }
            p.lead { "You gave your password. Until the code too, this login is good for nothing." }
            p { a.button href={ (LOGIN) "?aal=aal2" } { "Give the code" } }
            p { a href=(bank) { "To the bank" } " · " a href="/logout" { "Log out" } }
        }
    }
}

pub(super) fn signed_out() -> Markup {
    html! {
        div.narrow {
            h1 { "You are logged out" }
            p { a.button href=(LOGIN) { "Log in" } }
        }
    }
}

/// `path` with where to go afterwards.
fn with_return_to(path: &str, return_to: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("return_to", return_to)
        .finish();
    format!("{path}?{query}")
}

pub(super) fn trouble(words: &str, id: &str, onward: &str) -> Markup {
    html! {
        div.narrow {
            h1 { "This did not work" }
            p.note.error role="alert" { (words) }
            @if !id.is_empty() { p { "Kratos calls it " code { (id) } "." } }
            p { a.button href=(onward) { "Start again" } }
        }
    }
}

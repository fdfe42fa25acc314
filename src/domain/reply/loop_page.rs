//! What the page says that ends a loop: what happened, why that may be, and where to go.
//!
//! It has no link to log out: Kratos gives one only to a script that asks it for a token first.

use std::time::Duration;

use super::page;
use crate::domain::{
    challenge::{self, Asked},
    loop_guard::Loop,
    marker::Outcome,
    session::Factor,
};

/// Longest link; the page stays under 4 KiB with it.
const MAX_LINK_BYTES: usize = 1024;

/// The page's body. It repeats nothing of the request but, in the link to the settings, its percent-encoded address.
pub(super) fn body(looped: &Loop, asked: &Asked<'_>) -> String {
    let (what, cause) = words(looped);
    let links: String = [try_again(asked), settings(asked)]
        .into_iter()
        .flatten()
        .collect();
    format!(
        "<p>{what}</p>
<h2>The likely cause</h2>
<p>{cause}</p>
<h2>What you can do</h2>
<ul>
{links}</ul>
<p>If this page comes back, tell whoever runs this site, with the request id below.</p>"
    )
}

/// An empty address is the page's own, to the byte, however long it is. A form can't be sent again by a link.
fn try_again(asked: &Asked<'_>) -> Option<String> {
    let link = "<li><a href=\"\">Try again</a></li>\n";
    asked.request.is_repeatable().then(|| link.to_owned())
}

fn settings(asked: &Asked<'_>) -> Option<String> {
    let address = page::escape(&challenge::settings(asked, MAX_LINK_BYTES)?);
    let link = format!("<li><a href=\"{address}\">Open the settings of your account</a></li>\n");
    (address.len() <= MAX_LINK_BYTES).then_some(link)
}

fn words(looped: &Loop) -> (&'static str, String) {
    match looped.outcome {
        Outcome::Login => (
            "You were sent to log in several times in a short while, and each time came back without a session.",
            "The session cookie does not reach this host. Either this browser blocks cookies, \
             or <code>session.cookie.domain</code> in the configuration of Kratos does not cover the host."
                .to_owned(),
        ),
        Outcome::StepUp => (
            "You were sent to confirm with a second factor several times in a short while, and it never counted here.",
            step_up_cause(looped),
        ),
        Outcome::Enrol => (
            "You were sent to set up a second factor several times in a short while, and each time came back without one.",
            format!(
                "Nothing was set up. This page needs {}; set it up and save it before you come back.",
                factors(&looped.factors)
            ),
        ),
    }
}

fn step_up_cause(looped: &Loop) -> String {
    let factors = factors(&looped.factors);
    let other = if looped.factors.is_empty() {
        "The confirmation was not finished."
    } else {
        "Another one does not count."
    };
    match looped.max_age.map(span) {
        None => format!("This page needs {factors}. {other}"),
        Some(span) => format!(
            "This page needs {factors}, given at most {span} ago. {other} \
             Or the clocks differ: the one of this site and the one of the login service."
        ),
    }
}

fn factors(listed: &[Factor]) -> String {
    let name = |factor: &Factor| match factor {
        Factor::Totp => "a code from an authenticator app",
        Factor::Webauthn => "a security key",
        Factor::LookupSecret => "a backup code",
        Factor::Code => "a code sent to you",
    };
    let names: Vec<_> = listed.iter().map(name).collect();
    if names.is_empty() {
        "a second factor".to_owned()
    } else {
        names.join(" or ")
    }
}

/// In the largest unit that leaves no rest.
fn span(age: Duration) -> String {
    let units = [("hour", 3600), ("minute", 60), ("second", 1)];
    let seconds = age.as_secs();
    let whole = |&(_, length): &(&str, u64)| seconds > 0 && seconds.is_multiple_of(length);
    let (name, length) = units.into_iter().find(whole).unwrap_or(("second", 1));
    let count = seconds.checked_div(length).unwrap_or(seconds);
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {name}{plural}")
}

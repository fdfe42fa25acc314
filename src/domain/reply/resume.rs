//! The two pages of a form that is kept in the browser: one keeps it and goes to the challenge, one shows it and sends it.
//!
//! Neither page holds a byte that the client chose, but for the fields as letters, digits and `*-._+%&=`; the scripts write
//! them down as text, never as markup.

use super::{page, words};
use crate::domain::{
    challenge::{self, Asked},
    reason::Reason,
    resume::{Continued, Kept, PATH},
    rule::Rule,
};

const KEEP: &str = include_str!("resume/keep.html");
const KEEP_SCRIPT: &str = include_str!("resume/keep.js");
const CONTINUE: &str = include_str!("resume/continue.html");
const CONTINUE_SCRIPT: &str = include_str!("resume/continue.js");
const STYLE: &str = include_str!("resume/style.css");

/// The page that keeps a form. Where it can't, it leads to the challenge all the same, and then back to where the rule says.
pub(super) fn keep(kept: &Kept, asked: &Asked<'_>, request_id: &str) -> String {
    let words = words::of(kept.challenge.reason());
    let way_back = format!("{PATH}?k={}", kept.ticket.key);
    let challenge = challenge::by_way_of(&kept.challenge, asked.site, &way_back);
    let plain = challenge::location(&kept.challenge, asked);
    let body = filled(
        KEEP,
        &[
            ("{what}", words.what),
            ("{plain}", &page::escape(&plain.unwrap_or_default())),
            ("{challenge}", &page::escape(&challenge.unwrap_or_default())),
            ("{nonce}", &kept.ticket.nonce),
            ("{key}", &kept.ticket.key),
            ("{owner}", kept.owner.as_str()),
            ("{name}", name(asked.rule)),
            ("{enctype}", kept.form.enctype().as_str()),
            ("{script}", KEEP_SCRIPT),
            ("{fields}", kept.form.fields()),
        ],
    );
    page::titled(words.title, Reason::Resume, &body, request_id)
}

/// The page that shows a kept form and sends it on a click.
pub(super) fn continued(continued: &Continued, request_id: &str) -> String {
    let body = filled(
        CONTINUE,
        &[
            ("{style}", STYLE),
            ("{nonce}", &continued.nonce),
            ("{viewer}", continued.viewer.as_str()),
            ("{nobody}", continued.nobody.as_str()),
            ("{script}", CONTINUE_SCRIPT),
        ],
    );
    let title = words::of(Reason::Resume).title;
    page::titled(title, Reason::Resume, &body, request_id)
}

/// What a page with such a script may do: run it, and send a form to its own origin.
pub(super) fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )
}

/// What the form is called: the rule's id, where that is a word that reads well behind `your`.
fn name(rule: &Rule) -> &str {
    let is_word = rule.id.bytes().all(|b| b.is_ascii_lowercase());
    if is_word { &rule.id } else { "" }
}

/// The template with its fields filled in, each once and in the template's own order, so that no value is filled in itself.
fn filled(template: &str, fields: &[(&str, &str)]) -> String {
    let mut rest = template;
    let mut text = String::new();
    while let Some((start, (name, value))) = first(rest, fields) {
        let (before, behind) = rest.split_at_checked(start).unwrap_or((rest, ""));
        text.push_str(before);
        text.push_str(value);
        rest = behind.get(name.len()..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

fn first<'f>(text: &str, fields: &[(&'f str, &'f str)]) -> Option<(usize, (&'f str, &'f str))> {
    let found = fields
        .iter()
        .filter_map(|field| Some((text.find(field.0)?, *field)));
    found.min_by_key(|(start, _)| *start)
}

//! Draws what Kratos asks for: one form a method, each with the nodes that go with every method.

use maud::{Markup, html};
use serde_json::Value;

use super::flow::{Flow, Message, Node};
use super::qr;

/// The messages of the whole flow.
pub(super) fn messages(flow: &Flow) -> Markup {
    html! { @for message in flow.messages() { (note(message)) } }
}

/// One card a method. `focus` puts the cursor into the first field.
pub(super) fn cards(flow: &Flow, groups: &[&str], focus: bool) -> Markup {
    html! {
        @for (index, group) in groups.iter().enumerate() {
            section.card id=(group) { (card(flow, group, focus && index == 0)) }
        }
    }
}

fn card(flow: &Flow, group: &str, focus: bool) -> Markup {
    let nodes: Vec<_> = flow
        .nodes()
        .iter()
        .filter(|node| node.group == "default" || node.group == group)
        .collect();
    let first = nodes
        .iter()
        .position(|node| is_field(node))
        .filter(|_| focus);
    html! {
        @if let Some(title) = title(group, flow) { h2 { (title) } }
        form action=(flow.ui.action) method=(flow.ui.method.to_lowercase()) {
            @for (index, node) in nodes.iter().enumerate() { (draw(node, flow, group, first == Some(index))) }
        }
    }
}

/// What a method is called; none where the page's own heading says it.
fn title<'a>(group: &'a str, flow: &Flow) -> Option<&'a str> {
    match group {
        "totp" => Some("Authenticator app"),
        "lookup_secret" if flow.asks_for_second_factor() => Some("No phone at hand?"),
        "lookup_secret" => Some("Backup codes"),
        "password" => flow.identity.is_some().then_some("Password"),
        "profile" => Some("Profile"),
        "code" => None,
        other => Some(other),
    }
}

fn draw(node: &Node, flow: &Flow, group: &str, focus: bool) -> Markup {
    match node.kind.as_str() {
        "input" if node.is_button() => button(node),
        "input" if node.attributes.kind == "hidden" => hidden(node),
        "input" => field(node, group, focus),
        "text" => text(node, flow),
        // Drawn from the key itself, sharp at any size.
        "img" if node.attributes.id == "totp_qr" => html! {},
        "img" => html! { img src=(node.attributes.src) alt=(node.label()); },
        "a" => link(node),
        // Scripts: none runs on these pages.
        _ => html! {},
    }
}

fn is_field(node: &Node) -> bool {
    node.kind == "input" && !node.is_button() && node.attributes.kind != "hidden"
}

fn hidden(node: &Node) -> Markup {
    html! { input type="hidden" name=(node.attributes.name) value=(node.attributes.value()); }
}

/// A button sends its own name and value, and no other: which one was clicked is what Kratos goes by.
fn button(node: &Node) -> Markup {
    let attributes = &node.attributes;
    let quiet = is_aside(node);
    html! {
        button.quiet[quiet] type="submit" name=(attributes.name) value=(attributes.value()) disabled[attributes.disabled]
            // Whoever wants another code has none to fill in.
            formnovalidate[attributes.name == "email"] {
            (node.label())
        }
    }
}

/// What few people come for doesn't shout.
fn is_aside(node: &Node) -> bool {
    let name = node.attributes.name.as_str();
    let takes_away = matches!(
        name,
        // The last one sends the mail again.
        "totp_unlink" | "lookup_secret_disable" | "lookup_secret_reveal" | "email"
    );
    takes_away || node.group == "profile" || node.attributes.value() == "lookup_secret"
}

fn field(node: &Node, group: &str, focus: bool) -> Markup {
    let attributes = &node.attributes;
    let id = format!("{group}-{}", attributes.name);
    let faults = format!("{id}-notes");
    let has_notes = !node.messages().is_empty();
    html! {
        label for=(id) { (node.label()) }
        input id=(id) type=(attributes.kind) name=(attributes.name) value=(attributes.value())
            required[attributes.required] disabled[attributes.disabled] autofocus[focus]
            autocomplete=[autocomplete(node)] inputmode=[matches!(attributes.name.as_str(), "totp_code" | "code").then_some("numeric")]
            aria-invalid=[has_notes.then_some("true")] aria-describedby=[has_notes.then_some(&faults)];
        @if has_notes {
            div id=(faults) { @for message in node.messages() { p.field-note { (message.text) } } }
        }
    }
}

/// Kratos' own word, else what password managers understand.
fn autocomplete(node: &Node) -> Option<&str> {
    let attributes = &node.attributes;
    attributes
        .autocomplete
        .as_deref()
        .or(match attributes.name.as_str() {
            "identifier" => Some("username"),
            "totp_code" | "code" => Some("one-time-code"),
            "lookup_secret" => Some("off"),
            _ => None,
        })
}

fn text(node: &Node, flow: &Flow) -> Markup {
    let Some(text) = &node.attributes.text else {
        return html! {};
    };
    let key = node.attributes.id == "totp_secret_key";
    let list = codes(text);
    html! {
        @if key { (qr::totp(&text.text, flow.email().unwrap_or("you"))) }
        p { (node.label()) }
        @if list.is_empty() {
            code.key { (text.text) }
        } @else {
            ul.codes { @for code in list { li { code { (code) } } } }
        }
    }
}

/// Backup codes come as a list of messages; a used one says so in words.
fn codes(text: &Message) -> Vec<&str> {
    let list = text
        .context
        .get("secrets")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    list.iter()
        .filter_map(|code| code.get("text").and_then(Value::as_str))
        .collect()
}

fn link(node: &Node) -> Markup {
    let title = node
        .attributes
        .title
        .as_ref()
        .map_or_else(|| node.label(), |title| title.text.as_str());
    html! { p { a href=(node.attributes.href) { (title) } } }
}

fn note(message: &Message) -> Markup {
    let role = if message.kind == "error" {
        "alert"
    } else {
        "status"
    };
    html! { p class=(format!("note {}", message.kind)) role=(role) { (message.text) } }
}

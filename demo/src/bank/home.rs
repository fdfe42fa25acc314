//! The first page: a card an operation, who is signed in, the accounts, and the last decisions.

use maud::{Markup, html};

use crate::backstage::Backstage;

/// What one can do, what it demands, and where.
struct Operation {
    demand: &'static str,
    title: &'static str,
    text: &'static str,
    href: &'static str,
    action: &'static str,
}

const OPERATIONS: [Operation; 7] = [
    Operation {
        demand: "A session",
        title: "Your account",
        text: "Balance and movements, once you have logged in.",
        href: "/account",
        action: "See the account",
    },
    Operation {
        demand: "A second factor",
        title: "Change email",
        text: "Where the bank writes to you.",
        href: "/email",
        action: "Change email",
    },
    Operation {
        demand: "A second factor",
        title: "Change password",
        text: "The bank hands you to Kratos, which keeps it.",
        href: "/password",
        action: "Change password",
    },
    Operation {
        demand: "A factor of the last 5 minutes",
        title: "Transfer",
        text: "Money leaves only after a fresh code.",
        href: "/transfer?to=Hermes&amount=250",
        action: "Send 250 to Hermes",
    },
    Operation {
        demand: "A factor of the last minute",
        title: "Payout",
        text: "The vault in cash. Wait a minute, and it asks again.",
        href: "/payout",
        action: "Empty the vault",
    },
    Operation {
        demand: "A second factor, asked by script",
        title: "Delete all my data",
        text: "A script calls the API, hears 403 in JSON, and asks you.",
        href: "/privacy",
        action: "Go to privacy",
    },
    Operation {
        demand: "A second factor, by socket",
        title: "Trading",
        text: "Live prices of ambrosia, if the handshake is let through.",
        href: "/trading",
        action: "Open the floor",
    },
];

pub(super) fn body(backstage: &Backstage) -> Markup {
    html! {
        div.hero {
            h1 { "Banking, with a second look where it counts" }
            p.lead {
                "No page here knows how to log anyone in. Envoy asks Stepgate before a request arrives, and Stepgate goes by "
                a href="/rules" { "a file of rules" } "."
            }
            p #me .who role="status" data-console=(backstage.origins.console) {
                noscript { "With scripts this line says who you are; " a href="/account" { "your account" } " says it without." }
            }
        }
        div.cards {
            @for operation in &OPERATIONS { (card(operation, operation.href)) }
            (card(&CONSOLE, &backstage.origins.console))
        }
        section.panel aria-labelledby="accounts" {
            h2 #accounts { "Accounts to try" }
            p.soft { "Made up, so they may be shown. Codes change every 30 seconds; mails are caught at "
                a href=(backstage.origins.mail) { "mail.bank.localhost" } "." }
            ul.accounts #people data-src="/backstage/people" { noscript { li { a href="/backstage/people" { "Show them" } } } }
        }
        section.panel aria-labelledby="decided" {
            h2 #decided { "Decided just now" }
            p.soft { "Stepgate's log, in words." }
            ol.decisions #decisions aria-live="off" { li.soft { "Click something." } }
        }
    }
}

const CONSOLE: Operation = Operation {
    demand: "Staff with a second factor",
    title: "Staff console",
    text: "Another host, another Kratos. Customers mean nothing there.",
    href: "",
    action: "Open the console",
};

fn card(operation: &Operation, href: &str) -> Markup {
    html! {
        section.card {
            span.demand { (operation.demand) }
            h2 { (operation.title) }
            p { (operation.text) }
            a.button href=(href) { (operation.action) }
        }
    }
}

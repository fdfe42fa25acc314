//! What a theatre keeps behind the curtain: who plays, the codes of their phones, the caught mails, and Stepgate's
//! decisions in words. A real bank has none of this.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use maud::{Markup, html};

use crate::admin::{Admin, Mail, backup_codes, totp_key};
use crate::decisions::Decisions;
use crate::kratos::Clock;
use crate::origins::Origins;
use crate::stage::code;
use crate::story::Customer;

/// Everything behind the curtain.
#[derive(Debug, Clone)]
pub struct Backstage {
    /// Where everything is met.
    pub origins: Origins,
    /// The customers' Kratos.
    pub ciam: Admin,
    /// The staff's Kratos.
    pub iam: Admin,
    /// Stepgate's decisions.
    pub decisions: Decisions,
    /// The file of rules that Stepgate runs with.
    pub rules: PathBuf,
    /// The customers, as they were cast.
    pub customers: Vec<Customer>,
    /// The staff, as they were cast.
    pub staff: Vec<Customer>,
    /// What codes are made by; the double's clock can be moved.
    pub clock: Clock,
}

impl Backstage {
    /// What was written about the rules, as it stands now.
    #[must_use]
    pub fn rules_text(&self) -> String {
        std::fs::read_to_string(&self.rules).unwrap_or_default()
    }

    /// The file's name, for a heading.
    #[must_use]
    pub fn rules_name(&self) -> &Path {
        Path::new(self.rules.file_name().unwrap_or_default())
    }

    /// Who an identity of the customers' Kratos is.
    pub async fn customer(&self, id: &str) -> Option<String> {
        let identity = self.ciam.identity(id).await?;
        Some(identity.pointer("/traits/email")?.as_str()?.to_owned())
    }

    /// The mails of both Kratos, newest first.
    pub async fn mails(&self) -> Vec<Mail> {
        let mut mails = self.ciam.mails().await;
        mails.extend(self.iam.mails().await);
        mails.sort_by(|one, other| other.sent_at.cmp(&one.sent_at));
        mails
    }

    /// The accounts with their passwords and the codes that their phones show now.
    pub async fn panel(&self) -> Markup {
        let mut cards = Vec::new();
        for (admin, people) in [(&self.ciam, &self.customers), (&self.iam, &self.staff)] {
            for person in people {
                cards.push(account(admin, person, self.clock.now()).await);
            }
        }
        html! { @for card in cards { (card) } }
    }
}

async fn account(admin: &Admin, person: &Customer, now: Timestamp) -> Markup {
    let identity = admin.person(&person.email).await.unwrap_or_default();
    let key = totp_key(&identity);
    // The lost phone had the first key; one that was set up since is at hand.
    let is_lost = person.phone_lost && key == person.totp_secret;
    let codes = backup_codes(&identity);
    html! {
        li.account {
            strong { (person.email) }
            span.soft { (person.about) }
            dl {
                dt { "Password" } dd { code { (person.password) } }
                dt { "Code now" }
                dd {
                    @match (&key, is_lost) {
                        (Some(_), true) => span.soft { "the phone is lost" },
                        (Some(key), false) => code.now { (code(key, now)) },
                        (None, _) => span.soft { "no app yet" },
                    }
                }
                @if let Some(next) = codes.first() { dt { "Backup code" } dd { code { (next) } } }
            }
        }
    }
}

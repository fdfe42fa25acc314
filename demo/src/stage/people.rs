use jiff::Timestamp;
use totp_rs::{Builder, Secret};

use crate::kratos::Person;
use crate::story::Customer;

/// The customers of the demo, named by what they have. Nothing about them is secret.
#[must_use]
pub fn people() -> Vec<Customer> {
    vec![
        Customer {
            email: "totp@bank.localhost".to_owned(),
            password: "zeus-keeps-no-secrets".to_owned(),
            about: "authenticator app and backup codes",
            totp_secret: Some("OLYMPUSBANKDEMOKEYNOTASECRETATAL".to_owned()),
            backup_codes: (1..=8).map(|number| format!("nectar0{number}")).collect(),
            ..Customer::default()
        },
        Customer {
            email: "plain@bank.localhost".to_owned(),
            password: "hermes-lost-his-sandals".to_owned(),
            about: "a password only",
            ..Customer::default()
        },
        Customer {
            email: "lost@bank.localhost".to_owned(),
            password: "orpheus-looked-back".to_owned(),
            about: "an authenticator app on a lost phone, no codes",
            totp_secret: Some("OLYMPUSBANKDEMOPHONEINTHEAEGEANX".to_owned()),
            phone_lost: true,
            ..Customer::default()
        },
    ]
}

/// The staff: an identity domain of its own.
#[must_use]
pub fn staff() -> Vec<Customer> {
    vec![
        Customer {
            email: "admin@bank.localhost".to_owned(),
            password: "hera-signs-everything".to_owned(),
            about: "staff, authenticator app, role admin",
            totp_secret: Some("OLYMPUSBANKDEMOKEYFORSTAFFONLYXX".to_owned()),
            role: Some("admin"),
            ..Customer::default()
        },
        Customer {
            email: "viewer@bank.localhost".to_owned(),
            password: "argus-only-watches".to_owned(),
            about: "staff, a password only",
            ..Customer::default()
        },
    ]
}

/// The code that an authenticator app with this key shows at `now`; empty for a key that is none.
#[must_use]
pub fn code(secret: &str, now: Timestamp) -> String {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let Ok(secret) = Secret::try_from_base32(secret) else {
        return String::new();
    };
    Builder::new()
        .with_secret(secret)
        .build_noncompliant()
        .generate(seconds)
        .to_string()
}

pub(super) fn person(customer: &Customer) -> Person {
    Person {
        email: customer.email.clone(),
        password: customer.password.clone(),
        role: customer.role.map(str::to_owned),
        totp_secret: customer.totp_secret.clone(),
        backup_codes: customer.backup_codes.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // RFC 6238, appendix B, SHA-1, the last six digits; the key is `12345678901234567890`.
        let key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        assert_eq!(code(key, Timestamp::from_second(59).unwrap()), "287082");
        assert_eq!(
            code(key, Timestamp::from_second(1_111_111_109).unwrap()),
            "081804"
        );
        assert_eq!(code("not base 32!", Timestamp::UNIX_EPOCH), "");
    }
}

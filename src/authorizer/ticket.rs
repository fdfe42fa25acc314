//! What nobody can guess, from the system's own randomness.

use crate::domain::resume::Ticket;

/// 128 bits each.
const BYTES: usize = 16;

/// A ticket for one page; `None` where the system gives no random bytes.
pub(super) fn draw() -> Option<Ticket> {
    Some(Ticket {
        key: token()?,
        nonce: token()?,
    })
}

fn token() -> Option<Box<str>> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).ok()?;
    let number = u128::from_ne_bytes(bytes);
    Some(format!("{number:032x}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ticket_is_another() {
        let (one, other) = (draw().unwrap(), draw().unwrap());
        let all = [&one.key, &one.nonce, &other.key, &other.nonce];
        for (place, token) in all.iter().enumerate() {
            assert_eq!(token.len(), 32);
            assert!(token.bytes().all(|b| b.is_ascii_hexdigit()), "{token}");
            assert!(!all[..place].contains(token), "{token}");
        }
    }
}

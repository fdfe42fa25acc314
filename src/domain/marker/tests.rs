use proptest::prelude::*;

use super::*;
use crate::domain::{
    host::Authority,
    origin::{OriginPattern, Origins},
};

const KEY: &[u8] = b"not-a-secret-but-long-enough-for-one";

fn origin(text: &str) -> Origin {
    let pattern = OriginPattern::parse(text).unwrap();
    let (_, authority) = text.split_once("://").unwrap();
    let authority = Authority::parse(authority.as_bytes()).unwrap();
    Origins::new([(pattern, 0)]).locate(&authority).unwrap().0
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn marker() -> Marker {
    Marker {
        outcome: Outcome::StepUp,
        count: 2,
        seconds: 1_700_000_000,
    }
}

/// Does this with a bond of the usual session, path and origin.
fn bound<T>(then: impl FnOnce(Bond<'_>) -> T) -> T {
    let (secret, origin) = (Secret::new(KEY).unwrap(), origin("https://app.test"));
    then(Bond {
        secret: &secret,
        origin: &origin,
        path: b"/transfer",
        session: Some("session-1"),
    })
}

fn read(value: &[u8]) -> Option<Marker> {
    bound(|bond| bond.read(value, now()))
}

fn minted() -> String {
    bound(|bond| bond.mint(marker()))
}

#[test]
fn a_marker_is_read_back_and_is_the_same_on_every_replica() {
    let value = minted();
    assert_eq!(read(value.as_bytes()), Some(marker()));
    // Reckoned by another program, from the layout alone.
    assert_eq!(value, GOLDEN);
}

const GOLDEN: &str =
    "7302000000006553f100bee5f75069d73b9466fbf9a5c9b71508eb4f3c127f897d6e505c470caaff3799";

#[test]
fn the_cookie_is_the_hosts_alone_and_out_of_a_scripts_reach() {
    let value = minted();
    let set = bound(|bond| bond.set(marker())).unwrap();
    let rest = "Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure";
    assert_eq!(set, format!("{NAME}={value}; {rest}"));
    assert!(set.len() < 200, "{} bytes", set.len());
    let clear = bound(|bond| bond.clear()).unwrap();
    let rest = "Path=/; Max-Age=0; HttpOnly; SameSite=Lax";
    assert_eq!(clear, format!("{NAME}=; {rest}; Secure"));
    let plain = origin("http://app.test:8080");
    let clear = bound(|bond| {
        let origin = &plain;
        Bond { origin, ..bond }.clear()
    });
    assert_eq!(clear.unwrap(), format!("{NAME}=; {rest}"));
}

#[test]
fn a_marker_under_another_bond_is_none() {
    let value = minted();
    let other_secret = Secret::new(&[b'x'; 32]).unwrap();
    let other_origin = origin("https://app.test:8443");
    let sessions = [None, Some(""), Some("session-2")]
        .map(|session| bound(|bond| Bond { session, ..bond }.read(value.as_bytes(), now())));
    assert_eq!(sessions, [None; 3]);
    bound(|bond| {
        let path: &[u8] = b"/transfer/x";
        let (secret, origin) = (&other_secret, &other_origin);
        let others = [
            Bond { path, ..bond },
            Bond { secret, ..bond },
            Bond { origin, ..bond },
        ];
        for other in others {
            assert_eq!(other.read(value.as_bytes(), now()), None, "{other:?}");
        }
    });
}

#[test]
fn no_two_bonds_look_alike() {
    let mint = |path: &[u8], session| {
        bound(|bond| {
            Bond {
                path,
                session,
                ..bond
            }
            .mint(marker())
        })
    };
    let values = [
        mint(b"/a", Some("b")),
        mint(b"/a+", Some("b")),
        mint(b"/ab", Some("")),
        mint(b"/ab", None),
        mint(b"", Some("/ab")),
    ];
    let apart: std::collections::HashSet<_> = values.iter().collect();
    assert_eq!(apart.len(), values.len());
}

#[test]
fn a_marker_is_known_for_ten_minutes_and_from_a_clock_a_little_ahead() {
    let value = minted();
    let at = |seconds: i64| {
        let by = Duration::from_secs(seconds.unsigned_abs());
        let then = if seconds < 0 { now() - by } else { now() + by };
        bound(|bond| bond.read(value.as_bytes(), then)).is_some()
    };
    for (seconds, known) in [
        (0, true),
        (600, true),
        (601, false),
        (-5, true),
        (-6, false),
    ] {
        assert_eq!(at(seconds), known, "{seconds}");
    }
    assert!(!at(-1_700_000_001), "before 1970");
}

#[test]
fn one_cookie_of_the_name_counts_and_two_do_not() {
    let of = |lines: &[(&str, &str)]| {
        let headers = Headers::from_lines(lines);
        carried(&headers).map(<[u8]>::to_vec)
    };
    let one = ("cookie", "a=1; stepgate_marker=x; b=2");
    assert_eq!(of(&[one]).as_deref(), Some(&b"x"[..]));
    assert_eq!(of(&[]), None);
    assert_eq!(
        of(&[("cookie", "xstepgate_marker=x; stepgate_marker2=y")]),
        None
    );
    assert_eq!(
        of(&[("cookie", "stepgate_marker=x; stepgate_marker=x")]),
        None
    );
    assert_eq!(of(&[one, one]), None);
}

#[test]
fn a_secret_is_long_and_is_not_printed() {
    assert_eq!(Secret::new(&[0; 31]).unwrap_err(), ShortSecret(31));
    assert!(Secret::new(&[0; 32]).is_ok());
    let printed = bound(|bond| format!("{bond:?}"));
    assert!(printed.contains("secret: <redacted>"), "{printed}");
    let printed_mac = format!("{:?}", Secret::new(KEY).unwrap());
    assert_eq!(printed_mac, "<redacted>");
}

proptest! {
    #[test]
    fn no_bytes_that_were_not_minted_are_a_marker(value in proptest::collection::vec(any::<u8>(), 0..120)) {
        prop_assert_eq!(read(&value), None);
        let headers = Headers::raw(vec![("cookie".into(), value.into())]);
        prop_assert_eq!(carried(&headers).and_then(read), None);
    }

    #[test]
    fn no_digits_that_were_not_minted_are_a_marker(value in "[0-9a-f]{84}") {
        prop_assert_eq!(read(value.as_bytes()), None);
    }

    #[test]
    fn a_marker_with_a_bit_or_a_byte_changed_is_none(place in 0..84_usize, bit in 0..8_u8, at in 0..=84_usize) {
        let value = minted().into_bytes();
        let mut flipped = value.clone();
        flipped[place] ^= 1 << bit;
        prop_assert_eq!(read(&flipped), None);
        let mut longer = value.clone();
        longer.insert(at, b'0');
        prop_assert_eq!(read(&longer), None);
        prop_assert_eq!(read(&value[..place]), None);
    }

    #[test]
    fn every_marker_is_read_back(outcome in 0..3_usize, count: u8, ago in 0..600_u64) {
        let marker = Marker { outcome: Outcome::ALL[outcome], count, seconds: 1_700_000_000 - ago };
        prop_assert_eq!(read(bound(|bond| bond.mint(marker)).as_bytes()), Some(marker));
    }
}

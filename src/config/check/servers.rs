//! `servers`: the doors, where each listens and how much it takes.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZero,
};

use serde_saphyr::Spanned;

use super::{spelled, text, tls};
use crate::{
    config::{fault::Collector, file, shape::Word},
    servers::{
        DoorSettings, HttpSettings, Settings,
        forward_auth::TrustedProxies,
        listen::{Listen, ListenFormError},
        tls::Protocol,
    },
};

const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const DEFAULT_GRPC: SocketAddr = SocketAddr::new(ANY, 9191);
const DEFAULT_ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4457);
/// The usual one; the door is off unless its address is given.
const USUAL_HTTP: SocketAddr = SocketAddr::new(ANY, 4456);
const DEFAULT_MAX_CONNECTIONS: NonZero<usize> = NonZero::new(10_000).unwrap();

pub(super) fn check(faults: &mut Collector, name: &str, written: &file::Servers) -> Settings {
    let (grpc, http) = (&written.grpc, written.http.as_ref());
    let grpc = DoorSettings {
        listen: listen(
            faults,
            grpc.listen.as_ref(),
            grpc.socket_mode.as_ref(),
            DEFAULT_GRPC,
        ),
        max_connections: max_connections(faults, grpc.max_connections.as_ref()),
        tls: tls::check(faults, name, grpc.tls.as_ref(), Protocol::Http2),
    };
    let http = http.map(|http| HttpSettings {
        door: DoorSettings {
            listen: listen(
                faults,
                Some(&http.listen),
                http.socket_mode.as_ref(),
                USUAL_HTTP,
            ),
            max_connections: max_connections(faults, http.max_connections.as_ref()),
            tls: tls::check(faults, name, http.tls.as_ref(), Protocol::Http1),
        },
        trusted_proxies: trusted_proxies(faults, http.trusted_proxies.as_ref()),
    });
    let admin = admin(faults, name, &written.admin);
    Settings { grpc, http, admin }
}

/// On unless it is switched off, for it listens on this machine alone.
fn admin(faults: &mut Collector, name: &str, written: &file::AdminServer) -> Option<DoorSettings> {
    let door = DoorSettings {
        listen: listen(
            faults,
            written
                .listen
                .as_ref()
                .filter(|listen| !is_off(listen))
                .map(spelled)
                .as_ref(),
            written.socket_mode.as_ref(),
            DEFAULT_ADMIN,
        ),
        max_connections: max_connections(faults, written.max_connections.as_ref()),
        tls: tls::check(faults, name, written.tls.as_ref(), Protocol::Http1),
    };
    let is_on = !written.listen.as_ref().is_some_and(is_off);
    is_on.then_some(door)
}

fn is_off(listen: &Spanned<Word>) -> bool {
    listen.value.0 == "off"
}

fn listen(
    faults: &mut Collector,
    written: Option<&Spanned<String>>,
    mode: Option<&Spanned<String>>,
    default: SocketAddr,
) -> Listen {
    let place = written.map(text).and_then(|(place, at)| {
        let fault = |error: ListenFormError| {
            faults.add(
                at,
                format_args!(
                    "`{place}` {error}; write one as in `{default}` or `unix:/run/stepgate/door.sock`"
                ),
            );
        };
        place.parse().map_err(fault).ok()
    });
    let chosen = mode.and_then(|mode| socket_mode(faults, mode));
    match (place.unwrap_or(Listen::Tcp(default)), mode) {
        (Listen::Unix { path, mode }, _) => Listen::Unix {
            path,
            mode: chosen.unwrap_or(mode),
        },
        (tcp, Some(mode)) => {
            faults.warn(mode.referenced, "`socket_mode` is of a socket file, and `listen` names none, so it does nothing; take it away");
            tcp
        }
        (tcp, None) => tcp,
    }
}

/// The mode, as `chmod` takes it: three octal digits, perhaps a zero before them.
fn socket_mode(faults: &mut Collector, written: &Spanned<String>) -> Option<u32> {
    let (mode, at) = text(written);
    let digits = mode
        .strip_prefix('0')
        .filter(|rest| rest.len() == 3)
        .unwrap_or(mode);
    let is_octal = digits.len() == 3 && digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
    if !is_octal {
        faults.add(
            at,
            format_args!("`socket_mode: {mode}` is no mode; write three octal digits in quotes, as in `\"0660\"`"),
        );
        return None;
    }
    u32::from_str_radix(digits, 8).ok()
}

fn max_connections(faults: &mut Collector, written: Option<&Spanned<usize>>) -> NonZero<usize> {
    let Some(written) = written else {
        return DEFAULT_MAX_CONNECTIONS;
    };
    let most = NonZero::new(written.value);
    if most.is_none() {
        faults.add(
            written.referenced,
            "`max_connections` is at least 1; leave it out for 10000",
        );
    }
    most.unwrap_or(DEFAULT_MAX_CONNECTIONS)
}

fn trusted_proxies(
    faults: &mut Collector,
    written: Option<&Spanned<Vec<Spanned<String>>>>,
) -> TrustedProxies {
    let Some(written) = written else {
        return TrustedProxies::default();
    };
    if written.value.is_empty() {
        faults.add(
            written.referenced,
            "`trusted_proxies` is empty, so nobody could ask; list the proxies, or leave it out for this machine",
        );
    }
    let mut networks = Vec::new();
    for (network, at) in written.value.iter().map(text) {
        let what = format_args!("trusted proxy `{network}`");
        let parsed = faults.ok(at, what, TrustedProxies::parse([network]));
        networks.extend(parsed.map(|_| network));
    }
    TrustedProxies::parse(networks).unwrap_or_default()
}

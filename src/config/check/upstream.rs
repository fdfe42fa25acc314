//! `upstream_headers`.

use std::collections::BTreeMap;

use http::HeaderName;
use serde_saphyr::Spanned;

use super::text;
use crate::{
    config::fault::Collector,
    domain::upstream_headers::{Source, UpstreamHeaders},
};

/// Names that a proxy or an application reads for purposes of their own.
const NOT_OURS: [&str; 13] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "proxy-authorization",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The headers; the default ones where the key is left out.
pub(super) fn check(
    faults: &mut Collector,
    written: Option<&Spanned<BTreeMap<String, Spanned<String>>>>,
) -> UpstreamHeaders {
    let Some(written) = written else {
        return UpstreamHeaders::default();
    };
    let mut headers: Vec<(HeaderName, Source)> = Vec::new();
    for (name, source) in &written.value {
        let (source, at) = text(source);
        let source = faults.ok(
            at,
            format_args!("`{name}: {source}`"),
            Source::parse(source),
        );
        match HeaderName::from_bytes(name.as_bytes()) {
            Err(_) => faults.add(at, format_args!("`{name}` is not a header's name")),
            Ok(key) if NOT_OURS.contains(&key.as_str()) => {
                faults.add(
                    at,
                    format_args!(
                        "`{name}` has another purpose; choose a name of your own, as in `X-User-Id`"
                    ),
                );
            }
            Ok(key) => {
                if let Some((other, _)) = headers
                    .iter()
                    .find(|(other, _)| plain(other) == plain(&key))
                {
                    faults.add(
                        at,
                        format_args!(
                            "`{name}` and `{other}` are one header to some servers; keep one"
                        ),
                    );
                }
                headers.extend(source.map(|source| (key, source)));
            }
        }
    }
    UpstreamHeaders::new(headers)
}

fn plain(name: &HeaderName) -> String {
    name.as_str().replace(['_', '.'], "-")
}

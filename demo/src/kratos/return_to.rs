//! Where a browser may be sent to: the allow list of `return_to` (K-60 to K-67).
//!
//! A URL is allowed by scheme, host with port (or a `*.` suffix) and plain path prefix. Kratos' own `/self-service` always
//! is, the default URL is not by itself.

use super::errors::Fault;
use super::go_url::GoUrl;

/// The allow list and the URL that stands in for none.
#[derive(Debug)]
pub(crate) struct ReturnUrls {
    default: GoUrl,
    allowed: Vec<GoUrl>,
}

impl ReturnUrls {
    /// Entries that are no URL are left out; Kratos would not start with them.
    pub(crate) fn new(default: &str, allowed: &[String], base: &str) -> Self {
        let own = format!("{base}/self-service");
        Self {
            default: GoUrl::parse(default).unwrap_or_default(),
            allowed: allowed
                .iter()
                .chain([&own])
                .filter_map(|entry| GoUrl::parse(entry).ok())
                .collect(),
        }
    }

    /// Where `return_to` leads, or the default where it is absent or empty.
    ///
    /// # Errors
    ///
    /// 400: it isn't a URL, or isn't allowed.
    pub(crate) fn resolve(&self, return_to: Option<&str>) -> Result<String, Fault> {
        self.resolve_or(return_to, &self.default.to_string())
    }

    /// The same with another URL for "absent or empty".
    pub(crate) fn resolve_or(
        &self,
        return_to: Option<&str>,
        default: &str,
    ) -> Result<String, Fault> {
        let Some(text) = return_to.filter(|text| !text.is_empty()) else {
            return Ok(default.to_owned());
        };
        let mut url = GoUrl::parse(text).map_err(|why| {
            Fault::bad_request(format!(
                "Unable to parse the return_to query parameter as an URL: parse {text:?}: {why}"
            ))
        })?;
        if url.host.is_empty() {
            url.host.clone_from(&self.default.host);
        }
        if url.scheme.is_empty() {
            url.scheme.clone_from(&self.default.scheme);
        }
        if self.allowed.iter().any(|entry| allows(entry, &url)) {
            return Ok(url.to_string());
        }
        Err(Fault::return_to_forbidden(&url.to_string()))
    }
}

fn allows(entry: &GoUrl, url: &GoUrl) -> bool {
    entry.scheme.eq_ignore_ascii_case(&url.scheme)
        && allows_host(&entry.host, &url.host)
        && or_root(&url.path).starts_with(or_root(&entry.path))
}

fn allows_host(entry: &str, host: &str) -> bool {
    match entry.strip_prefix('*') {
        Some(suffix) => host
            .to_ascii_lowercase()
            .ends_with(&suffix.to_ascii_lowercase()),
        None => entry.eq_ignore_ascii_case(host),
    }
}

fn or_root(path: &[u8]) -> &[u8] {
    if path.is_empty() { b"/" } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kratos::Options;

    fn urls() -> ReturnUrls {
        let options = Options::default();
        ReturnUrls::new(
            options.default_return_url.as_str(),
            &options.allowed_return_urls,
            "http://127.0.0.1:4433",
        )
    }

    #[test]
    fn allowed_urls_come_back_as_they_were() {
        for text in [
            "http://127.0.0.1:4455/transfer",
            "http://APP.example.test:8080/a",
            "http://app.example.test:8080",
            "http://prefix.example.test/application",
            "http://prefix.example.test/app/../other",
            "https://a.b.wild.example.test/x",
            "http://127.0.0.1:4433/self-service/settings/browser",
            "http://user:pw@127.0.0.1:4455/a",
        ] {
            assert_eq!(urls().resolve(Some(text)).unwrap(), text);
        }
    }

    #[test]
    fn relative_urls_get_scheme_and_host_of_the_default() {
        for (text, url) in [
            ("/transfer?x=1", "http://127.0.0.1:4455/transfer?x=1"),
            ("?x=1", "http://127.0.0.1:4455?x=1"),
            ("", "http://127.0.0.1:4455/welcome"),
        ] {
            assert_eq!(urls().resolve(Some(text)).unwrap(), url);
        }
    }

    #[test]
    fn anything_else_is_forbidden() {
        for text in [
            "http://evil.example.test/",
            "http://app.example.test:9090/a",
            "http://app.example.test/a",
            "https://app.example.test:8080/a",
            "http://prefix.example.test/other",
            "https://wild.example.test/x",
            "http://a.wild.example.test/x",
            "https://evilwild.example.test/x",
            "http://127.0.0.1:4455@evil.example.test/",
            "//evil.example.test/x",
            "transfer",
            "javascript:alert(1)",
            "http://127.0.0.1:4433/sessions/whoami",
        ] {
            assert_eq!(
                urls().resolve(Some(text)).unwrap_err().id(),
                "self_service_flow_return_to_forbidden",
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_url_has_no_error_id() {
        for text in [
            "http://app.example.test:8080/%zz",
            "http://a/\r\nb",
            "http://app.example.test:80x/",
        ] {
            assert_eq!(urls().resolve(Some(text)).unwrap_err().id(), "");
        }
    }
}

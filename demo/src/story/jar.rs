/// The cookies of one browser, as far as the hosts of the demo need them: names, domains, and an end.
#[derive(Debug, Clone, Default)]
pub struct Jar {
    cookies: Vec<Cookie>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    /// Sent to `domain` alone, and not to the hosts below it.
    host_only: bool,
}

impl Jar {
    /// Takes a `Set-Cookie` line that `host` answered with. A cookie for a foreign domain is ignored, as browsers do.
    pub fn set(&mut self, host: &str, line: &str) {
        let mut parts = line.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let attributes: Vec<_> = parts
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .collect();
        let domain = attribute(&attributes, "domain")
            .map(|domain| domain.trim_start_matches('.').to_lowercase());
        // A browser takes a domain of one label for a public suffix.
        if domain
            .as_ref()
            .is_some_and(|domain| !domain.contains('.') || !covers(domain, host))
        {
            return;
        }
        let host_only = domain.is_none();
        let domain = domain.unwrap_or_else(|| host.to_owned());
        self.cookies.retain(|cookie| {
            cookie.name != name || cookie.domain != domain || cookie.host_only != host_only
        });
        if !is_over(&attributes) {
            self.cookies.push(Cookie {
                name: name.to_owned(),
                value: value.to_owned(),
                domain,
                host_only,
            });
        }
    }

    /// The `name=value` pairs that go to `host`.
    #[must_use]
    pub fn sent_to(&self, host: &str) -> Vec<String> {
        let fits = |cookie: &&Cookie| {
            cookie.domain == host || (!cookie.host_only && covers(&cookie.domain, host))
        };
        self.cookies
            .iter()
            .filter(fits)
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect()
    }
}

fn attribute<'a>(attributes: &[(&str, &'a str)], wanted: &str) -> Option<&'a str> {
    attributes
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map(|(_, value)| *value)
}

/// `Max-Age` of zero or less, or an `Expires` long gone: how servers take a cookie back.
fn is_over(attributes: &[(&str, &str)]) -> bool {
    if let Some(age) = attribute(attributes, "max-age") {
        return age.parse::<i64>().is_ok_and(|age| age <= 0);
    }
    attribute(attributes, "expires").is_some_and(|date| date.contains(" 1970 "))
}

fn covers(domain: &str, host: &str) -> bool {
    host == domain
        || host
            .strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = "app.bank.localhost";
    const CIAM: &str = "ciam.bank.localhost";

    #[test]
    fn a_domain_cookie_reaches_the_other_hosts_of_the_bank() {
        let mut jar = Jar::default();
        jar.set(
            CIAM,
            "ory_kratos_session=abc==; Path=/; Domain=bank.localhost; Max-Age=3600; HttpOnly",
        );
        assert_eq!(jar.sent_to(APP), ["ory_kratos_session=abc=="]);
        assert!(jar.sent_to("evilbank.localhost").is_empty());
    }

    #[test]
    fn a_host_cookie_stays_on_its_host() {
        let mut jar = Jar::default();
        jar.set(APP, "marker=1; Path=/");
        assert_eq!(jar.sent_to(APP), ["marker=1"]);
        assert!(jar.sent_to(CIAM).is_empty());
    }

    #[test]
    fn a_cookie_for_a_foreign_domain_or_a_whole_suffix_is_ignored() {
        let mut jar = Jar::default();
        jar.set(CIAM, "a=1; Domain=corp.localhost");
        jar.set(CIAM, "b=1; Domain=localhost");
        assert!(jar.sent_to(CIAM).is_empty() && jar.sent_to("x.corp.localhost").is_empty());
    }

    #[test]
    fn a_new_value_replaces_the_old_and_no_age_removes_it() {
        let mut jar = Jar::default();
        jar.set(CIAM, "s=1; Domain=bank.localhost");
        jar.set(CIAM, "s=2; Domain=bank.localhost");
        assert_eq!(jar.sent_to(APP), ["s=2"]);
        jar.set(CIAM, "s=; Domain=bank.localhost; Max-Age=0");
        assert!(jar.sent_to(APP).is_empty());
    }
}

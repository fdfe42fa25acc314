//! `kratos.<name>.settings`: which Kratos' own settings are for enrolling first, and where browsers reach them.

use std::collections::BTreeMap;

use serde_saphyr::Spanned;
use url::Url;

use super::{kratos::Written, text, word};
use crate::{
    config::{fault::Collector, file},
    domain::{identity_domain::BaseUrl, origin::Origins, path::PathOptions, settings::EnrolFirst},
};

type Kratoi = Spanned<BTreeMap<String, Spanned<file::Kratos>>>;

/// What is told apart on Kratos' own origin; `None` where Kratos alone guards its settings.
pub(super) fn check(
    faults: &mut Collector,
    kratos: &file::Kratos,
    browser_url: &BaseUrl,
    paths: PathOptions,
) -> Option<EnrolFirst> {
    let words = [("kratos", false), ("enrol_first", true)];
    let is_first = word(faults, "settings", kratos.settings.as_ref(), &words).unwrap_or_default();
    let (written, at) = text(&kratos.browser_url);
    let what = format!("`browser_url: {written}`");
    is_first.then(|| faults.ok(at, what, EnrolFirst::new(browser_url, paths)))?
}

/// The origins where browsers reach these settings.
pub(super) fn origins(
    faults: &mut Collector,
    kratoi: &Kratoi,
    guarded: &[Written],
) -> Vec<Written> {
    let mut all = Vec::new();
    for (domain, kratos) in kratoi.value.values().enumerate() {
        let kratos = &kratos.value;
        let settings = kratos.settings.as_ref().map(|word| &*word.value);
        let (written, at) = text(&kratos.browser_url);
        let origin = BaseUrl::parse(written).ok().map(|url| url.origin());
        if let Some(Ok(pattern)) = origin.filter(|_| settings == Some("enrol_first")) {
            let own = Written {
                pattern,
                domain,
                at,
            };
            stands_alone(faults, kratoi, guarded, &own);
            all.push(own);
        }
    }
    all
}

/// Who judges a request for a host must be plain from the host.
fn stands_alone(faults: &mut Collector, kratoi: &Kratoi, guarded: &[Written], own: &Written) {
    let host = &own.pattern.host;
    let is_guarded_by_another = guarded
        .iter()
        .any(|other| other.domain != own.domain && other.pattern.host.covers(host));
    let name = host.to_string();
    let is_of = |kratos: &Spanned<file::Kratos>| {
        let url = Url::parse(&kratos.value.browser_url.value).ok();
        url.is_some_and(|url| url.host_str() == Some(&*name))
    };
    let mut others = kratoi.value.values().enumerate();
    let is_kratos_of_another = others.any(|(domain, kratos)| domain != own.domain && is_of(kratos));
    if is_guarded_by_another || is_kratos_of_another {
        faults.add(own.at, format_args!("host `{name}` is in two identity domains, so whose settings are asked for can't be told; under `settings: enrol_first` give this Kratos a host of its own"));
    }
}

/// Every origin that a request may name: those that are guarded, and those of Kratos that are not.
pub(super) fn all<'a>(guarded: &'a [Written], kratos: &'a [Written]) -> Vec<&'a Written> {
    let is_new = |own: &&Written| {
        guarded.iter().all(|other| {
            let (one, two) = (&own.pattern, &other.pattern);
            (one.scheme, one.port) != (two.scheme, two.port) || one.host != two.host
        })
    };
    guarded.iter().chain(kratos.iter().filter(is_new)).collect()
}

/// The guarded origins, and those of Kratos among or beside them.
pub(super) fn with_kratos(guarded: Origins, kratos: &[Written]) -> Origins {
    kratos.iter().fold(guarded, |all, own| {
        all.with_kratos(own.pattern.clone(), own.domain)
    })
}

#[cfg(test)]
mod tests {
    use http::Method;

    use crate::{
        config::{Config, Faults},
        domain::{
            host::Authority,
            origin::Serves,
            path::{Path, PathOptions},
        },
    };

    /// A customers' Kratos whose settings are for enrolling first, with these origins, and the staff's.
    fn load(browser_url: &str, origins: &str, staff: &str) -> Result<Config, Faults> {
        Config::parse(
            "s.yaml",
            &format!(
                "kratos:
  ciam: {{ api_url: 'http://k', browser_url: '{browser_url}', origins: [{origins}], settings: enrol_first }}
  iam: {{ api_url: 'http://k', {staff} }}
default: aal2
"
            ),
        )
    }

    const STAFF: &str =
        "browser_url: 'https://iam.corp.test', origins: ['https://staff.corp.test']";

    fn served(config: &Config, host: &str) -> Option<Serves> {
        let authority = Authority::parse(host.as_bytes()).unwrap();
        Some(config.policy.locate(&authority)?.origin.serves())
    }

    #[test]
    fn kratos_origin_is_known_beside_the_guarded_ones_or_among_them() {
        let beside = load("https://ciam.bank.test/k", "https://app.bank.test", STAFF).unwrap();
        assert_eq!(served(&beside, "ciam.bank.test"), Some(Serves::Kratos));
        assert_eq!(served(&beside, "app.bank.test"), Some(Serves::Apps));
        assert_eq!(served(&beside, "iam.corp.test"), None);
        for origins in ["https://ciam.bank.test", "'https://*.bank.test'"] {
            let among = load("https://ciam.bank.test", origins, STAFF).unwrap();
            assert_eq!(served(&among, "ciam.bank.test"), Some(Serves::Both));
            assert_eq!(served(&among, "other.test"), None);
        }
        let by_port = load("https://app.bank.test:8443", "https://app.bank.test", STAFF);
        let by_port = by_port.unwrap();
        assert_eq!(served(&by_port, "app.bank.test:8443"), Some(Serves::Kratos));
        assert_eq!(served(&by_port, "app.bank.test"), Some(Serves::Apps));
    }

    #[test]
    fn the_login_page_is_open_on_a_guarded_origin_and_the_rest_is_not() {
        let config = load("https://app.bank.test/k", "https://app.bank.test", STAFF).unwrap();
        let policy = &config.policy;
        let authority = Authority::parse(b"app.bank.test").unwrap();
        let site = policy.locate(&authority).unwrap();
        let rule = |path: &[u8]| {
            let path = Path::parse(path, PathOptions::default()).unwrap();
            policy
                .select(&site, &authority.host, &path, &Method::GET)
                .rule
                .id
                .clone()
        };
        assert_eq!(&*rule(b"/k/self-service/login/browser"), "kratos.settings");
        assert_eq!(&*rule(b"/self-service/login/browser"), "default");
        assert_eq!(&*rule(b"/transfer"), "default");
    }

    #[test]
    fn whose_settings_are_asked_for_is_plain_from_the_host() {
        let faults = |browser_url: &str, origins: &str, staff: &str| {
            load(browser_url, origins, staff).unwrap_err().to_string()
        };
        let app = "https://app.bank.test";
        for staff in [
            "browser_url: 'https://iam.test', origins: ['https://ciam.bank.test']",
            "browser_url: 'https://iam.test', origins: ['https://*.bank.test']",
            "browser_url: 'https://ciam.bank.test/iam', origins: ['https://staff.test']",
        ] {
            let told = faults("https://ciam.bank.test", app, staff);
            assert!(told.contains("in two identity domains"), "{staff}: {told}");
        }
        let told = faults("http://app.bank.test", app, STAFF);
        assert!(told.contains("can't be told apart"), "{told}");
        let told = faults("https://ciam.bank.test/*x", app, STAFF);
        assert!(
            told.contains("`browser_url: https://ciam.bank.test/*x`"),
            "{told}"
        );
    }

    #[test]
    fn its_words_and_its_id_are_taken() {
        let text = "kratos:
  ciam: { api_url: 'http://k', browser_url: 'https://b.test', origins: ['https://a.test'], settings: enroll_first }
default: none
rules: [{ id: kratos.settings, match: { path: /a }, require: none }]
";
        let told = Config::parse("s.yaml", text).unwrap_err().to_string();
        assert!(
            told.contains("`settings: enroll_first` is none of `kratos`, `enrol_first`"),
            "{told}"
        );
        assert!(told.contains("`id: kratos.settings` is what"), "{told}");
    }
}

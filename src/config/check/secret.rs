//! `secret`: what the loop guard signs with.
//!
//! `STEPGATE_SECRET` wins over the file. With neither, each process draws its own and keeps it through reloads: then markers
//! of one replica are foreign to another, so that a loop across both is noticed late.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, sync::LazyLock};

use serde_saphyr::{Location, Spanned};

use crate::{
    config::{fault::Collector, file, given::SECRET},
    domain::marker::{MIN_SECRET_BYTES, Secret},
};

/// A secret, and whether anybody configured it.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) secret: Secret,
    pub(super) is_random: bool,
}

/// The secret of a configuration file `name`: the environment's, that in a file beside it, or a random one.
pub(super) fn check(
    faults: &mut Collector,
    name: &str,
    written: &file::Secret,
    given: Option<&OsStr>,
) -> Option<Chosen> {
    let (secret, is_random) = match (given, &written.file) {
        (Some(given), _) => (of_environment(faults, given), false),
        (None, Some(file)) => (of_file(faults, name, file), false),
        (None, None) => (random(faults), true),
    };
    secret.map(|secret| Chosen { secret, is_random })
}

fn of_environment(faults: &mut Collector, given: &OsStr) -> Option<Secret> {
    let what = format!("`{SECRET}`");
    faults.ok(Location::UNKNOWN, what, Secret::new(given.as_bytes()))
}

fn of_file(faults: &mut Collector, name: &str, written: &Spanned<String>) -> Option<Secret> {
    let at = written.referenced;
    let what = format!("`file: {}`", written.value);
    let bytes = faults.ok(at, &what, fs::read(super::beside(name, &written.value)))?;
    faults.ok(at, &what, Secret::new(without_newline(&bytes)))
}

/// Editors and `echo` end a file with one.
fn without_newline(bytes: &[u8]) -> &[u8] {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn random(faults: &mut Collector) -> Option<Secret> {
    static DRAWN: LazyLock<Result<Secret, String>> = LazyLock::new(draw);
    faults.ok(Location::UNKNOWN, "no `secret`", DRAWN.clone())
}

fn draw() -> Result<Secret, String> {
    let mut bytes = [0; MIN_SECRET_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| format!("and the system gives no random bytes: {error}"))?;
    Secret::new(&bytes).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Faults, File, given::Given, parse};

    const LONG: &str = "not-a-secret-but-long-enough-for-one";

    /// The configuration in a folder with one file beside it.
    fn load(secret: &str, in_file: Option<&str>, given: Option<&str>) -> Result<Config, Faults> {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = in_file {
            fs::write(folder.path().join("key"), text).unwrap();
        }
        let name = folder.path().join("s.yaml").display().to_string();
        let kratos =
            "kratos: {c: {api_url: http://k, browser_url: http://b, origins: [http://a.test]}}";
        let text = format!("{kratos}\ndefault: none\n{secret}\n");
        let given = Given {
            secret: given.map(Into::into),
            ..Given::default()
        };
        parse::<File>(&name, &text)?.check_given(&name, &given)
    }

    fn fault(secret: &str, in_file: Option<&str>, given: Option<&str>) -> String {
        let faults = load(secret, in_file, given).unwrap_err().to_string();
        assert_eq!(faults.lines().count(), 1, "{faults}");
        assert!(!faults.contains("short-one"), "{faults}");
        faults.rsplit('/').next().unwrap().to_owned()
    }

    #[test]
    fn a_secret_comes_from_the_environment_a_file_or_nowhere() {
        let named = "secret: { file: key }";
        for (secret, in_file, given, is_random) in [
            ("", None, None, true),
            ("secret: {}", None, None, true),
            ("", None, Some(LONG), false),
            (named, Some(LONG), None, false),
            // The environment wins, so the file is of no matter.
            (named, None, Some(LONG), false),
            (named, Some("short-one"), Some(LONG), false),
        ] {
            let config = load(secret, in_file, given).unwrap();
            assert_eq!(config.is_secret_random, is_random, "{secret} {given:?}");
            assert_eq!(format!("{:?}", config.policy.secret), "<redacted>");
        }
    }

    #[test]
    fn a_secret_that_is_named_must_be_there_and_long_enough() {
        let named = "secret: { file: key }";
        let missing = fault(named, None, None);
        assert!(
            missing.starts_with("s.yaml:3:17: `file: key`: No such file"),
            "{missing}"
        );
        assert_eq!(
            fault(named, Some("short-one"), None),
            "s.yaml:3:17: `file: key`: a secret has at least 32 bytes, and this has 9"
        );
        assert_eq!(
            fault("", None, Some("short-one")),
            "s.yaml: `STEPGATE_SECRET`: a secret has at least 32 bytes, and this has 9"
        );
        assert!(fault(named, Some(LONG), Some("")).contains("and this has 0"));
    }

    #[test]
    fn a_newline_at_the_end_does_not_count() {
        let named = "secret: { file: key }";
        let exact = "x".repeat(MIN_SECRET_BYTES);
        let short = "x".repeat(MIN_SECRET_BYTES - 1);
        for end in ["", "\n", "\r\n"] {
            assert!(load(named, Some(&format!("{exact}{end}")), None).is_ok());
            assert!(load(named, Some(&format!("{short}{end}")), None).is_err());
        }
        assert!(load(named, Some(&format!("{short}\n\n")), None).is_ok());
    }
}

//! `servers.*.tls`: a door's certificate and key, and the authorities of its clients, each from a file.

use std::fs;

use serde_saphyr::Spanned;

use super::{beside, text};
use crate::{
    config::{fault::Collector, file},
    servers::tls::{Certificates, Clients, PrivateKey, Protocol, Tls, TlsError},
};

/// What a door's TLS is, or `None` where it has none or after noting why it can't be had. `name` is the configuration
/// file's, and the files lie relative to it.
pub(super) fn check(
    faults: &mut Collector,
    name: &str,
    written: Option<&file::Tls>,
    protocol: Protocol,
) -> Option<Tls> {
    let written = written?;
    let mut reader = Reader::new(faults, name);
    let chain = reader.read("cert_file", &written.cert_file, Certificates::parse);
    let key = reader.read("key_file", &written.key_file, PrivateKey::parse);
    let clients = match &written.client_ca_file {
        Some(authorities) => reader.read("client_ca_file", authorities, |pem| {
            Clients::signed_by(Certificates::parse(pem)?)
        }),
        None => Some(Clients::any()),
    };
    let tls = Tls::new(protocol, chain?, key?, clients?);
    reader.sound("key_file", &written.key_file, tls)
}

/// Reads PEM files and notes what is wrong with them.
pub(super) struct Reader<'a> {
    faults: &'a mut Collector,
    name: &'a str,
}

impl<'a> Reader<'a> {
    /// `name` is the configuration file's, and the files lie relative to it.
    pub(super) fn new(faults: &'a mut Collector, name: &'a str) -> Self {
        Self { faults, name }
    }

    pub(super) fn read<T>(
        &mut self,
        key: &str,
        written: &Spanned<String>,
        parse: impl FnOnce(&[u8]) -> Result<T, TlsError>,
    ) -> Option<T> {
        let (file, at) = text(written);
        match fs::read(beside(self.name, file)) {
            Ok(pem) => self.sound(key, written, parse(&pem)),
            Err(error) => {
                let fault = format_args!("`{key}: {file}` can't be read: {error}");
                self.faults.add(at, fault);
                None
            }
        }
    }

    fn sound<T>(
        &mut self,
        key: &str,
        written: &Spanned<String>,
        result: Result<T, TlsError>,
    ) -> Option<T> {
        let (file, at) = text(written);
        let fault = |error| {
            self.faults.add(at, format_args!("`{key}: {file}` {error}"));
        };
        result.map_err(fault).ok()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
    use tempfile::TempDir;

    use super::*;
    use crate::config::Config;

    /// A folder with a certificate, its key, another key, and a file that is neither.
    fn folder() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["stepgate.test".to_owned()]).unwrap();
        let other = KeyPair::generate().unwrap();
        let torn = "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n";
        let empty = "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n";
        for (name, text) in [
            ("cert", &*cert.pem()),
            ("key", &*signing_key.serialize_pem()),
            ("other", &*other.serialize_pem()),
            ("text", "not PEM at all"),
            ("torn", torn),
            ("hollow", empty),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    /// What is wrong with a door's TLS, without the folder's name; empty where nothing is.
    fn faults(door: &str, tls: &str) -> String {
        faults_of(&format!(
            "kratos: {{c: {{api_url: http://k, browser_url: http://b, origins: [http://a.test]}}}}
default: none
servers: {{ {door}: {{ listen: '127.0.0.1:0', tls: {{ {tls} }} }} }}
"
        ))
    }

    /// What is wrong with a configuration that lies beside the files.
    fn faults_of(text: &str) -> String {
        let folder = folder();
        let name = folder.path().join("s.yaml").display().to_string();
        let faults = Config::parse(&name, text).err();
        let faults = faults.map_or(String::new(), |faults| faults.to_string());
        faults.replace(&format!("{}/", folder.path().display()), "")
    }

    #[test]
    fn each_door_takes_a_certificate_its_key_and_authorities() {
        for door in ["grpc", "http"] {
            assert_eq!(faults(door, "cert_file: cert, key_file: key"), "");
            let clients = "cert_file: cert, key_file: key, client_ca_file: cert";
            assert_eq!(faults(door, clients), "");
        }
    }

    #[test]
    fn a_file_that_does_not_do_is_a_fault_where_it_is_named() {
        for (tls, expected) in [
            (
                "cert_file: gone, key_file: key",
                "s.yaml:3:61: `cert_file: gone` can't be read: No such file or directory (os error 2)",
            ),
            (
                "cert_file: key, key_file: key",
                "s.yaml:3:61: `cert_file: key` holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)",
            ),
            (
                "cert_file: torn, key_file: key",
                "s.yaml:3:61: `cert_file: torn` is not whole PEM: each section is base64 between its `-----BEGIN` and its `-----END` line",
            ),
            (
                "cert_file: cert, key_file: text",
                "s.yaml:3:77: `key_file: text` holds no private key in PEM form (`-----BEGIN PRIVATE KEY-----`, without a password)",
            ),
            (
                "cert_file: cert, key_file: other",
                "s.yaml:3:77: `key_file: other` is not the key of the first certificate in `cert_file`, where the door's own comes first (keys may not be consistent: KeyMismatch)",
            ),
            (
                "cert_file: cert, key_file: key, client_ca_file: text",
                "s.yaml:3:98: `client_ca_file: text` holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)",
            ),
            (
                "cert_file: cert, key_file: key, client_ca_file: hollow",
                "s.yaml:3:98: `client_ca_file: hollow` holds a certificate that can't be used (invalid peer certificate: BadEncoding)",
            ),
        ] {
            assert_eq!(faults("grpc", tls), expected);
        }
        let both = faults("http", "cert_file: text, key_file: text");
        assert_eq!(both.lines().count(), 2, "each file is looked at: {both}");
        let half = faults("http", "cert_file: cert");
        assert!(half.contains("key_file"), "{half}");
    }

    #[test]
    fn the_roots_of_a_kratos_are_looked_at_when_they_are_loaded() {
        let faults = |file: &str| {
            faults_of(&format!(
                "kratos: {{c: {{api_url: https://k, browser_url: http://b, origins: [http://a.test], ca_file: {file}}}}}
default: none
"
            ))
        };
        assert_eq!(faults("cert"), "");
        for (file, expected) in [
            (
                "gone",
                "can't be read: No such file or directory (os error 2)",
            ),
            (
                "key",
                "holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)",
            ),
            (
                "torn",
                "is not whole PEM: each section is base64 between its `-----BEGIN` and its `-----END` line",
            ),
            (
                "hollow",
                "holds a certificate that can't be used (invalid peer certificate: BadEncoding)",
            ),
        ] {
            let expected = format!("s.yaml:1:92: `ca_file: {file}` {expected}");
            assert_eq!(faults(file), expected);
        }
    }
}

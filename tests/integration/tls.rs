//! Doors behind TLS: who gets in, and how a certificate is changed under them.

use std::{fs, io, net::SocketAddr, os::unix::fs::symlink, path::Path, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    authority::{Authority, Signed},
    gate::Gate,
    http,
    reload::{RELOADED, UNSOUND},
    serving::Serving,
};

const HOST: &str = "stepgate.test";
const RULES: &str = "  - { id: closed, match: { path: /closed }, require: deny }\n";
/// Longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a client knocks.
struct Knock<'a> {
    trusts: &'a Authority,
    shows: Option<&'a Signed>,
    speaks: &'a [&'a str],
    version: &'static rustls::SupportedProtocolVersion,
}

impl<'a> Knock<'a> {
    fn new(trusts: &'a Authority) -> Self {
        Self {
            trusts,
            shows: None,
            speaks: &["http/1.1"],
            version: &TLS13,
        }
    }

    fn config(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(self.trusts.pem().as_bytes()).unwrap();
        roots.add(authority).unwrap();
        let config = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_protocol_versions(&[self.version])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match self.shows {
            Some(shown) => {
                let chain = CertificateDer::pem_slice_iter(shown.certificate.as_bytes());
                let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).unwrap();
                let chain = chain.collect::<Result<_, _>>().unwrap();
                config.with_client_auth_cert(chain, key).unwrap()
            }
            None => config.with_no_client_auth(),
        };
        let speaks = self.speaks.iter().map(|name| name.as_bytes().to_vec());
        config.alpn_protocols = speaks.collect();
        config
    }

    /// Shakes hands.
    async fn at(&self, door: SocketAddr) -> io::Result<Client> {
        let connector = TlsConnector::from(Arc::new(self.config()));
        let stream = TcpStream::connect(door).await?;
        let host = ServerName::try_from(HOST).unwrap();
        let shaken = tokio::time::timeout(PATIENCE, connector.connect(host, stream));
        Ok(Client(shaken.await??))
    }

    /// Shakes hands, and is answered. In TLS 1.3 a door refuses a client's certificate only after the client is done.
    async fn is_let_in(&self, door: SocketAddr) -> bool {
        match self.at(door).await {
            Ok(mut client) => client.ask().await.is_ok(),
            Err(_) => false,
        }
    }
}

/// A connection behind TLS.
struct Client(TlsStream<TcpStream>);

impl Client {
    fn protocol(&self) -> Option<&[u8]> {
        self.0.get_ref().1.alpn_protocol()
    }

    /// The certificate that the door shows.
    fn shown(&self) -> Vec<u8> {
        let shown = self.0.get_ref().1.peer_certificates().unwrap();
        shown.first().unwrap().to_vec()
    }

    /// Asks for what is closed, is refused as one is without TLS, and keeps the connection.
    async fn ask(&mut self) -> io::Result<()> {
        let answer = self.get("/ext-authz/closed", "}").await?;
        assert_eq!((answer.status, answer.reason()), (403, "access_denied"));
        Ok(())
    }

    /// Asks for what is answered with a body that ends so, and keeps the connection.
    async fn get(&mut self, target: &str, end: &str) -> io::Result<http::Answer> {
        let request = format!("GET {target} HTTP/1.1\r\nhost: app.test\r\n\r\n");
        self.0.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        let heard = async {
            while !answer.ends_with(end.as_bytes()) {
                if self.0.read_buf(&mut answer).await? == 0 {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
                }
            }
            Ok(())
        };
        tokio::time::timeout(PATIENCE, heard).await??;
        Ok(http::Answer::parse(&String::from_utf8(answer).unwrap()))
    }
}

fn der(signed: &Signed) -> Vec<u8> {
    let der = CertificateDer::from_pem_slice(signed.certificate.as_bytes());
    der.unwrap().to_vec()
}

/// `tls` with the files of [`folder`].
fn tls(folder: &Path, clients: bool) -> String {
    let path = |name: &str| folder.join(name).display().to_string();
    let (certificate, key, authority) = (path("door.pem"), path("door.key"), path("clients.pem"));
    let clients = if clients {
        format!(", client_ca_file: '{authority}'")
    } else {
        String::new()
    };
    format!("tls: {{ cert_file: '{certificate}', key_file: '{key}'{clients} }}")
}

/// Both doors behind TLS, with a certificate that this authority has signed.
async fn gate(authority: &Authority, rest: &str, clients: Option<&Authority>) -> Gate {
    let folder = tempfile::tempdir().unwrap();
    authority.sign(HOST).write(folder.path(), "door");
    if let Some(clients) = clients {
        fs::write(folder.path().join("clients.pem"), clients.pem()).unwrap();
    }
    let tls = tls(folder.path(), clients.is_some());
    let http = format!("http: {{ listen: '127.0.0.1:0', {tls}{rest} }}");
    // The files are read once, so the folder may go.
    Gate::start_behind(
        RULES,
        &format!(
            "servers: {{ grpc: {{ listen: '127.0.0.1:0' }}, admin: {{ listen: off }}, {http} }}"
        ),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_behind_tls_speaks_nothing_older_than_1_2_and_nothing_plain() {
    let authority = Authority::new();
    let gate = gate(&authority, "", None).await;
    for version in [&TLS12, &TLS13] {
        let knock = Knock {
            version,
            ..Knock::new(&authority)
        };
        assert!(knock.is_let_in(gate.http).await);
    }
    let plain = http::send(gate.http, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(!plain.contains("HTTP"), "{plain}");
    // A greeting of TLS 1.1, whose answer is an alert that says the version is wrong.
    let mut greeting = b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x02".to_vec();
    greeting.extend([7; 32]);
    greeting.extend(b"\x00\x00\x02\xc0\x13\x01\x00");
    let alert = http::send(gate.http, &greeting).await;
    assert!(alert.starts_with("\x15\x03"), "{alert:?}");
    assert!(!Knock::new(&Authority::new()).is_let_in(gate.http).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_names_what_it_speaks_and_turns_others_away() {
    let authority = Authority::new();
    let gate = gate(&authority, "", None).await;
    let knock = |speaks| Knock {
        speaks,
        ..Knock::new(&authority)
    };
    let both = knock(&["h2", "http/1.1"]).at(gate.http).await.unwrap();
    assert_eq!(both.protocol(), Some(&b"http/1.1"[..]));
    assert!(knock(&["h2"]).at(gate.http).await.is_err());
    assert!(
        knock(&[]).is_let_in(gate.http).await,
        "saying nothing is fine"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_clients_must_show_a_certificate_no_other_gets_in() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let gate = gate(&authority, "", Some(&clients)).await;
    let [friend, stranger] = [&clients, &authority].map(|signer| signer.sign("envoy.test"));
    for version in [&TLS12, &TLS13] {
        for (shows, is_let_in) in [
            (Some(&friend), true),
            (Some(&stranger), false),
            (None, false),
        ] {
            let knock = Knock {
                shows,
                version,
                ..Knock::new(&authority)
            };
            assert_eq!(knock.is_let_in(gate.http).await, is_let_in, "{version:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_says_nothing_takes_a_place_and_holds_up_nobody() {
    let authority = Authority::new();
    let gate = gate(&authority, ", max_connections: 2", None).await;
    let knock = Knock::new(&authority);
    let silent = TcpStream::connect(gate.http).await.unwrap();
    let mut first = knock.at(gate.http).await.unwrap();
    first.ask().await.unwrap();
    assert!(knock.at(gate.http).await.is_err(), "both places are taken");
    drop(silent);
    let free = async { while !knock.is_let_in(gate.http).await {} };
    tokio::time::timeout(PATIENCE, free).await.unwrap();
    first.ask().await.unwrap();
}

/// The text of a configuration whose HTTP door is behind TLS.
fn config(folder: &Path) -> String {
    format!(
        "{}{RULES}servers: {{ grpc: {{ listen: '127.0.0.1:0' }}, admin: {{ listen: off }}, http: {{ listen: '127.0.0.1:0', {} }} }}\n",
        "kratos: { ciam: { api_url: 'http://127.0.0.1:9', browser_url: 'https://ciam.test', origins: ['https://app.test'] } }
default: none
rules:
",
        tls(folder, true)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_door_is_behind_tls_where_it_is_told_so() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    authority.sign(HOST).write(path, "door");
    let admin = format!("admin: {{ listen: '127.0.0.1:0', {} }}", tls(path, false));
    fs::write(path.join("clients.pem"), authority.pem()).unwrap();
    let text = config(path).replace("admin: { listen: off }", &admin);
    fs::write(path.join("stepgate.yaml"), text).unwrap();
    let serving = Serving::start(&path.join("stepgate.yaml")).await;
    let door = serving.address("admin").parse().unwrap();
    let mut client = Knock::new(&authority).at(door).await.unwrap();
    let ready = client.get("/health/ready", "ready\n").await.unwrap();
    assert_eq!(ready.status, 200, "{ready:?}");
    let plain = http::send(door, b"GET /health/ready HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(!plain.contains("HTTP"), "{plain}");
    assert!(Knock::new(&Authority::new()).at(door).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_files_hold_for_new_connections_and_old_ones_go_on() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let [first, second] = [0, 1].map(|_| authority.sign(HOST));
    first.write(path, "door");
    fs::write(path.join("clients.pem"), authority.pem()).unwrap();
    fs::write(path.join("stepgate.yaml"), config(path)).unwrap();
    let mut serving = Serving::start(&path.join("stepgate.yaml")).await;
    let door = serving.address("http").parse().unwrap();
    let knock = Knock {
        shows: Some(&first),
        ..Knock::new(&authority)
    };
    let mut old = knock.at(door).await.unwrap();
    assert_eq!(old.shown(), der(&first));
    old.ask().await.unwrap();

    fs::write(path.join("door.key"), &second.key).unwrap();
    let fault = serving
        .wait_for(&format!("{}/stepgate.yaml:5:", path.display()))
        .await;
    assert!(
        fault.contains("is not the key of the first certificate"),
        "{fault}"
    );
    assert!(fault.contains("door.key"), "{fault}");
    serving.wait_for(UNSOUND).await;
    assert_eq!(knock.at(door).await.unwrap().shown(), der(&first));

    fs::write(path.join("door.pem"), &second.certificate).unwrap();
    serving.wait_for(RELOADED).await;
    let mut new = knock.at(door).await.unwrap();
    assert_eq!(new.shown(), der(&second));
    new.ask().await.unwrap();

    let stranger = Authority::new();
    fs::write(path.join("clients.pem"), stranger.pem()).unwrap();
    serving.wait_for(RELOADED).await;
    assert!(
        !knock.is_let_in(door).await,
        "its authority is no longer asked for"
    );
    old.ask().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_kubernetes_swaps_is_the_new_certificate() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mount = path.join("mount");
    let versions = ["..1", "..2"].map(|version| (version, authority.sign(HOST)));
    for (version, signed) in &versions {
        let folder = mount.join(version);
        fs::create_dir_all(&folder).unwrap();
        signed.write(&folder, "door");
        fs::write(folder.join("clients.pem"), authority.pem()).unwrap();
    }
    let swap = |version: &str| {
        symlink(version, mount.join("..data_tmp")).unwrap();
        fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
    };
    swap("..1");
    for name in ["door.pem", "door.key", "clients.pem"] {
        symlink(Path::new("..data").join(name), mount.join(name)).unwrap();
    }
    fs::write(path.join("stepgate.yaml"), config(&mount)).unwrap();
    let mut serving = Serving::start(&path.join("stepgate.yaml")).await;
    let [(_, first), (_, second)] = &versions;
    let knock = Knock {
        shows: Some(first),
        ..Knock::new(&authority)
    };
    let door = serving.address("http").parse().unwrap();
    assert_eq!(knock.at(door).await.unwrap().shown(), der(first));
    swap("..2");
    serving.wait_for(RELOADED).await;
    assert_eq!(knock.at(door).await.unwrap().shown(), der(second));
}

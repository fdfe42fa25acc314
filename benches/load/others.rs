//! Other programs that look a session up before a request goes through, where they are on PATH: each asked about the same
//! page as Stepgate, in turn with the floor.

use bytes::Bytes;

use crate::{
    Outcome,
    case::{self, Asks, Case, Kratos},
    floor,
    load::{Expected, Load},
    message,
    process::{self, Program},
    wire::Wire,
};

/// Sessions where each check asks Kratos.
const ASKING: usize = 1_000;

/// A program, as its users start it for this rule.
struct Other {
    name: &'static str,
    program: &'static str,
    arguments: &'static str,
    /// Names and texts.
    files: &'static [(&'static str, &'static str)],
    /// Words in them, and what stands there instead.
    settings: &'static [(&'static str, &'static str)],
    wire: Wire,
    asks: Asks,
}

const HEIMDALL: Other = Other {
    name: "heimdall, miss",
    program: "heimdall",
    arguments: "serve decision --envoy-grpc --insecure -c heimdall.yaml",
    files: &[
        ("heimdall.yaml", include_str!("others/heimdall.yaml")),
        ("rules.yaml", include_str!("others/heimdall-rules.yaml")),
    ],
    settings: &[("TTL", "0s")],
    wire: Wire::Grpc,
    asks: Asks::EachTime,
};
const OPA: Other = Other {
    name: "opa-envoy, miss",
    program: "opa-envoy",
    arguments: "run --server --addr 127.0.0.1:PORT_2 --diagnostic-addr 127.0.0.1:PORT_3 -c opa-envoy.yaml transfer.rego",
    files: &[
        ("opa-envoy.yaml", include_str!("others/opa-envoy.yaml")),
        ("transfer.rego", include_str!("others/opa-envoy.rego")),
    ],
    settings: &[("REMEMBER", "false")],
    wire: Wire::Grpc,
    asks: Asks::EachTime,
};
const OATHKEEPER: Other = Other {
    name: "oathkeeper, always a miss",
    program: "oathkeeper",
    arguments: "serve -c oathkeeper.yaml",
    files: &[
        ("oathkeeper.yaml", include_str!("others/oathkeeper.yaml")),
        ("rules.yaml", include_str!("others/oathkeeper-rules.yaml")),
    ],
    settings: &[],
    wire: Wire::Http1,
    asks: Asks::EachTime,
};
const OTHERS: [Other; 5] = [
    Other {
        name: "heimdall, warm hit",
        settings: &[("TTL", "10m")],
        asks: Asks::Never,
        ..HEIMDALL
    },
    HEIMDALL,
    Other {
        name: "opa-envoy, warm hit",
        settings: &[("REMEMBER", "true")],
        asks: Asks::Never,
        ..OPA
    },
    OPA,
    OATHKEEPER,
];

/// A row for each; a message for one that isn't there.
pub(crate) async fn run(only: &str, kratos: &Kratos, is_pinned: bool) -> Outcome<()> {
    for other in OTHERS.iter().filter(|other| other.name.contains(only)) {
        match other.case(kratos)? {
            Some(case) => println!("{}", crate::measure(&case, kratos, is_pinned).await?),
            None => println!(
                "{}: skipped, `{}` is not on PATH",
                other.name, other.program
            ),
        }
    }
    Ok(())
}

impl Other {
    /// Nothing where its program isn't.
    fn case(&self, kratos: &Kratos) -> Outcome<Option<Case>> {
        let Some(path) = process::found(self.program) else {
            return Ok(None);
        };
        let sessions = match self.asks {
            Asks::Never => 1,
            Asks::EachTime => ASKING,
        };
        let sessions = kratos.sign_in(sessions)?;
        let floor_load = Load::of(case::pages(&sessions)?, Expected::Allow);
        let load = match self.wire {
            Wire::Grpc => floor_load.clone(),
            Wire::Http1 => {
                let pages = sessions.iter().map(|session| decision(&session.header()));
                Load {
                    messages: pages.collect(),
                    wire: self.wire,
                    ..floor_load.clone()
                }
            }
        };
        let url = kratos.double.public_url().to_string();
        let kratos = [("KRATOS", url.trim_end_matches('/'))];
        let fill = |text: &&str| {
            let words = kratos.iter().chain(self.settings);
            words.fold((*text).to_owned(), |text, (word, value)| {
                text.replace(word, value)
            })
        };
        let files = self.files.iter().map(|(name, text)| (*name, fill(text)));
        Ok(Some(Case {
            name: self.name,
            target: None,
            program: Program {
                path,
                arguments: self.arguments,
                files: files.collect(),
            },
            load,
            floor: Program::floor(floor::ALLOW)?,
            floor_load,
            asks: self.asks,
        }))
    }
}

/// The same page as Oathkeeper is asked about it.
fn decision(cookie: &str) -> Bytes {
    let start = "GET /decisions/transfer/1 HTTP/1.1\r\nhost: app.test\r\n";
    let browser = message::HEADERS.into_iter();
    let headers = browser.filter(|(name, _)| !name.starts_with(':'));
    let lines = headers.chain([("cookie", cookie)]);
    let lines = lines.map(|(name, value)| format!("{name}: {value}\r\n"));
    format!("{start}{}\r\n", lines.collect::<String>()).into()
}

//! `docs/getting-started.md`, from its first line to its last, as a newcomer would type it.

use std::{
    env,
    fs::{self, File},
    path::Path,
    process::{Child, Command},
    thread,
    time::Duration,
};

use demo::kratos::{Double, Options, Person};
use tempfile::TempDir;

/// Where the page says that everything listens.
const KRATOS: &str = "127.0.0.1:4433";
const HTTP: &str = "127.0.0.1:4456";
const ADMIN: &str = "127.0.0.1:4457";
const SERVERS: &str = "  http: { listen: 127.0.0.1:4456 }\n";
const FREE_PORTS: &str = "  http: { listen: 127.0.0.1:0 }\n  grpc: { listen: 127.0.0.1:0 }\n  admin: { listen: 127.0.0.1:0 }\n";
const LOG: &str = "stepgate.log";
/// How often the log is looked into, with a pause between: some twenty seconds in all.
const TRIES: usize = 2_000;
const PAUSE: Duration = Duration::from_millis(10);

/// The folder that a newcomer works in, and what runs there.
struct Newcomer {
    folder: TempDir,
    kratos: String,
    serving: Option<Child>,
    /// How much of the log the page has told.
    told: usize,
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        if let Some(mut serving) = self.serving.take() {
            let _ = serving.kill();
            let _ = serving.wait();
        }
    }
}

impl Newcomer {
    /// Does what a block of the page is about.
    fn follow(&mut self, language: &str, block: &str) {
        match language {
            "yaml" => self.write(block),
            "console" => commands(block).into_iter().for_each(|(command, wanted)| {
                let printed = self.run(&command);
                assert!(
                    agrees(&wanted, &printed),
                    "$ {command}\nwanted:\n{wanted}\ngot:\n{printed}"
                );
            }),
            "json" => block.lines().for_each(|line| self.hear(line)),
            _ => {}
        }
    }

    /// A file, named in its first line.
    fn write(&self, block: &str) {
        let name = block
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# "))
            .unwrap();
        let text = block
            .replace(KRATOS, &self.kratos)
            .replace(SERVERS, FREE_PORTS);
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// What a command prints, and what it complains of.
    fn run(&self, command: &str) -> String {
        let told = self.addresses();
        let command = told
            .iter()
            .fold(command.to_owned(), |command, (page, real)| {
                command.replace(page, real)
            });
        let binary = Path::new(env!("CARGO_BIN_EXE_stepgate")).parent().unwrap();
        let path = format!("{}:{}", binary.display(), env::var("PATH").unwrap());
        let ran = Command::new("sh")
            .args(["-c", &format!("exec 2>&1; {command}")])
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env_remove("STEPGATE_SECRET")
            .env_remove("LOG_LEVEL")
            .env_remove("LOG_FORMAT")
            .output()
            .unwrap();
        String::from_utf8(ran.stdout).unwrap()
    }

    /// For each address of the page the real one, as far as it is known.
    fn addresses(&self) -> Vec<(&str, String)> {
        let log = self.log();
        let serving: serde_json::Value = log
            .lines()
            .find(|line| line.contains("\"msg\":\"serving\""))
            .map_or(serde_json::Value::Null, |line| {
                serde_json::from_str(line).unwrap()
            });
        let doors = [(HTTP, "http"), (ADMIN, "admin")];
        let doors = doors
            .into_iter()
            .filter_map(|(page, door)| Some((page, serving.get(door)?.as_str()?.to_owned())));
        doors.chain([(KRATOS, self.kratos.clone())]).collect()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default()
    }

    /// Waits for a line of the log that reads like this, behind those that the page has told.
    fn hear(&mut self, wanted: &str) {
        if self.serving.is_none() {
            self.serve();
        }
        for _ in 0..TRIES {
            let log = self.log();
            let mut behind = log.lines().skip(self.told);
            if let Some(place) = behind.position(|line| matches(wanted, line)) {
                self.told += place + 1;
                return;
            }
            thread::sleep(PAUSE);
        }
        panic!("no line like\n{wanted}\nin\n{}", self.log());
    }

    fn serve(&mut self) {
        let serving = Command::new(env!("CARGO_BIN_EXE_stepgate"))
            .arg("serve")
            .current_dir(self.folder.path())
            .env_remove("STEPGATE_SECRET")
            .env_remove("LOG_LEVEL")
            .env_remove("LOG_FORMAT")
            .stderr(File::create(self.folder.path().join(LOG)).unwrap())
            .spawn();
        self.serving = Some(serving.unwrap());
    }
}

/// The commands of a block, each with what it is to print.
fn commands(block: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            (None, Some((command, _))) if command.ends_with('\\') => {
                command.pop();
                command.push_str(line);
            }
            (None, Some((_, printed))) => {
                printed.push_str(line);
                printed.push('\n');
            }
            (None, None) => panic!("`{line}` comes before any command"),
        }
    }
    commands
}

fn agrees(wanted: &str, printed: &str) -> bool {
    let (wanted, printed) = (wanted.trim_end(), printed.trim_end());
    wanted.lines().count() == printed.lines().count()
        && wanted
            .lines()
            .zip(printed.lines())
            .all(|(wanted, line)| matches(wanted, line))
}

/// Whether a line reads like the page's, where `…` stands for anything.
fn matches(wanted: &str, line: &str) -> bool {
    let Some((first, rest)) = wanted.split_once('…') else {
        return wanted == line;
    };
    let Some(mut line) = line.strip_prefix(first) else {
        return false;
    };
    let mut parts = rest.split('…').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return line.ends_with(part);
        }
        match line.split_once(part) {
            Some((_, behind)) => line = behind,
            None => return false,
        }
    }
    true
}

/// Each block of the page, with the name of its language.
fn blocks(page: &str) -> Vec<(String, String)> {
    let fenced = page.split("```").skip(1).step_by(2);
    let blocks = fenced.map(|block| block.split_once('\n').unwrap());
    blocks
        .map(|(language, text)| (language.to_owned(), text.to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_page_prints_what_the_page_says() {
    let double = Double::start(Options::default()).await.unwrap();
    double.add_person(Person {
        email: "totp@bank.localhost".to_owned(),
        password: "zeus-keeps-no-secrets".to_owned(),
        totp_secret: Some("OLYMPUSBANKDEMOKEYNOTASECRETATAL".to_owned()),
        ..Person::default()
    });
    let mut newcomer = Newcomer {
        folder: tempfile::tempdir().unwrap(),
        kratos: double.public_url().authority().to_owned(),
        serving: None,
        told: 0,
    };
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/getting-started.md");
    let blocks = blocks(&fs::read_to_string(page).unwrap());
    assert!(blocks.len() > 10, "{blocks:?}");
    tokio::task::spawn_blocking(move || {
        for (language, block) in blocks {
            newcomer.follow(&language, &block);
        }
    })
    .await
    .unwrap();
}

#[test]
fn dots_stand_for_anything_and_nothing_else_does() {
    assert!(matches("a…c", "abc") && matches("a…c", "ac") && matches("…", ""));
    assert!(matches("{…,\"x\":1,…}", "{\"t\":2,\"x\":1,\"y\":3}"));
    assert!(!matches("abc", "abd") && !matches("a…c", "abd") && !matches("a…b…c", "ac"));
}

use std::fs;

use super::*;
use crate::telemetry::clock::Clock;

const RULES: &str = "rules:\n  - { id: a, match: { path: /a }, require: session }\n";

fn written(ciam: &str, rest: &str) -> String {
    format!(
        "kratos:
  ciam: {{ browser_url: 'https://ciam.example.com', origins: ['https://app.example.com'], {ciam} }}
  iam: {{ api_url: 'http://iam:4433', browser_url: 'https://iam.example.com', origins: ['https://in.example.com'] }}
default: none
{rest}
"
    )
}

/// Reloads from one text to another, and tells for each identity domain whether its client is the same.
fn kept(before: &str, after: &str) -> [bool; 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stepgate.yaml");
    fs::write(&path, before).unwrap();
    let mut reloader = Reloader::new(path.clone());
    let config = reloader.load().unwrap();
    let authorizer = Authorizer::new(config.into_snapshot().unwrap(), Clock::system());
    let old = authorizer.snapshot();
    fs::write(&path, after).unwrap();
    // Sound or not: what is unsound changes nothing.
    let _ = reloader.reload(&authorizer);
    let new = authorizer.snapshot();
    [0, 1].map(|place| Arc::ptr_eq(&old.kratos[place], &new.kratos[place]))
}

#[test]
fn other_rules_keep_every_kratos() {
    let here = written("api_url: 'http://a:4433'", "");
    assert_eq!(
        kept(&here, &written("api_url: 'http://a:4433'", RULES)),
        [true; 2]
    );
}

#[test]
fn another_api_url_or_cookie_empties_that_domain_alone() {
    let here = written("api_url: 'http://a:4433'", RULES);
    for there in [
        "api_url: 'http://b:4433'",
        "api_url: 'http://a:4433', cookie: other",
    ] {
        assert_eq!(
            kept(&here, &written(there, RULES)),
            [false, true],
            "{there}"
        );
    }
}

#[test]
fn an_unsound_file_changes_nothing() {
    let here = written("api_url: 'http://a:4433'", RULES);
    assert_eq!(kept(&here, "kratos: nowhere"), [true; 2]);
    assert_eq!(kept(&here, ""), [true; 2]);
}

#[test]
fn a_look_tells_whether_any_file_holds_something_new() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("a.yaml", RULES);
    let config = written("api_url: 'http://a:4433'", "rule_files: ['?.yaml']");
    write("stepgate.yaml", &config);
    let first = Files::of(folder.path().join("stepgate.yaml")).look();
    write("stepgate.log", "a line");
    assert_eq!(first.look(), first, "another file is nothing to it");
    write("a.yaml", "rules: []");
    let second = first.look();
    assert_ne!(second, first);
    write("b.yaml", "rules: []");
    let third = second.look();
    assert_ne!(third, second, "a new file of the pattern");
    write("stepgate.yaml", "{");
    write("b.yaml", RULES);
    assert_eq!(
        third.look().folders(),
        third.folders(),
        "what it named before"
    );
}

#[test]
fn the_folder_of_every_link_on_the_way_is_watched() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["mount/..1", "far"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    let link = std::os::unix::fs::symlink::<&str, PathBuf>;
    link("..1", root.join("mount/..data")).unwrap();
    link("..data/stepgate.yaml", root.join("mount/stepgate.yaml")).unwrap();
    link("mount", root.join("near")).unwrap();
    fs::write(root.join("mount/..1/stepgate.yaml"), "{}").unwrap();
    let folders = Files::of(root.join("near/stepgate.yaml")).look().folders();
    for watched in ["", "near", "mount"] {
        let watched = root.join(watched);
        assert!(
            folders
                .iter()
                .any(|folder| folder.canonicalize().unwrap() == watched.canonicalize().unwrap())
        );
    }
}

#[test]
fn calls_that_came_together_are_one_and_somebodys_wish_is_among_them() {
    let reloader = Reloader::new(PathBuf::from("stepgate.yaml"));
    for call in [Call::Stirred, Call::Asked, Call::Stirred] {
        reloader.asked.send(call).unwrap();
    }
    assert_eq!(reloader.call(), Some(Call::Asked));
    assert!(reloader.calls.try_recv().is_err());
}

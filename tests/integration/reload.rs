//! The real binary, whose configuration changes under it.

use std::{fs, os::unix::fs::symlink, path::PathBuf, sync::Arc};

use tokio::task::JoinSet;

use crate::serving::{PATIENCE, Serving};

pub(crate) const RELOADED: &str = "configuration reloaded";
pub(crate) const UNSOUND: &str = "the configuration is not sound; the old one stays";
const CHECKS: usize = 10_000;
const RELOADS: usize = 100;
/// How many ask at once.
const HANDS: usize = 5;

/// Which set of rules answers.
async fn set_of(serving: &Serving) -> char {
    let heard = serving.ask("/x").await;
    let sets = [('a', "x-set-a"), ('b', "x-set-b")];
    let told = sets.map(|(set, header)| (heard.header(header) == set.to_string()).then_some(set));
    match told {
        [Some(set), None] | [None, Some(set)] => set,
        _ => panic!("a mixture: {heard:?}"),
    }
}

/// Asks at the door, which the first set opens and the second one shuts.
async fn is_open(serving: &Serving) -> bool {
    let heard = serving.ask("/door").await;
    let told = ["x-set-a", "x-set-b"].map(|header| heard.header(header));
    match (heard.status, heard.reason(), told) {
        (200, "", ["a-door", ""]) => true,
        (403, "access_denied", ["", ""]) => false,
        _ => panic!("a mixture: {heard:?}"),
    }
}

/// Asks as often as this on both ways, and tells how many answers were of the first set.
async fn ask_on(serving: Arc<Serving>, times: usize) -> usize {
    let mut first = 0;
    for _ in 0..times {
        first += usize::from(set_of(&serving).await == 'a');
        first += usize::from(is_open(&serving).await);
    }
    first
}

/// Asks until this set answers.
async fn until(serving: &Serving, set: char) {
    let answered = async { while set_of(serving).await != set {} };
    tokio::time::timeout(PATIENCE, answered).await.unwrap();
}

/// One of two sets. Its rules tell their own ids in its own header, and only the first opens the door, so that one's rule,
/// requirement or header with the other's would show.
fn text(set: char) -> String {
    format!(
        "kratos: {{ ciam: {{ api_url: 'http://127.0.0.1:9', browser_url: 'https://ciam.test', origins: ['https://app.test'] }} }}
default: deny
upstream_headers: {{ X-Set-{set}: rule.id }}
rules: [{{ id: {set}, match: {{ path: /x }}, require: none }}, {{ id: {set}-door, match: {{ path: /door }}, require: {} }}]
servers: {{ admin: {{ listen: off }}, grpc: {{ listen: '127.0.0.1:0' }} }}
workers: 2
",
        if set == 'a' { "none" } else { "deny" }
    )
}

fn written(set: char) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("stepgate.yaml");
    fs::write(&config, text(set)).unwrap();
    (folder, config)
}

/// 10,000 checks by several hands while the file changes a hundred times under them.
#[tokio::test(flavor = "multi_thread")]
async fn each_check_across_reloads_is_answered_by_one_whole_configuration() {
    let (_folder, config) = written('a');
    let serving = Arc::new(Serving::start(&config).await);
    let mut first = 0;
    for set in ['b', 'a'].repeat(RELOADS / 2) {
        let mut hands = JoinSet::new();
        for _ in 0..HANDS {
            // Each time twice.
            hands.spawn(ask_on(Arc::clone(&serving), CHECKS / RELOADS / HANDS / 2));
        }
        fs::write(&config, text(set)).unwrap();
        serving.signal("HUP");
        first += hands.join_all().await.into_iter().sum::<usize>();
        until(&serving, set).await;
    }
    assert!((1..CHECKS).contains(&first), "{first} of the first set");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_up_reloads_even_what_is_the_same() {
    let (_folder, config) = written('a');
    let mut serving = Serving::start(&config).await;
    for _ in 0..2 {
        serving.signal("HUP");
        serving.wait_for(RELOADED).await;
    }
    assert_eq!(set_of(&serving).await, 'a');
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_is_read_without_a_signal() {
    let (_folder, config) = written('a');
    let mut serving = Serving::start(&config).await;
    fs::write(&config, text('b')).unwrap();
    serving.wait_for(RELOADED).await;
    assert_eq!(set_of(&serving).await, 'b');
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsound_file_leaves_the_old_one_and_says_each_fault() {
    let (_folder, config) = written('a');
    let mut serving = Serving::start(&config).await;
    let bad = text('b').replace("require: none", "require: nothing");
    fs::write(&config, bad.replace("workers: 2", "workers: 0")).unwrap();
    serving.wait_for(&format!("{}:4:", config.display())).await;
    serving.wait_for(&format!("{}:6:", config.display())).await;
    serving.wait_for(UNSOUND).await;
    assert_eq!(set_of(&serving).await, 'a');
    fs::write(&config, text('b')).unwrap();
    serving.wait_for(RELOADED).await;
    assert_eq!(set_of(&serving).await, 'b');
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_restart_changes_is_said() {
    let (_folder, config) = written('a');
    let mut serving = Serving::start(&config).await;
    fs::write(&config, text('b').replace("workers: 2", "workers: 3")).unwrap();
    let line = serving.wait_for("this key takes effect only after").await;
    assert!(line.contains("\"key\":\"workers\""), "{line}");
    serving.wait_for(RELOADED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_swapped_as_kubernetes_does_leads_to_the_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (version, set) in [("..1", 'a'), ("..2", 'b'), ("..3", 'a')] {
        fs::create_dir(root.join(version)).unwrap();
        fs::write(root.join(version).join("stepgate.yaml"), text(set)).unwrap();
    }
    let swap = |version: &str| {
        symlink(version, root.join("..data_tmp")).unwrap();
        fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
    };
    swap("..1");
    symlink("..data/stepgate.yaml", root.join("stepgate.yaml")).unwrap();
    let mut serving = Serving::start(&root.join("stepgate.yaml")).await;
    for (version, set) in [("..2", 'b'), ("..3", 'a')] {
        swap(version);
        serving.wait_for(RELOADED).await;
        assert_eq!(set_of(&serving).await, set);
    }
}

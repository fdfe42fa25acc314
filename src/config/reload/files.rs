//! The files that a configuration is made of, what stands in them, and the folders where that can change.

use std::{
    collections::BTreeSet,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use notify::{RecursiveMode, Watcher};
use serde_saphyr::Spanned;

use crate::config::{
    Fault,
    file::{self, File, Tls},
    text,
};

/// How many symbolic links lead on from one to the next; Linux follows no more.
const MAX_LINKS: usize = 40;

/// What stood in a configuration's files at one look. Two are equal where that is the same.
#[derive(Clone, Debug)]
pub(super) struct Files {
    config: PathBuf,
    /// What stands in the first file.
    own: u64,
    /// What stands in all of them, names included.
    all: u64,
    /// The other files, as the first one names them.
    patterns: BTreeSet<String>,
    /// All of them.
    paths: BTreeSet<PathBuf>,
}

impl PartialEq for Files {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

impl Files {
    /// Nothing is known of them yet but the first one's name.
    pub(super) fn of(config: PathBuf) -> Self {
        Self {
            config,
            own: 0,
            all: 0,
            patterns: BTreeSet::new(),
            paths: BTreeSet::new(),
        }
    }

    /// Looks at them. Where the first file can't be understood, it is thought to name the same ones as before.
    pub(super) fn look(&self) -> Self {
        let text = text(&self.name());
        if own(&text) == self.own {
            self.now(self.own, self.patterns.clone())
        } else {
            self.read_in(text).0
        }
    }

    /// The same, and what stands in the first file. A change after this is one to the next look.
    pub(super) fn read(&self) -> (Self, Result<File, Fault>) {
        self.read_in(text(&self.name()))
    }

    fn read_in(&self, text: Result<String, Fault>) -> (Self, Result<File, Fault>) {
        let own = own(&text);
        let file = text.and_then(|text| file::parse(&self.name(), &text));
        let patterns = match &file {
            Ok(file) => patterns(&self.config, file),
            Err(_) => self.patterns.clone(),
        };
        (self.now(own, patterns), file)
    }

    /// What stands there now.
    fn now(&self, own: u64, patterns: BTreeSet<String>) -> Self {
        let others = patterns
            .iter()
            .filter_map(|pattern| glob::glob(pattern).ok());
        let mut paths: BTreeSet<_> = others.flatten().flatten().collect();
        paths.insert(self.config.clone());
        let contents: Vec<_> = paths
            .iter()
            .map(|path| (path, fs::read(path).ok()))
            .collect();
        Self {
            config: self.config.clone(),
            own,
            all: digest(&contents),
            patterns,
            paths,
        }
    }

    /// The first file, as faults name it.
    pub(super) fn name(&self) -> String {
        self.config.display().to_string()
    }

    /// The folders where a change to one of the files would show, those that could hold a new one included.
    pub(super) fn folders(&self) -> BTreeSet<PathBuf> {
        let mut folders = BTreeSet::new();
        let patterns = self.patterns.iter().map(Path::new);
        for path in self.paths.iter().map(PathBuf::as_path).chain(patterns) {
            trace(path, MAX_LINKS, &mut folders);
        }
        folders
    }
}

fn digest(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Of what stands in the first file.
fn own(text: &Result<String, Fault>) -> u64 {
    digest(text.as_deref().unwrap_or_default())
}

/// The files that a configuration names, as patterns from here.
fn patterns(config: &Path, file: &File) -> BTreeSet<String> {
    let folder = config.parent().unwrap_or(Path::new(""));
    let globs = file.rule_files.iter();
    let globs = globs.map(|glob| folder.join(&glob.value).display().to_string());
    let kratos = file.kratos.value.values();
    let roots = kratos.filter_map(|kratos| kratos.value.ca_file.as_ref());
    let doors = [
        file.servers.grpc.tls.as_ref(),
        file.servers
            .http
            .as_ref()
            .and_then(|http| http.tls.as_ref()),
        file.servers.admin.tls.as_ref(),
    ];
    let tls = doors.into_iter().flatten().flat_map(Tls::files);
    let plain = roots
        .chain(&file.secret.file)
        .chain(tls)
        .map(|path: &Spanned<String>| {
            glob::Pattern::escape(&folder.join(&path.value).display().to_string())
        });
    globs.chain(plain).collect()
}

/// Adds the folder of a path and, where symbolic links are on the way, the folder of each.
fn trace(path: &Path, links: usize, folders: &mut BTreeSet<PathBuf>) {
    folders.insert(folder(path));
    let Some(links) = links.checked_sub(1) else {
        return;
    };
    for step in path.ancestors() {
        if let Ok(target) = fs::read_link(step) {
            folders.insert(folder(step));
            trace(&folder(step).join(target), links, folders);
        }
    }
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        Some(_) => PathBuf::from("."),
        None => path.to_owned(),
    }
}

/// Folders under watch.
#[derive(Debug)]
pub(super) struct Folders<W> {
    watcher: W,
    watched: BTreeSet<PathBuf>,
}

impl<W: Watcher> Folders<W> {
    pub(super) fn new(watcher: W) -> Self {
        Self {
            watcher,
            watched: BTreeSet::new(),
        }
    }

    /// Watches these, and others no more. One that isn't there is left out: it is a pattern's, or a fault of the load.
    pub(super) fn watch(&mut self, wanted: BTreeSet<PathBuf>) {
        for gone in self.watched.difference(&wanted) {
            // It fails where the folder itself is gone.
            let _ = self.watcher.unwatch(gone);
        }
        for folder in wanted.iter().filter(|folder| folder.is_dir()) {
            // Anew each time: the name may lead to another folder by now.
            if let Err(error) = self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                tell(error);
            }
        }
        self.watched = wanted;
    }
}

/// Tells that changes may go unnoticed.
#[expect(clippy::needless_pass_by_value, reason = "it ends the error")]
pub(super) fn tell(error: notify::Error) {
    tracing::warn!(%error, "files can't be watched; after a change send SIGHUP");
}

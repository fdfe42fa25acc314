//! A source file as the laws see it: the paths it names, where it waits, what it constructs, and how long it is.

use std::{fs, path::Path};

use super::reader::Reader;

/// A file, with the facts that laws are about.
#[derive(Debug)]
pub(super) struct Source {
    /// From the root of the package, with `/`: `src/domain/rule.rs`.
    pub(super) file: String,
    /// Where it stands: `crate::domain::rule`.
    pub(super) module: String,
    /// Each path it names, from the crate's root or from a crate's name.
    pub(super) paths: Vec<Mention>,
    /// Each `async` and `.await`, and each `.elapsed`, which reads a clock.
    pub(super) words: Vec<Mention>,
    /// Each value built by naming its type, as in `Permit(why)` or `Permit { why }`: the type's path.
    pub(super) built: Vec<Mention>,
    /// How many lines it has without its inline test modules.
    pub(super) lines: usize,
    /// Whether all its items are `mod name;`, or the generated `proto`.
    pub(super) only_declares: bool,
    /// The modules in files of their own that it declares for tests: `crate::domain::rule::tests`.
    test_modules: Vec<String>,
}

/// Something a file says, and where.
#[derive(Debug)]
pub(super) struct Mention {
    pub(super) text: String,
    pub(super) line: usize,
    /// Whether it stands in a `use`.
    pub(super) is_use: bool,
    /// Whether only tests are compiled with it.
    pub(super) is_test: bool,
}

impl Source {
    /// Reads every `.rs` file under `dir`, which is a folder of the package.
    pub(super) fn read_all(dir: &str) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = Vec::new();
        let mut open = vec![root.join(dir)];
        while let Some(folder) = open.pop() {
            let entries =
                fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
            for entry in entries {
                let path = entry
                    .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
                    .path();
                if path.is_dir() {
                    open.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = fs::read_to_string(&path)
                        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                    let file = path
                        .strip_prefix(root)
                        .unwrap_or(&path)
                        .display()
                        .to_string();
                    sources.push(Self::parse(&file.replace('\\', "/"), &text));
                }
            }
        }
        sources.sort_by(|a, b| a.file.cmp(&b.file));
        mark_test_files(&mut sources);
        sources
    }

    /// Reads one file from its text.
    pub(super) fn parse(file: &str, text: &str) -> Self {
        let tree = syn::parse_file(text)
            .unwrap_or_else(|e| panic!("{file}:{}: {e}", e.span().start().line));
        let module = module_of(file);
        let reader = Reader::read(&tree, module.clone());
        Self {
            file: file.to_owned(),
            module: module.join("::"),
            paths: reader.paths(),
            built: reader.built(),
            words: reader.words,
            lines: text.lines().count().saturating_sub(reader.test_lines),
            only_declares: tree.items.iter().all(is_declaration),
            test_modules: reader.test_modules,
        }
    }

    /// The room a file belongs to: `domain`; `lib` and `main` for the two roots.
    pub(super) fn room(&self) -> &str {
        let path = self.file.split_once("src/").map_or("", |(_, path)| path);
        path.split(['/', '.']).next().unwrap_or_default()
    }
}

/// Whether `path` is `prefix` or lies below it.
pub(super) fn is_under(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Marks all that files hold which another declares with `#[cfg(test)] mod name;`.
pub(super) fn mark_test_files(sources: &mut [Source]) {
    let test_modules: Vec<String> = sources
        .iter()
        .flat_map(|source| source.test_modules.clone())
        .collect();
    for source in sources.iter_mut().filter(|source| {
        test_modules
            .iter()
            .any(|test| is_under(&source.module, test))
    }) {
        source.lines = 0;
        for mention in source
            .paths
            .iter_mut()
            .chain(&mut source.words)
            .chain(&mut source.built)
        {
            mention.is_test = true;
        }
    }
}

fn module_of(file: &str) -> Vec<String> {
    let path = file.split_once("src/").map_or(file, |(_, path)| path);
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    let inner = path
        .split('/')
        .filter(|part| !["lib", "main"].contains(part));
    ["crate"]
        .into_iter()
        .chain(inner)
        .map(str::to_owned)
        .collect()
}

fn is_declaration(item: &syn::Item) -> bool {
    matches!(item, syn::Item::Mod(module) if module.content.is_none() || module.ident == "proto")
}

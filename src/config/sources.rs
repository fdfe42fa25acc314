//! The files of a configuration: the one that was named, and the rule files that it names.

use std::{collections::HashMap, fs, path::Path};

use serde_saphyr::Spanned;

use super::{
    fault::{Fault, Faults},
    file::{self, File, Rule, RuleFile, Rules},
};

/// All that was written.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) name: String,
    pub(super) file: File,
    /// Each rule file's name and rules, in the order of the globs and then of the names.
    pub(super) rule_files: Vec<(String, Rules)>,
}

impl Sources {
    /// The file named, and its rule files, which lie relative to it.
    pub(super) fn of(name: &str, file: File) -> Result<Self, Faults> {
        let folder = Path::new(name).parent().unwrap_or(Path::new(""));
        let mut faults = Vec::new();
        let mut rule_files = Vec::new();
        for glob in &file.rule_files {
            for read in expand(name, folder, glob) {
                match read.and_then(|path| rules(&path)) {
                    Ok(rules) => rule_files.push(rules),
                    Err(fault) => faults.push(fault),
                }
            }
        }
        if faults.is_empty() {
            Ok(Self {
                name: name.to_owned(),
                file,
                rule_files,
            })
        } else {
            Err(faults.into())
        }
    }

    /// Every rule with the name of its file.
    pub(super) fn rules(&self) -> impl Iterator<Item = (&str, &Rule)> {
        let own = self.file.rules.iter().map(|rule| (&*self.name, &**rule));
        let others = self
            .rule_files
            .iter()
            .flat_map(|(name, rules)| rules.iter().map(|rule| (&**name, &**rule)));
        own.chain(others)
    }

    /// Where each rule stands, as `rules/pay.yaml:14`, by its id.
    pub(super) fn rule_places(&self) -> HashMap<Box<str>, String> {
        let place = |(file, rule): (&str, &Rule)| {
            let line = rule.id.referenced.line();
            (rule.id.value.as_str().into(), format!("{file}:{line}"))
        };
        self.rules().map(place).collect()
    }
}

/// The files that a glob names; one that names none would silently leave its rules out.
fn expand(name: &str, folder: &Path, glob: &Spanned<String>) -> Vec<Result<String, Fault>> {
    let fault = |message: String| Err(Fault::new(name, glob.referenced, message));
    let pattern = folder.join(&glob.value).display().to_string();
    let paths = match glob::glob(&pattern) {
        Ok(paths) => paths,
        Err(error) => {
            return vec![fault(format!(
                "rule file pattern `{}`: {error}",
                glob.value
            ))];
        }
    };
    let mut found: Vec<_> = paths
        .map(|path| match path {
            Ok(path) => Ok(path.display().to_string()),
            Err(error) => fault(format!("rule file pattern `{}`: {error}", glob.value)),
        })
        .collect();
    if found.is_empty() {
        found.push(fault(format!(
            "`{}` names no file; a rule file that is missing would leave routes open",
            glob.value
        )));
    }
    found
}

fn rules(path: &str) -> Result<(String, Rules), Fault> {
    let text = text(path)?;
    let file: RuleFile = file::parse(path, &text)?;
    Ok((path.to_owned(), file.rules))
}

/// A file's text.
///
/// # Errors
/// It can't be read.
pub fn text(path: &str) -> Result<String, Fault> {
    fs::read_to_string(path).map_err(|error| {
        Fault::new(
            path,
            serde_saphyr::Location::UNKNOWN,
            format!("can't be read: {error}"),
        )
    })
}

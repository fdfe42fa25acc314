//! What a path stands for: `super::` and `self::` by where it is written, and other names by the `use` of its file.
//!
//! Renames are followed, `type` aliases are not: the compiler's own privacy stands behind these laws.

use std::collections::HashMap;

/// A path in its segments; a first segment `::` says that it begins with the name of a crate.
pub(super) type Segments = Vec<String>;

/// The names of one file.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Where the reading stands: `crate`, `domain`, `rule`.
    pub(super) module: Segments,
    known: HashMap<String, Segments>,
}

impl Names {
    /// The names of the file that stands at `module`.
    pub(super) fn new(module: Segments) -> Self {
        Self {
            module,
            known: HashMap::new(),
        }
    }

    /// From here on, `name` stands for `path`.
    pub(super) fn learn(&mut self, name: String, path: Segments) {
        self.known.insert(name, path);
    }

    /// `self::` and `super::` become paths from the crate's root.
    pub(super) fn anchored(&self, path: &[String]) -> Segments {
        let mut base: Option<Segments> = None;
        let mut rest = path.iter().peekable();
        while let Some(first) = rest.next_if(|first| ["self", "super"].contains(&first.as_str())) {
            let from = base.get_or_insert_with(|| self.module.clone());
            if first == "super" {
                from.truncate(from.len().saturating_sub(1).max(1));
            }
        }
        base.into_iter().flatten().chain(rest.cloned()).collect()
    }

    /// The whole path as text, once all names of the file are known. One crate has one name: `std` for `core` and `alloc`,
    /// `crate` for the library's own.
    pub(super) fn resolved(&self, path: &[String]) -> String {
        let mut path = path.to_vec();
        // A chain of renames is short; the bound is for names that stand for themselves.
        for _ in 0..8 {
            let Some(target) = path.first().and_then(|first| self.known.get(first)) else {
                break;
            };
            path.splice(..1, target.iter().cloned());
        }
        path.retain(|segment| segment != "::");
        if let Some(first) = path.first_mut() {
            match first.as_str() {
                "core" | "alloc" => "std".clone_into(first),
                "stepgate" => "crate".clone_into(first),
                _ => {}
            }
        }
        path.join("::")
    }
}

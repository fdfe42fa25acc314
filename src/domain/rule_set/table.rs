//! The rules of one host pattern, found by path and method.

use foldhash::HashMap;
use http::Method;

use super::overlap::overlapping;
use crate::domain::{
    pattern::{Methods, PathPattern, PathRank},
    rule::Rule,
};

/// The rules of one host pattern.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    /// Rules for one path, by that path.
    exact: HashMap<Box<[u8]>, Vec<Entry>>,
    /// The others, by their literal segments before the first wildcard.
    prefixes: HashMap<Box<[u8]>, Vec<Entry>>,
    /// Bytes of the longest key in `prefixes`: a hostile path of a thousand segments costs no more than this deep a look.
    longest_prefix: usize,
}

/// One path pattern of a rule. Entries of one key stand most specific first.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) path: PathPattern,
    methods: Methods,
    /// The rule's place in [`RuleSet::rules`].
    pub(super) rule: usize,
}

impl Table {
    pub(super) fn insert(&mut self, place: usize, rule: &Rule) {
        for path in &rule.paths {
            let entry = Entry {
                path: path.clone(),
                methods: rule.methods.clone(),
                rule: place,
            };
            let prefix = path.literal_prefix();
            let map = if path.is_exact() {
                &mut self.exact
            } else {
                &mut self.prefixes
            };
            self.longest_prefix = self.longest_prefix.max(prefix.len());
            map.entry(prefix).or_default().push(entry);
        }
    }

    pub(super) fn sort(&mut self) {
        for entries in self.exact.values_mut().chain(self.prefixes.values_mut()) {
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.rank()));
        }
    }

    /// Pairs of entries that are equally specific on a request that both match, each with the rule written first in front.
    pub(super) fn ties(&self) -> impl Iterator<Item = (&Entry, &Entry)> {
        let groups = self.exact.values().chain(self.prefixes.values());
        groups
            .flat_map(|entries| overlapping(entries))
            .filter(|(a, b)| a.ties(b))
    }

    /// The place of the most specific rule that counts.
    pub(super) fn find(
        &self,
        reading: &[u8],
        method: &Method,
        counts: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut entries = self.along(reading);
        entries
            .find(|entry| {
                entry.methods.matches(method) && entry.path.matches(reading) && counts(entry.rule)
            })
            .map(|entry| entry.rule)
    }

    /// The entries whose literal segments are the start of this path, or all of it: no other can match it. The exact path
    /// first, then ever fewer of its leading segments.
    pub(super) fn along(&self, path: &[u8]) -> impl Iterator<Item = &Entry> {
        let exact = self.exact.get(path).into_iter();
        let short = leading(path).skip_while(|prefix| prefix.len() > self.longest_prefix);
        let prefixes = short.filter_map(|prefix| self.prefixes.get(prefix));
        exact.chain(prefixes).flatten()
    }

    /// All of them; a rule that has several patterns stands in several.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.exact.values().chain(self.prefixes.values()).flatten()
    }
}

/// The reading itself, then without its last segment, and so on down to nothing.
fn leading(reading: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(Some(reading), |path| {
        let slash = path.iter().rposition(|&b| b == b'/')?;
        path.get(..slash)
    })
}

impl Entry {
    fn rank(&self) -> (PathRank, bool) {
        (self.path.rank(), self.methods.is_listed())
    }

    /// Of two that overlap: whether neither is more specific.
    fn ties(&self, other: &Self) -> bool {
        self.path.rank() == other.path.rank() && self.methods.ties(&other.methods)
    }
}

//! The rules of one host pattern, found by path and method.

use foldhash::HashMap;
use http::Method;

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

    /// Pairs of entries that are equally specific on a request that both match.
    pub(super) fn ties(&self) -> impl Iterator<Item = (&Entry, &Entry)> {
        let groups = self.exact.values().chain(self.prefixes.values());
        groups
            .flat_map(|entries| pairs(entries))
            .filter(|(a, b)| a.ties(b))
    }

    /// The place of the most specific rule that counts. The exact path first, then ever fewer of its leading segments.
    pub(super) fn find(
        &self,
        reading: &[u8],
        method: &Method,
        counts: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let exact = self.exact.get(reading).into_iter();
        let short = leading(reading).skip_while(|prefix| prefix.len() > self.longest_prefix);
        let prefixes = short.filter_map(|prefix| self.prefixes.get(prefix));
        let mut entries = exact.chain(prefixes).flatten();
        entries
            .find(|entry| {
                entry.methods.matches(method) && entry.path.matches(reading) && counts(entry.rule)
            })
            .map(|entry| entry.rule)
    }
}

/// Every two of them, once.
fn pairs(entries: &[Entry]) -> impl Iterator<Item = (&Entry, &Entry)> {
    let behind = |at: usize| entries.iter().skip(at).skip(1);
    entries
        .iter()
        .enumerate()
        .flat_map(move |(at, a)| behind(at).map(move |b| (a, b)))
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

    fn ties(&self, other: &Self) -> bool {
        self.rule != other.rule
            && self.path.rank() == other.path.rank()
            && self.methods.ties(&other.methods)
            && self.path.overlaps(&other.path)
    }
}

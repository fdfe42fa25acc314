//! Any YAML, found by dotted paths.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{Location, Spanned};

/// A value and where it stands.
pub(super) type Placed<'a> = (&'a str, Location);

/// A document, or a part of one.
#[derive(Debug)]
pub(super) enum Tree {
    Map(BTreeMap<String, Spanned<Tree>>),
    List(Vec<Spanned<Tree>>),
    /// A text, or a number or boolean as one; empty for `null`.
    Leaf(String),
}

impl Tree {
    /// What stands at a dotted path.
    pub(super) fn at(&self, path: &str) -> Option<&Spanned<Self>> {
        let (key, rest) = path
            .split_once('.')
            .map_or((path, None), |(key, rest)| (key, Some(rest)));
        let Self::Map(map) = self else { return None };
        let found = map.get(key)?;
        rest.map_or(Some(found), |rest| found.value.at(rest))
    }

    /// The text at a path; none where it is empty.
    pub(super) fn text(&self, path: &str) -> Option<Placed<'_>> {
        let found = self.at(path)?;
        match &found.value {
            Self::Leaf(text) if !text.is_empty() => Some((text, found.referenced)),
            _ => None,
        }
    }

    /// The elements of the list at a path.
    pub(super) fn list(&self, path: &str) -> &[Spanned<Self>] {
        match self.at(path).map(|found| &found.value) {
            Some(Self::List(list)) => list,
            _ => &[],
        }
    }

    /// Whether `true` stands at a path.
    pub(super) fn is_on(&self, path: &str) -> bool {
        self.text(path).is_some_and(|(text, _)| text == "true")
    }

    /// The place of a path or, where it is left out, of what it would stand in.
    pub(super) fn place(&self, path: &str) -> Location {
        let own = self.at(path).map(|found| found.referenced);
        let above = || path.rsplit_once('.').map(|(above, _)| self.place(above));
        own.or_else(above).unwrap_or(Location::UNKNOWN)
    }

    /// Every key of this name with its dotted path and its text, wherever it stands.
    pub(super) fn everywhere(&self, name: &str) -> Vec<(String, Placed<'_>)> {
        let mut found = Vec::new();
        self.gather(name, "", &mut found);
        found
    }

    fn gather<'a>(&'a self, name: &str, above: &str, found: &mut Vec<(String, Placed<'a>)>) {
        match self {
            Self::Leaf(_) => {}
            Self::List(list) => list
                .iter()
                .for_each(|one| one.value.gather(name, above, found)),
            Self::Map(map) => {
                for (key, value) in map {
                    let path = if above.is_empty() {
                        key.clone()
                    } else {
                        format!("{above}.{key}")
                    };
                    match &value.value {
                        Self::Leaf(text) if key == name => {
                            found.push((path, (text, value.referenced)));
                        }
                        deeper => deeper.gather(name, &path, found),
                    }
                }
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;
        impl<'de> Visitor<'de> for Anything {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("YAML")
            }

            fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
                Ok(Tree::Leaf(text.to_owned()))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
                Ok(Tree::Leaf(value.to_string()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
                Ok(Tree::Leaf(value.to_string()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
                Ok(Tree::Leaf(value.to_string()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
                Ok(Tree::Leaf(value.to_string()))
            }

            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree::Leaf(String::new()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = list.next_element()? {
                    all.push(one);
                }
                Ok(Tree::List(all))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
                let mut all = BTreeMap::new();
                while let Some((key, value)) = map.next_entry()? {
                    all.insert(key, value);
                }
                Ok(Tree::Map(all))
            }
        }
        deserializer.deserialize_any(Anything)
    }
}

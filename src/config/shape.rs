//! Values that may be written in two ways.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_saphyr::Spanned;

use crate::domain::claim::Scalar;

/// A text, or a list of texts.
#[derive(Debug)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<Spanned<String>>),
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a pattern or a list of patterns")
            }

            fn visit_str<E>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(text.to_owned()))
            }

            // Numbers and booleans are none of the words; as text they are refused where their place is known.
            fn visit_bool<E>(self, value: bool) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(value.to_string()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(value.to_string()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(value.to_string()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(value.to_string()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(OneOrMany::Many(texts))
            }
        }
        deserializer.deserialize_any(Texts)
    }
}

/// A word that may be a boolean: where a key says `off`, `false` is the same.
#[derive(Debug)]
pub(super) struct Word(pub(super) String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyWord;
        impl Visitor<'_> for AnyWord {
            type Value = Word;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word")
            }

            fn visit_str<E>(self, text: &str) -> Result<Word, E> {
                Ok(Word(text.to_owned()))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Word, E> {
                Ok(Word(if value { "on" } else { "off" }.to_owned()))
            }
        }
        deserializer.deserialize_any(AnyWord)
    }
}

/// A value that identities are held against: text, a whole number or a boolean.
#[derive(Debug)]
pub(super) struct Value(pub(super) Scalar);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyScalar;
        impl Visitor<'_> for AnyScalar {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a whole number or a boolean")
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value(Scalar::Text(text.into())))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(Value(Scalar::Bool(value)))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(Value(Scalar::Number(value.to_string().into())))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(Value(Scalar::Number(value.to_string().into())))
            }
        }
        deserializer.deserialize_any(AnyScalar)
    }
}

/// What a rule requires: a word, or a demand in full.
#[derive(Debug)]
pub(super) enum Require {
    Word(String),
    Demand(Box<Demand>),
}

/// `{aal, max_age, factors, identity}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Demand {
    pub(super) aal: Option<Spanned<String>>,
    pub(super) max_age: Option<Spanned<String>>,
    pub(super) factors: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    pub(super) identity: BTreeMap<String, Spanned<Vec<Value>>>,
}

impl<'de> Deserialize<'de> for Require {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Requirement;
        impl<'de> Visitor<'de> for Requirement {
            type Value = Require;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`none`, `session`, `aal2`, `deny`, or a map such as `{aal: aal2, max_age: 5m}`")
            }

            fn visit_str<E>(self, text: &str) -> Result<Require, E> {
                Ok(Require::Word(text.to_owned()))
            }

            // Numbers and booleans are none of the words; as text they are refused where their place is known.
            fn visit_bool<E>(self, value: bool) -> Result<Require, E> {
                Ok(Require::Word(value.to_string()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Require, E> {
                Ok(Require::Word(value.to_string()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Require, E> {
                Ok(Require::Word(value.to_string()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Require, E> {
                Ok(Require::Word(value.to_string()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Require, A::Error> {
                Demand::deserialize(MapAccessDeserializer::new(map))
                    .map(|demand| Require::Demand(Box::new(demand)))
            }
        }
        deserializer.deserialize_any(Requirement)
    }
}

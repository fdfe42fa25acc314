//! Values that may be written in two ways.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_saphyr::Spanned;

use super::forms;
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

/// A demand in full: all of it must hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Demand {
    /// The least level.
    #[schemars(with = "Option<forms::Aal>", extend("default" = "aal2"))]
    pub(super) aal: Option<Spanned<String>>,
    /// How old the second factor may be. Left out, of any age.
    #[schemars(with = "Option<forms::Time>")]
    pub(super) max_age: Option<Spanned<String>>,
    /// Which second factors count. Left out, any.
    #[schemars(with = "Option<Vec<forms::Factor>>", length(min = 1))]
    pub(super) factors: Option<Spanned<Vec<Spanned<String>>>>,
    /// What the identity must be: for each JSON pointer into the Kratos identity the values of which one must stand there,
    /// or be an element of the list there. Text is never a number. People edit their own `traits`, so point at
    /// `/metadata_public/…`, which only you write.
    #[serde(default)]
    #[schemars(with = "BTreeMap<forms::Pointer, Values>")]
    pub(super) identity: BTreeMap<String, Spanned<Vec<Value>>>,
}

/// At least one value.
#[derive(Debug)]
enum Values {}

impl JsonSchema for Values {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Values".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let value = json_schema!({ "type": ["string", "integer", "boolean"] });
        json_schema!({ "type": "array", "items": value, "minItems": 1 })
    }
}

impl JsonSchema for Require {
    fn schema_name() -> Cow<'static, str> {
        "Require".into()
    }

    /// `max_age` and `factors` are about the second factor, so they don't go with `aal: aal1`.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let word = generator.subschema_for::<forms::RequireWord>();
        let mut demand = generator.subschema_for::<Demand>();
        let first_factor_only = json_schema!({
            "properties": { "aal": { "const": "aal1" } },
            "required": ["aal"],
        });
        demand.insert("if".to_owned(), first_factor_only.into());
        let without = json_schema!({ "properties": { "max_age": false, "factors": false } });
        demand.insert("then".to_owned(), without.into());
        json_schema!({ "anyOf": [word, demand] })
    }
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

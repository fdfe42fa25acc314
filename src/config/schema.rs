//! The JSON Schema of the configuration: made from the shapes of the file, for editors and for whoever writes one by
//! program.
//!
//! It accepts what loads, as far as a schema can say it: that ids are unique, that origins don't clash or that a file
//! exists is for the load to tell. In one thing it asks for more: a key without a value, which loads as if it were left out.

use schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::Value;

use super::file::{File, RuleFile};

/// The schema of a configuration.
#[must_use]
pub fn configuration() -> Value {
    of::<File>()
}

/// The schema of a file that `rule_files` names.
#[must_use]
pub fn rules() -> Value {
    of::<RuleFile>()
}

/// Draft 7 without references, which every editor reads.
fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.inline_subschemas = true;
        settings
            .transforms
            .push(Box::new(RecursiveTransform(plain)));
    });
    settings.into_generator().into_root_schema_for::<T>().into()
}

/// Takes out what helps nobody: `null`, the widths of numbers, and the line ends of comments.
fn plain(schema: &mut Schema) {
    schema.remove("format");
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = joined(text);
    }
    let is_null = |value: &Value| value.is_null() || value == "null" || value["type"] == "null";
    for key in ["type", "enum", "anyOf"] {
        if let Some(Value::Array(some)) = schema.get_mut(key) {
            some.retain(|value| !is_null(value));
        }
    }
    if let Some(Value::Array(types)) = schema.get_mut("type")
        && let [only] = types.as_mut_slice()
    {
        let only = only.take();
        schema.insert("type".to_owned(), only);
    }
    flatten(schema);
}

/// A choice of one is none.
fn flatten(schema: &mut Schema) {
    let Some(Value::Array(some)) = schema.get_mut("anyOf") else {
        return;
    };
    if let [Value::Object(only)] = some.as_mut_slice() {
        let only = std::mem::take(only);
        schema.remove("anyOf");
        for (key, value) in only {
            if schema.get(&key).is_none() {
                schema.insert(key, value);
            }
        }
    }
}

/// One line a paragraph.
fn joined(text: &str) -> String {
    let paragraphs = text.split("\n\n");
    paragraphs
        .map(|lines| lines.replace('\n', " "))
        .collect::<Vec<_>>()
        .join("\n\n")
}

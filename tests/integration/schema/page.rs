//! `docs/configuration.md`: its tables are made from the schema's own descriptions.

use std::fmt::Write;

use serde_json::Value;
use stepgate::config::schema;

use super::read;
use crate::cases::files::hold;

const PAGE: &str = "docs/configuration.md";
/// The files that an operator starts from.
pub(super) const FILES: [&str; 2] = ["demo/stepgate.yaml", "envoy/compose/stepgate.yaml"];
/// In front of a table, with the part of the schema that it tells of.
const START: &str = "<!-- keys of ";
const END: &str = "<!-- end of keys -->\n";

/// Every configuration that an operator starts from, by its file.
pub(super) fn examples() -> Vec<(String, String)> {
    let of_page = |page: &str| {
        let text = read(page);
        let parts: Vec<_> = text
            .split("```yaml\n")
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap().to_owned())
            .collect();
        parts
            .into_iter()
            .filter(|yaml| yaml.starts_with("kratos:"))
            .map(|yaml| (page.to_owned(), yaml))
            .collect::<Vec<_>>()
    };
    let pages = ["README.md", PAGE, "docs/rules.md", "docs/http-door.md"];
    let files = FILES.map(|file| (file.to_owned(), read(file)));
    pages.into_iter().flat_map(of_page).chain(files).collect()
}

#[test]
fn the_tables_of_the_page_are_those_of_the_schema() {
    let page = read(PAGE);
    let mut parts = page.split(START);
    let mut made = parts.next().unwrap().to_owned();
    for part in parts {
        let (head, rest) = part.split_once(" -->\n").unwrap();
        let behind = rest.split_once(END).unwrap().1;
        let table = table(head);
        write!(made, "{START}{head} -->\n{table}{END}{behind}").unwrap();
    }
    hold(PAGE, &made);
}

#[test]
fn every_key_is_in_the_page() {
    let page = read(PAGE);
    let parts = page.split(START).skip(1);
    let told: Vec<_> = parts
        .map(|part| part.split_once(" -->").unwrap().0.to_owned())
        .collect();
    // `default` takes what `require` does, which is told there.
    let all = keys(&schema::configuration(), "").into_iter();
    for (above, key) in all.filter(|(above, _)| above != "default") {
        let pointer = if above.is_empty() {
            key.clone()
        } else {
            format!("{above}.{key}")
        };
        // One door's TLS is as another's.
        let pointer = pointer
            .replace("http.tls.", "grpc.tls.")
            .replace("admin.tls.", "grpc.tls.");
        let is_told = told.iter().any(|head| names(head).contains(&pointer));
        assert!(is_told, "no table of {PAGE} tells of `{pointer}`");
    }
}

#[test]
fn every_key_says_what_it_means() {
    for (above, key) in keys(&schema::configuration(), "") {
        let schema = find(&format!("{above}.{key}"));
        let description = at(&schema, "description").as_str().unwrap_or_default();
        assert!(
            description.len() > 10 && description.ends_with('.'),
            "{above}.{key}: {description:?}"
        );
        assert!(
            !description.contains('|') || description.contains('`'),
            "{above}.{key}"
        );
    }
}

/// The keys that a table tells of: `rules[]: id match require`.
fn names(head: &str) -> Vec<String> {
    let (above, keys) = head.split_once(':').unwrap();
    let above = if above == "the file" {
        String::new()
    } else {
        format!("{above}.")
    };
    keys.split_whitespace()
        .map(|key| format!("{above}{key}"))
        .collect()
}

fn table(head: &str) -> String {
    let mut rows = "| key | default | meaning |\n| --- | --- | --- |\n".to_owned();
    for (name, key) in names(head)
        .iter()
        .zip(head.split_once(':').unwrap().1.split_whitespace())
    {
        let schema = find(name);
        let name = key.to_owned();
        let bounds = bounds(&schema);
        let description = at(&schema, "description")
            .as_str()
            .unwrap()
            .replace('|', "\\|");
        let default = default(name.rsplit('.').next().unwrap(), &schema, head);
        writeln!(rows, "| `{name}` | {default} | {description}{bounds} |").unwrap();
    }
    rows
}

fn default(key: &str, schema: &Value, head: &str) -> String {
    let above = head.split_once(':').unwrap().0;
    let parent = if above == "the file" {
        schema::configuration()
    } else {
        find(above)
    };
    let key = Value::from(key);
    let is_required = at(&parent, "required")
        .as_array()
        .is_some_and(|keys| keys.contains(&key));
    match at(schema, "default") {
        _ if is_required => "**required**".to_owned(),
        Value::Null => String::new(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| format!("`{key}: {}`", value.as_str().unwrap()))
            .collect::<Vec<_>>()
            .join(", "),
        Value::Array(list) => format!(
            "`[{}]`",
            list.iter()
                .map(|one| one.as_str().unwrap())
                .collect::<Vec<_>>()
                .join(", ")
        ),
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

/// What a number may be, and which words there are where the description doesn't name them.
fn bounds(schema: &Value) -> String {
    let choices = [at(schema, "enum"), at(at(schema, "items"), "enum")];
    let words = choices
        .iter()
        .filter_map(|choice| choice.as_array())
        .flatten()
        .filter_map(Value::as_str);
    let description = at(schema, "description").as_str().unwrap();
    let words: Vec<_> = words.map(|word| format!("`{word}`")).collect();
    let is_told = words.iter().all(|word| description.contains(word));
    match (
        at(schema, "minimum").as_u64(),
        at(schema, "maximum").as_u64(),
    ) {
        (Some(least), Some(most)) if most < u64::from(u32::MAX) => {
            format!(" From {least} to {most}.")
        }
        (Some(least), _) => format!(" At least {least}."),
        _ if !is_told && at(schema, "items").is_object() => format!(" Of {}.", words.join(", ")),
        _ if !is_told => format!(" One of {}.", words.join(", ")),
        _ => String::new(),
    }
}

/// The schema of a key: `kratos.<name>.cache.ttl`, `rules[].id`.
fn find(path: &str) -> Value {
    let mut schema = schema::configuration();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let (key, is_list) = part
            .strip_suffix("[]")
            .map_or((part, false), |key| (key, true));
        schema = if key == "<name>" {
            at(&schema, "patternProperties")
                .as_object()
                .unwrap()
                .values()
                .next()
                .unwrap()
                .clone()
        } else {
            at(at(&inner(&schema), "properties"), key).clone()
        };
        assert!(schema.is_object(), "{path} is no key");
        if is_list {
            schema = at(&schema, "items").clone();
        }
    }
    schema
}

/// What stands under a key; `null` for nothing.
fn at<'a>(schema: &'a Value, key: &str) -> &'a Value {
    schema.get(key).unwrap_or(&Value::Null)
}

/// Of a choice, the map.
fn inner(schema: &Value) -> Value {
    let choices = at(schema, "anyOf").as_array().into_iter().flatten();
    choices
        .into_iter()
        .find(|choice| at(choice, "properties").is_object())
        .unwrap_or(schema)
        .clone()
}

/// Every key that holds a value of its own, with the path of what it stands in.
fn keys(schema: &Value, above: &str) -> Vec<(String, String)> {
    let schema = &inner(schema);
    let mut all = Vec::new();
    let properties = at(schema, "properties").as_object().into_iter().flatten();
    for (key, value) in properties {
        let path = if above.is_empty() {
            key.clone()
        } else {
            format!("{above}.{key}")
        };
        let deeper = match (at(value, "items"), at(value, "patternProperties")) {
            (items, _) if at(&inner(items), "properties").is_object() => {
                keys(items, &format!("{path}[]"))
            }
            (_, Value::Object(patterns)) => patterns
                .values()
                .flat_map(|value| keys(value, &format!("{path}.<name>")))
                .collect(),
            _ => keys(value, &path),
        };
        if deeper.is_empty() || at(value, "anyOf").is_array() {
            all.push((above.to_owned(), key.clone()));
        }
        all.extend(deeper);
    }
    all
}

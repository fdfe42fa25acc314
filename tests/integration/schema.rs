//! The schema is that of the types, accepts what loads and no more, and tells of every key what it means.

mod page;
mod values;

use std::{fs, path::PathBuf, sync::LazyLock};

use jsonschema::Validator;
use serde_json::{Value, json};
use serde_saphyr::Options;
use stepgate::config::{Config, schema};

use crate::cases::files::hold;

/// Where a load must look further than a schema can: whether files are there, what else is in the configuration, and how far
/// a number may go within a text.
const BEYOND: [&str; 15] = [
    "/context/ignore",
    "/kratos/ciam/api_url",
    "/kratos/ciam/browser_url",
    "/kratos/ciam/origins",
    "/kratos/ciam/ca_file",
    "/rule_files",
    "/rules/0/match/host",
    "/rules/0/return_to",
    "/rules/0/match",
    "/rules/1/match",
    "/secret/file",
    "/servers/admin/listen",
    "/servers/grpc/listen",
    "/servers/http/listen",
    "/servers/http/trusted_proxies",
];

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn read(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn of_yaml(text: &str) -> Value {
    let mut options = Options::default();
    options.strict_booleans = true;
    serde_saphyr::from_str_with_options(text, options).unwrap()
}

fn accepts(value: &Value) -> bool {
    static VALIDATOR: LazyLock<Validator> =
        LazyLock::new(|| jsonschema::draft7::new(&schema::configuration()).unwrap());
    VALIDATOR.is_valid(value)
}

/// A configuration with every key.
fn whole() -> Value {
    json!({
        "kratos": { "ciam": {
            "api_url": "http://k.test", "browser_url": "https://ciam.b.test/k", "origins": ["https://a.test", "https://*.a.test"],
            "cookie": "c", "timeout": "1s", "refresh": "always", "credentials": ["cookie"], "enrolment": "detect",
            "settings": "enrol_first",
            "max_in_flight": 64, "cache": { "ttl": "1s", "capacity": 10 }, "signed_out": "verify", "health": "/ready",
        } },
        "default": "none",
        "rules": [
            { "id": "a", "match": { "path": ["/a"], "host": "a.test", "methods": ["POST"] },
              "require": { "aal": "aal2", "max_age": "5m", "factors": ["totp"], "identity": { "/a": ["x", 1, true] } },
              "mode": "shadow", "return_to": "/a", "resume": true, "cache": "off" },
            { "id": "b", "match": { "path": "/b", "host": ["b.a.test"] }, "require": "session" },
        ],
        "rule_files": [],
        "upstream_headers": { "X-A": "identity.id" },
        "context": { "ignore": ["x"] },
        "paths": { "case": "sensitive", "semicolon": "reject" },
        "servers": {
            "grpc": { "listen": "unix:/run/grpc.sock", "socket_mode": "0660", "max_connections": 10 },
            "http": { "listen": "[::1]:0", "socket_mode": "600", "max_connections": 10, "trusted_proxies": ["10.0.0.0/8", "::1"] },
            "admin": { "listen": "127.0.0.1:0", "socket_mode": "0600", "max_connections": 10 },
        },
        "log": { "level": "info", "format": "json" },
        "workers": 2,
        "drain": "5s",
        "secret": {},
    })
}

#[test]
fn the_schemas_are_those_of_the_types() {
    hold(
        "schema/stepgate.schema.json",
        &format!("{:#}\n", schema::configuration()),
    );
    hold(
        "schema/rules.schema.json",
        &format!("{:#}\n", schema::rules()),
    );
}

#[test]
fn the_schemas_are_schemas() {
    assert!(jsonschema::draft7::meta::is_valid(&schema::configuration()));
    assert!(jsonschema::draft7::meta::is_valid(&schema::rules()));
}

#[test]
fn every_example_is_valid() {
    for (file, text) in page::examples() {
        let errors: Vec<_> = jsonschema::draft7::new(&schema::configuration())
            .unwrap()
            .iter_errors(&of_yaml(&text))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{file}: {errors:?}");
    }
}

#[test]
fn nothing_in_an_example_is_hardly_meant() {
    for file in page::FILES {
        assert_eq!(Config::parse(file, &read(file)).unwrap().warnings, []);
    }
}

#[test]
fn examples_name_the_schema_for_editors() {
    for file in page::FILES {
        let text = read(file);
        let line = text.lines().next().unwrap();
        let schema = line
            .strip_prefix("# yaml-language-server: $schema=")
            .unwrap();
        let schema = path(file).parent().unwrap().join(schema);
        assert!(schema.exists(), "{file}: {}", schema.display());
    }
}

#[test]
fn an_unknown_key_is_invalid_wherever_it_stands() {
    assert!(accepts(&whole()));
    let objects = pointers(&whole());
    let objects = objects
        .iter()
        .filter(|pointer| whole().pointer(pointer).unwrap().is_object());
    // Where names are the operator's own, any well-formed one will do.
    let own = ["/kratos", "/upstream_headers", "/rules/0/require/identity"];
    for pointer in objects.filter(|pointer| !own.contains(&pointer.as_str())) {
        let mut other = whole();
        let object = other.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        object.insert("unknown".to_owned(), json!("x"));
        assert!(!accepts(&other), "{pointer}");
        assert!(loads(&other).is_err(), "{pointer}");
    }
}

#[test]
fn what_must_be_given_is_required() {
    for key in [
        "/kratos",
        "/default",
        "/kratos/ciam/api_url",
        "/kratos/ciam/browser_url",
        "/kratos/ciam/origins",
        "/rules/0/id",
        "/rules/0/match",
        "/rules/0/require",
        "/servers/http/listen",
    ] {
        let mut other = whole();
        let (above, name) = key.rsplit_once('/').unwrap();
        other
            .pointer_mut(above)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(name);
        assert!(!accepts(&other), "{key}");
        assert!(loads(&other).is_err(), "{key}");
    }
}

#[test]
fn the_schema_accepts_what_loads_and_little_else() {
    let mut misses = Vec::new();
    for pointer in pointers(&whole()) {
        let is_beyond = BEYOND.iter().any(|beyond| pointer.starts_with(beyond));
        for value in values::all() {
            let mut other = whole();
            *other.pointer_mut(&pointer).unwrap() = value.clone();
            let (is_accepted, loaded) = (accepts(&other), loads(&other));
            if is_accepted != loaded.is_ok() && !(is_accepted && is_beyond) {
                misses.push(format!(
                    "{pointer} = {value}: accepted {is_accepted}, but {loaded:?}"
                ));
            }
        }
    }
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}

/// Whether it loads, else why not. JSON is YAML.
fn loads(value: &Value) -> Result<(), String> {
    Config::parse("c.yaml", &value.to_string())
        .map(drop)
        .map_err(|faults| faults.to_string())
}

/// Every place in a document but its root.
fn pointers(value: &Value) -> Vec<String> {
    let deeper = |key: String, value: &Value| {
        let mut all = vec![format!("/{key}")];
        all.extend(pointers(value).iter().map(|rest| format!("/{key}{rest}")));
        all
    };
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| deeper(key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .flat_map(|(at, value)| deeper(at.to_string(), value))
            .collect(),
        _ => Vec::new(),
    }
}

//! What a real Envoy sends: the requests in `tests/captures/`, loaded. The README there tells of each field.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::Value;

/// One downstream request, and the check that Envoy made of it.
#[derive(Debug)]
pub(crate) struct Capture {
    /// The file's name without `.json`: `01-h1-get-cookie`.
    pub(crate) name: String,
    /// The exact bytes of the `CheckRequest`; none where Envoy answered without asking.
    pub(crate) check_request: Option<Bytes>,
    /// The same message in protobuf JSON; `Null` where there is none.
    pub(crate) expected: Value,
}

/// Every capture, in the order of their numbers.
pub(crate) fn all() -> Vec<Capture> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures");
    let entries = fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let mut captures: Vec<Capture> = entries
        .map(|entry| {
            entry
                .unwrap_or_else(|e| panic!("{}: {e}", dir.display()))
                .path()
        })
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| load(&path))
        .collect();
    captures.sort_by(|a, b| a.name.cmp(&b.name));
    captures
}

fn load(path: &Path) -> Capture {
    let fail = |what: &dyn std::fmt::Display| -> ! { panic!("{}: {what}", path.display()) };
    let text = fs::read(path).unwrap_or_else(|e| fail(&e));
    let mut json: Value = serde_json::from_slice(&text).unwrap_or_else(|e| fail(&e));
    let Some(name) = json.get("name").and_then(Value::as_str).map(str::to_owned) else {
        fail(&"the capture has no name")
    };
    let check_request = json
        .get("check_request_b64")
        .and_then(Value::as_str)
        .map(|base64| STANDARD.decode(base64).unwrap_or_else(|e| fail(&e)).into());
    let expected = json
        .get_mut("check_request")
        .map(Value::take)
        .unwrap_or_default();
    Capture {
        name,
        check_request,
        expected,
    }
}

#[test]
fn every_capture_loads_under_the_name_of_its_file() {
    let captures = all();
    assert_eq!(captures.len(), 67);
    for (number, capture) in (1..).zip(&captures) {
        assert!(
            capture.name.starts_with(&format!("{number:02}-")),
            "{}",
            capture.name
        );
        let file = format!(
            "{}/tests/captures/{}.json",
            env!("CARGO_MANIFEST_DIR"),
            capture.name
        );
        assert!(Path::new(&file).is_file(), "{file}");
    }
}

#[test]
fn envoy_answers_seven_requests_without_a_check() {
    let captures = all();
    let alone: Vec<&str> = captures
        .iter()
        .filter(|capture| capture.check_request.is_none())
        .map(|capture| capture.name.as_str())
        .collect();
    assert_eq!(
        alone,
        [
            "15-path-escaped-slash-hardened",
            "17-path-fragment-h1",
            "18-path-fragment-h2",
            "37-huge-cookie-limit",
            "45-per-route-disabled",
            "61-cors-preflight-behind-cors-filter",
            "67-many-cookies-h2",
        ]
    );
}

#[test]
fn bytes_and_json_of_a_capture_are_one_message() {
    for capture in all() {
        let Some(bytes) = &capture.check_request else {
            assert_eq!(capture.expected, Value::Null, "{}", capture.name);
            continue;
        };
        let http = &capture.expected["attributes"]["request"]["http"];
        for field in ["id", "method", "path", "host"] {
            let text = http[field].as_str().unwrap_or_default().as_bytes();
            let found = text.is_empty() || bytes.windows(text.len()).any(|window| window == text);
            assert!(found, "{}: `{field}` is not in the bytes", capture.name);
        }
    }
}

//! The part of RFC 6902 that Kratos' admins use: add, replace, remove and test of object members.

use serde_json::Value;

/// Applies `operations` to `document`, all or up to the first that fails.
///
/// # Errors
///
/// What an operation lacks, or which path isn't there.
pub(super) fn apply(document: &mut Value, operations: &Value) -> Result<(), String> {
    let Some(operations) = operations.as_array() else {
        return Err(String::from("a JSON patch is an array of operations"));
    };
    operations
        .iter()
        .try_for_each(|operation| apply_one(document, operation))
}

fn apply_one(document: &mut Value, operation: &Value) -> Result<(), String> {
    let text = |name: &str| {
        operation
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (kind, path) = (text("op"), text("path"));
    let value = operation.get("value").cloned().unwrap_or_default();
    let unknown = || format!("error in {kind} for path: {path:?}: missing value");
    let (parent, key) = path.rsplit_once('/').ok_or_else(unknown)?;
    let key = key.replace("~1", "/").replace("~0", "~");
    let members = document
        .pointer_mut(parent)
        .and_then(Value::as_object_mut)
        .ok_or_else(unknown)?;
    match kind {
        "add" => drop(members.insert(key, value)),
        "replace" => *members.get_mut(&key).ok_or_else(unknown)? = value,
        "remove" => drop(members.shift_remove(&key).ok_or_else(unknown)?),
        "test" if members.get(&key) == Some(&value) => {}
        "test" => return Err(format!("testing value {path} failed")),
        _ => return Err(format!("unexpected kind: {kind}")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_added_replaced_and_removed() {
        let mut document = json!({ "state": "active", "traits": { "email": "a@example.test" } });
        let operations = json!([
            { "op": "test", "path": "/state", "value": "active" },
            { "op": "replace", "path": "/state", "value": "inactive" },
            { "op": "add", "path": "/traits/role", "value": "x" },
            { "op": "remove", "path": "/traits/email" },
        ]);
        apply(&mut document, &operations).unwrap();
        assert_eq!(
            document,
            json!({ "state": "inactive", "traits": { "role": "x" } })
        );
    }

    #[test]
    fn a_path_that_is_not_there_fails() {
        let mut document = json!({});
        let operations = json!([{ "op": "replace", "path": "/a", "value": 1 }]);
        assert!(apply(&mut document, &operations).is_err());
    }
}

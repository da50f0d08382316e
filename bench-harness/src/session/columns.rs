//! Lists of like objects, turned into an object of lists and back: each key is written once instead of once per entry.
//!
//! A list stands for itself, an object for the columns of a list of objects with the same keys. Turning goes down into
//! columns that are objects themselves. Exactly invertible: what cannot be turned stays a list.

use serde_json::{Map, Value};

/// A list as columns where its entries are alike, as itself where they are not.
pub(super) fn turned(entries: Vec<Value>) -> Value {
    let Some(keys) = common_keys(&entries) else { return Value::Array(entries) };
    let mut columns: Map<String, Value> = Map::new();
    let mut objects: Vec<_> = entries.into_iter().map(into_object).collect();
    for key in keys {
        let column = objects.iter_mut().map(|object| object.remove(&key).unwrap_or(Value::Null)).collect();
        columns.insert(key, turned(column));
    }
    Value::Object(columns)
}

/// The list that [`turned`] was given.
///
/// # Errors
/// The columns are of unequal length, or it is neither a list nor columns.
pub(super) fn turned_back(value: Value) -> Result<Vec<Value>, String> {
    let columns = match value {
        Value::Array(entries) => return Ok(entries),
        Value::Object(columns) if columns.is_empty() => return Err("there are no columns".to_owned()),
        Value::Object(columns) => columns,
        other => return Err(format!("expected a list or columns, not `{other}`")),
    };
    let mut entries: Option<Vec<Map<String, Value>>> = None;
    for (key, column) in columns {
        let column =
            turned_back(column).map_err(|reason| format!("column `{}`: {reason}", key.escape_debug()))?;
        let entries = entries.get_or_insert_with(|| vec![Map::new(); column.len()]);
        if entries.len() != column.len() {
            let (key, expected, found) = (key.escape_debug(), entries.len(), column.len());
            return Err(format!("column `{key}` has {found} entries, the ones before it {expected}"));
        }
        for (entry, value) in entries.iter_mut().zip(column) {
            entry.insert(key.clone(), value);
        }
    }
    Ok(entries.unwrap_or_default().into_iter().map(Value::Object).collect())
}

/// The keys that all entries have, if all are objects with the same keys and at least one.
fn common_keys(entries: &[Value]) -> Option<Vec<String>> {
    let first = entries.first()?.as_object().filter(|object| !object.is_empty())?;
    let is_alike = |entry: &Value| {
        entry.as_object().is_some_and(|object| object.len() == first.len() && object.keys().eq(first.keys()))
    };
    entries.iter().all(is_alike).then(|| first.keys().cloned().collect())
}

fn into_object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn like_objects_become_columns_all_the_way_down() {
        let entries = vec![
            json!({"round": 0, "cost": {"mean": 1.5, "busy": null}, "clients": [1, 2]}),
            json!({"round": 1, "cost": {"mean": 2.5, "busy": 7}, "clients": [3, 4]}),
        ];
        let columns = json!({"round": [0, 1], "cost": {"mean": [1.5, 2.5], "busy": [null, 7]}, "clients": [[1, 2], [3, 4]]});
        assert_eq!(turned(entries.clone()), columns);
        assert_eq!(turned_back(columns), Ok(entries));
    }

    #[test]
    fn what_is_unlike_stays_a_list() {
        for entries in
            [json!([]), json!([1, 2]), json!([{}, {}]), json!([{"a": 1}, {"b": 1}]), json!([{"a": 1}, null])]
        {
            let Value::Array(list) = entries.clone() else { unreachable!("all are lists") };
            assert_eq!(turned(list), entries);
        }
    }

    #[test]
    fn columns_that_do_not_fit_together_are_named() {
        let refused = |value: Value| turned_back(value).unwrap_err();
        assert_eq!(refused(json!({"a": [1, 2], "b": [1]})), "column `b` has 1 entries, the ones before it 2");
        assert!(refused(json!({"a": [1], "b": {"c": [1, 2]}})).contains("column `b` has 2 entries"));
        assert!(refused(json!({"a": {"b\n": 7}})).contains("column `a`: column `b\\n`: expected a list"));
        assert!(refused(json!({})).contains("no columns"));
        assert!(refused(json!(1_000_000_000)).contains("`1000000000`"));
    }

    /// Values with few keys, so that lists of like objects come up.
    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[ab]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab]", inner, 0..3).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn turning_back_gives_what_was_turned(entries in prop::collection::vec(values(), 0..6)) {
            prop_assert_eq!(turned_back(turned(entries.clone())), Ok(entries));
        }

        #[test]
        fn like_entries_come_back_too(entry in values(), n in 0_usize..5) {
            let entries = vec![entry; n];
            prop_assert_eq!(turned_back(turned(entries.clone())), Ok(entries));
        }

        #[test]
        fn anything_is_turned_back_or_refused(value in values()) {
            drop(turned_back(value));
        }
    }
}

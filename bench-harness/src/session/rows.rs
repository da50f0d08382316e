//! Trials as a session's file has them: a row for each label on each cell, its trials as columns.
//!
//! In the file a name stands once per row instead of once per trial, and each key once, because the rows are columns
//! again. Read back, trials are in the order in which they ran: by round, then by place in the round. Trials that failed
//! are a row of their own.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::columns::{turned, turned_back};
use crate::record::{Trial, TrialResult};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    workload: String,
    cell: String,
    strategy: String,
    trials: Value,
}

const NAMES: [&str; 3] = ["workload", "cell", "strategy"];

/// Writes trials as rows.
pub fn serialize<S: Serializer>(trials: &[Trial], serializer: S) -> Result<S::Ok, S::Error> {
    let mut rows: BTreeMap<_, Vec<Value>> = BTreeMap::new();
    for trial in trials {
        let failed = matches!(trial.result, TrialResult::Failed(_));
        let mut value = serde_json::to_value(trial).map_err(S::Error::custom)?;
        if let Some(object) = value.as_object_mut() {
            NAMES.iter().for_each(|name| drop(object.remove(*name)));
        }
        rows.entry((&trial.workload, &trial.cell, &trial.strategy, failed)).or_default().push(value);
    }
    let rows = rows.into_iter().map(|((workload, cell, strategy, _), trials)| {
        let (workload, cell, strategy) = (workload.clone(), cell.clone(), strategy.clone());
        serde_json::to_value(Row { workload, cell, strategy, trials: turned(trials) })
    });
    turned(rows.collect::<Result<_, _>>().map_err(S::Error::custom)?).serialize(serializer)
}

/// Reads rows as trials.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Trial>, D::Error> {
    let mut trials = Vec::new();
    let rows = turned_back(Value::deserialize(deserializer)?).map_err(D::Error::custom)?;
    for row in rows {
        let Row { workload, cell, strategy, trials: columns } = serde_json::from_value(row)
            .map_err(|error| D::Error::custom(format!("a row of trials: {error}")))?;
        let named = |reason: &dyn std::fmt::Display| {
            let row = format!("{workload}/{cell}, {strategy}");
            D::Error::custom(format!("the trials of {}: {reason}", row.escape_debug()))
        };
        for mut value in turned_back(columns).map_err(|reason| named(&reason))? {
            if let Some(object) = value.as_object_mut() {
                for (name, text) in NAMES.iter().zip([&workload, &cell, &strategy]) {
                    object.insert((*name).to_owned(), Value::String(text.clone()));
                }
            }
            trials.push(serde_json::from_value(value).map_err(|error| named(&error))?);
        }
    }
    trials.sort_by(|a: &Trial, b| order(a).cmp(&order(b)));
    Ok(trials)
}

/// In which order trials ran; names decide where a file has two in one place.
fn order(trial: &Trial) -> impl Ord + '_ {
    (trial.round, trial.position, &trial.workload, &trial.cell, &trial.strategy)
}

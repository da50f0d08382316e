//! Made-up open loops.

use std::collections::BTreeMap;

use bench_harness::record::{Arrivals, Measurement, Percentiles, PlannedCell};

use super::{Random, parts, samples};

/// An open loop at a share of the capacity: the closed loop's hand-off, and a wait that grows with the load.
pub(super) fn at(
    cell: &PlannedCell,
    load: f64,
    closed: Measurement,
    lock: bool,
    random: &mut Random,
) -> Measurement {
    let seconds = closed.window_ns as f64 / 1e9;
    let service = closed.cost.mean_ns + if lock { 1_500.0 } else { 3_000.0 };
    let offered = (load * 0.9e9 / (cell.write.requested.as_nanos() as f64 + 70_000.0) * seconds) as u64;
    let rho = (offered as f64 / seconds * service / 1e9).min(0.97);
    let wait = service * rho / (2.0 * (1.0 - rho)) * (1.0 + 0.05 * random.symmetric());
    let is_full = lock && load > 0.8;
    let censored = if is_full { offered / 40 } else { 0 };
    let latency = samples(service + wait, 0.2 + rho, offered);
    let parts = BTreeMap::from([
        ("latency".to_owned(), latency),
        ("held".to_owned(), samples(if lock { service } else { 800.0 }, 0.4, offered)),
        ("service".to_owned(), samples(service + wait * 0.8, 0.1 + rho / 2.0, offered)),
        ("lag".to_owned(), samples(wait * 0.05 + 400.0, 0.3, offered)),
        ("late".to_owned(), samples(400.0, 0.3, offered)),
    ]);
    let mut mean_ns = closed.mean_ns.clone();
    mean_ns.extend(parts_of(service + wait, closed.cost.mean_ns, lock));
    Measurement {
        done: offered - censored,
        hdr: parts.iter().map(|(part, samples)| (part.clone(), samples.encode())).collect(),
        percentiles: parts.iter().map(|(part, samples)| (part.clone(), Percentiles::from(samples))).collect(),
        mean_ns,
        open: Some(Arrivals {
            offered,
            answered: offered - censored,
            in_time: offered - 2 * censored,
            given_up: 0,
            censored,
            depth_at_first: 1.0,
            depth_at_last: if is_full { 300.0 } else { 1.2 },
            generator_ns: Some(20_000_000),
        }),
        ..closed
    }
}

/// The parts of an open loop's latency, its lag first.
fn parts_of(latency: f64, write: f64, lock: bool) -> BTreeMap<String, f64> {
    let lag = 600.0;
    let mut parts = parts(latency - lag, write, 0.0, lock);
    parts.insert("lag".to_owned(), lag);
    parts.insert("latency".to_owned(), latency);
    parts
}

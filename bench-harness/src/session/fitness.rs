//! Whether the machine was fit to measure on while a session ran, by what its rounds saw of it.

use crate::record::{Calibration, Round, Session};
use crate::stats::steadiness::variation;

// LIMIT: 3 % of all CPU time given to others by the hypervisor.
const MOST_STOLEN: f64 = 0.03;
// LIMIT: the same work may take this much more or less from round to round, as standard deviation over mean.
const MOST_PROBE_SCATTER: f64 = 0.05;
// LIMIT: the scatter of fewer rounds says nothing.
const FEWEST_ROUNDS: usize = 6;

/// Whether a machine was fit to measure on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitness {
    /// Nothing was against it.
    pub fit: bool,
    /// What was, a sentence each: lower case, no full stop.
    pub why: Vec<String>,
}

impl Session {
    /// Whether the machine was fit, by the rounds that have ended.
    pub fn fitness(&self) -> Fitness {
        let why: Vec<_> = [
            lost(&self.rounds, self.plan.rounds),
            stolen(&self.rounds, self.environment.cpus),
            uneven(&self.rounds, self.calibration.as_ref()),
        ]
        .into_iter()
        .flatten()
        .collect();
        Fitness { fit: why.is_empty(), why }
    }
}

fn lost(rounds: &[Round], planned: u32) -> Option<String> {
    let valid = rounds.iter().filter(|round| round.invalid.is_none()).count();
    let lost = rounds.len() - valid;
    let first = rounds.iter().find_map(|round| round.invalid.as_deref())?;
    (rounds.len() >= planned as usize && valid < planned as usize).then(|| {
        format!("{lost} of {} rounds are invalid and were not all made up for: {first}", rounds.len())
    })
}

fn stolen(rounds: &[Round], cpus: usize) -> Option<String> {
    let steal: f64 = rounds.iter().filter_map(|round| round.steal_ns).map(|ns| ns as f64).sum();
    let time: f64 = rounds.iter().map(|round| round.wall_ns as f64).sum::<f64>() * cpus.max(1) as f64;
    let share = steal / time;
    (share > MOST_STOLEN)
        .then(|| format!("the hypervisor gave {:.0} % of the CPU time to others", 100.0 * share))
}

fn uneven(rounds: &[Round], calibration: Option<&Calibration>) -> Option<String> {
    let probes: Vec<f64> = rounds.iter().map(|round| round.probe_ns as f64).collect();
    let scatter = variation(&probes).ok().filter(|_| probes.len() >= FEWEST_ROUNDS)?;
    // LIMIT: three times what is usual here, where that is known.
    let usual = calibration.map_or(0.0, |known| 3.0 * known.probe_variation);
    (scatter > usual.max(MOST_PROBE_SCATTER))
        .then(|| format!("the same work took {:.0} % more or less time from round to round", 100.0 * scatter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(steal_ms: u64, probe_us: u64, invalid: Option<&str>) -> Round {
        Round {
            round: 0,
            wall_ns: 1_000_000_000,
            steal_ns: Some(steal_ms * 1_000_000),
            busy_ns: None,
            cpu_pressure_us: None,
            io_pressure_us: None,
            memory_pressure_us: None,
            probe_ns: probe_us * 1_000,
            invalid: invalid.map(str::to_owned),
        }
    }

    #[test]
    fn steal_counts_as_a_share_of_what_all_cpus_had() {
        let rounds = vec![round(80, 1, None); 4];
        assert_eq!(stolen(&rounds, 4), None);
        assert!(stolen(&rounds, 2).unwrap().contains("4 %"));
        assert_eq!(stolen(&[], 2), None);
    }

    #[test]
    fn work_that_takes_now_more_and_now_less_time_is_told() {
        let rounds =
            |slow| (0..8).map(|i| round(0, if i % 2 == 0 { 1_000 } else { slow }, None)).collect::<Vec<_>>();
        assert_eq!(uneven(&rounds(1_050), None), None);
        assert!(uneven(&rounds(1_400), None).unwrap().contains("from round to round"));
        assert_eq!(uneven(&rounds(1_400)[..5], None), None, "five rounds are too few to tell");
    }

    #[test]
    fn lost_rounds_count_only_where_they_were_not_made_up_for() {
        let bad = round(0, 1, Some("it stood still"));
        let good = round(0, 1, None);
        assert_eq!(lost(&[bad.clone(), good.clone(), good.clone()], 2), None);
        assert_eq!(lost(std::slice::from_ref(&bad), 2), None, "it goes on");
        let said = lost(&[bad, good], 2).unwrap();
        assert!(said.starts_with("1 of 2 rounds") && said.ends_with("it stood still"), "{said}");
    }
}

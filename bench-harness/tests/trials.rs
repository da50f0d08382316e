//! Trials of every strategy and of the bare loop, each over in a moment: do the numbers of a record belong together?

mod specs;

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bench_harness::record::{Arrivals, LIMIT, Measurement, Trial, TrialResult};
use bench_harness::strategies;
use bench_harness::trial::checker::{Checker, Measured, Output, Update};
use bench_harness::trial::spec::TrialSpec;
use bench_harness::trial::{PATIENCE, run_machine};
use bench_harness::workload::definition::{Callers, Pattern};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;

use specs::{bursts, failed_check, given_time, grouped, hasty, open, spin, steady};
use update_queue::StateMachine;

fn run(spec: &TrialSpec) -> Trial {
    given_time(spec, bench_harness::trial::run)
}

const PARTS: [&str; 5] = ["submit", "queued", "apply", "commit", "reply"];

fn subjects() -> Vec<&'static str> {
    let mut subjects = strategies::names();
    subjects.push(LIMIT);
    subjects
}

fn of(strategy: &str, spec: &TrialSpec) -> TrialSpec {
    TrialSpec { label: strategy.to_owned(), strategy: strategy.to_owned(), ..spec.clone() }
}

#[track_caller]
fn measured(trial: &Trial) -> &Measurement {
    match &trial.result {
        TrialResult::Measured(measurement) => measurement,
        TrialResult::Failed(failure) => panic!("{} in {}: {failure:?}", trial.strategy, trial.cell),
    }
}

fn histogram(measurement: &Measurement, part: &str) -> Histogram<u64> {
    let bytes = STANDARD.decode(&measurement.hdr[part]).expect("base64");
    Deserializer::new().deserialize(&mut bytes.as_slice()).expect("a histogram")
}

/// What must hold for every measurement in which all updates were timed.
#[track_caller]
fn belongs_together(spec: &TrialSpec, trial: &Trial) {
    let m = measured(trial);
    let who = format!("{} in {}: {m:?}", trial.strategy, trial.cell);
    assert_eq!(m.clients.len(), spec.cell.clients, "{who}");
    assert_eq!(m.clients.iter().sum::<u64>(), m.done, "{who}");
    assert!(m.done > 0 && m.refused == 0 && m.clamped == 0, "{who}");
    assert!(m.window_ns >= spec.window.as_nanos() as u64, "{who}");
    assert!(m.longest_gap_ns <= m.window_ns, "{who}");
    let parts: f64 = PARTS.iter().map(|part| m.mean_ns[*part]).sum();
    // Five parts and their sum, each rounded to three places.
    assert!((parts - m.mean_ns["latency"]).abs() <= 6.0 * 0.000_5 + 1e-9 * parts, "{who}");
    for part in ["latency", "held"] {
        assert_eq!(histogram(m, part).len(), m.done, "{part} of {who}");
    }
    let busy = m.cost.busy_ns.expect("every update is timed");
    assert!(busy > 0 && busy <= m.window_ns + 10_000, "{who}");
}

#[test]
fn every_strategy_passes_and_its_numbers_belong_together() {
    for callers in [Callers::Threads, Callers::Tasks] {
        for strategy in subjects() {
            for spec in [steady(callers, 3), bursts(callers, 3), grouped(callers, 3)] {
                let spec = of(strategy, &spec);
                belongs_together(&spec, &run(&spec));
            }
        }
    }
}

/// What must hold for every measurement of an open loop.
#[track_caller]
fn adds_up(spec: &TrialSpec, trial: &Trial) -> (Measurement, Arrivals) {
    let m = measured(trial);
    let who = format!("{} in {}: {m:?}", trial.strategy, trial.cell);
    let open =
        m.open.clone().unwrap_or_else(|| panic!("an open loop says what became of its updates: {who}"));
    assert_eq!(open.offered, open.answered + open.given_up + open.censored, "{who}");
    assert!(open.in_time <= open.answered && m.refused == 0 && m.clamped == 0, "{who}");
    assert_eq!(m.window_ns, spec.window.as_nanos() as u64, "planned, not watched: {who}");
    assert_eq!(histogram(m, "latency").len(), open.answered + open.censored, "{who}");
    for part in ["lag", "late", "service", "held"] {
        assert_eq!(histogram(m, part).len(), open.answered, "{part} of {who}");
    }
    let parts: f64 = PARTS.iter().map(|part| m.mean_ns[*part]).sum();
    // Seven numbers, each rounded to three places.
    assert!((parts - m.mean_ns["service"]).abs() <= 6.0 * 0.000_5 + 1e-9 * parts, "{who}");
    let whole = parts + m.mean_ns["lag"];
    assert!((whole - m.mean_ns["latency"]).abs() <= 7.0 * 0.000_5 + 1e-9 * whole, "{who}");
    assert!(m.mean_ns["late"] <= m.mean_ns["lag"] + 0.001, "{who}");
    (m.clone(), open)
}

#[test]
fn an_open_loop_accounts_for_every_planned_update_of_every_strategy() {
    for callers in [Callers::Threads, Callers::Tasks] {
        let mut offered = Vec::new();
        for strategy in subjects() {
            let spec = of(strategy, &open(callers, 4, 500.0));
            let (m, arrivals) = adds_up(&spec, &run(&spec));
            assert!(m.done > 0 && m.clients.len() == 4, "{strategy}: {m:?}");
            assert_eq!((arrivals.given_up, arrivals.in_time), (0, arrivals.answered), "{strategy}");
            offered.push(arrivals.offered);
        }
        // 100 expected, with a standard deviation of 10.
        assert!((50..150).contains(&offered[0]), "{offered:?}");
        assert!(offered.iter().all(|n| *n == offered[0]), "all get the same arrivals: {offered:?}");
    }
}

#[test]
fn an_open_loop_commits_groups() {
    for strategy in subjects() {
        let commit = grouped(Callers::Threads, 1).commit;
        let spec = of(strategy, &TrialSpec { commit, ..open(Callers::Threads, 4, 500.0) });
        let (m, _) = adds_up(&spec, &run(&spec));
        assert!(m.cost.commits > 0 && m.mean_ns["commit"] >= 200_000.0, "{strategy}: {m:?}");
    }
}

#[test]
fn overload_with_a_deadline_gives_updates_up_and_goes_on_writing() {
    let deadline = Duration::from_millis(20);
    for callers in [Callers::Threads, Callers::Tasks] {
        for strategy in subjects() {
            // Five times what the writer can do, and a queue that is full after 1.6 ms of work.
            let spec = of(strategy, &hasty(open(callers, 8, 50_000.0), deadline));
            let (m, open) = adds_up(&spec, &run(&spec));
            assert!(open.given_up > open.offered / 2, "{strategy}: {open:?}");
            assert!(open.answered > 0 && m.done > 0, "{strategy}: {open:?}");
        }
    }
}

#[test]
fn overload_without_a_deadline_leaves_updates_open_and_counts_their_age() {
    for strategy in subjects() {
        let spec = of(strategy, &open(Callers::Threads, 8, 100_000.0));
        let (m, open) = adds_up(&spec, &run(&spec));
        assert!(open.censored > 0 && open.given_up == 0, "{strategy}: {open:?}");
        assert!(open.depth_at_last > open.depth_at_first, "{strategy}: {open:?}");
        // Whatever is open at the end of the load is as old as the grace at least.
        assert!(histogram(&m, "latency").max() >= 1_000_000_000, "{strategy}");
    }
}

/// A machine whose writes are free, but for one that takes a second, some time into the window.
struct StallsOnce(Checker, Instant, bool);

const STALL: Duration = Duration::from_secs(1);

impl StateMachine for StallsOnce {
    type Update = Update;
    type Output = Output;

    fn apply(&mut self, update: Update) -> Output {
        if !self.2 && self.1.elapsed() > Duration::from_millis(300) {
            self.2 = true;
            std::thread::sleep(STALL);
        }
        self.0.apply(update)
    }
}

impl Measured for StallsOnce {
    fn new(checker: Checker) -> Self {
        Self(checker, Instant::now(), false)
    }

    fn into_checker(self) -> Checker {
        self.0
    }
}

#[test]
fn a_stall_of_a_second_is_the_p99_of_an_open_loop_and_no_matter_to_the_median_of_a_closed_one() {
    let times = (Duration::from_millis(100), Duration::from_secs(2));
    let with_times = |spec: TrialSpec| TrialSpec { warm_up: times.0, window: times.1, ..spec };
    let mut spec = with_times(open(Callers::Threads, 4, 500.0));
    spec.cell.write = spin(Duration::ZERO);
    let trial = run_machine::<queue_crossbeam::Crossbeam, StallsOnce>(&spec, PATIENCE);
    let (m, arrivals) = adds_up(&spec, &trial);
    let p99 = histogram(&m, "latency").value_at_quantile(0.99);
    // Half of the updates came while nothing was written, the first of them waited for all of it.
    assert!(arrivals.offered > 800 && p99 >= 700_000_000, "{p99} ns of {arrivals:?}");

    let closed = with_times(steady(Callers::Threads, 4));
    let trial = run_machine::<queue_crossbeam::Crossbeam, StallsOnce>(&closed, PATIENCE);
    let latency = histogram(measured(&trial), "latency");
    assert!(latency.max() >= 900_000_000, "the stall was there");
    assert!(latency.value_at_quantile(0.5) < p99 / 20, "{} ns", latency.value_at_quantile(0.5));
}

#[test]
fn an_open_loop_without_a_rate_is_a_failed_trial_that_says_how_to_get_one() {
    for rate in [None, Some(0.0), Some(f64::NAN), Some(1e12)] {
        let spec = of(LIMIT, &TrialSpec { rate, ..open(Callers::Threads, 2, 1.0) });
        assert_eq!(failed_check(&run(&spec)), "process", "{rate:?}");
    }
}

#[test]
fn the_record_says_what_was_measured() {
    let spec = of(LIMIT, &steady(Callers::Threads, 2));
    let trial = run(&spec);
    assert_eq!((trial.round, trial.position), (2, 5));
    assert_eq!(
        (trial.workload.as_str(), trial.cell.as_str(), trial.strategy.as_str()),
        ("test", "threads-2", LIMIT)
    );
    assert_eq!(trial.seed, "0xdeadbeef");
}

#[test]
fn a_write_takes_what_was_asked_for_and_the_writer_is_busy_with_it() {
    let cost = Duration::from_micros(100);
    for strategy in subjects() {
        let mut spec = of(strategy, &steady(Callers::Threads, 3));
        spec.cell.write = spin(cost);
        let trial = run(&spec);
        let m = measured(&trial);
        assert!(m.cost.mean_ns >= 100_000.0 && m.cost.p50_ns >= 99_000, "{strategy}: {:?}", m.cost);
        assert_eq!(m.cost.requested_ns, 100_000);
        let busy = m.cost.busy_ns.expect("every update is timed");
        assert!(busy as f64 >= 100_000.0 * (m.done as f64 - 4.0), "{strategy}: {m:?}");
    }
}

#[test]
fn without_group_commit_there_is_no_commit_and_with_it_there_is_one_per_batch() {
    for strategy in subjects() {
        let single = run(&of(strategy, &steady(Callers::Threads, 4)));
        assert_eq!(
            (measured(&single).cost.commits, measured(&single).mean_ns["commit"]),
            (0, 0.0),
            "{strategy}"
        );
        let grouped = run(&of(strategy, &grouped(Callers::Threads, 4)));
        let m = measured(&grouped);
        assert!(m.cost.commits > 0 && m.mean_ns["commit"] >= 200_000.0, "{strategy}: {m:?}");
        // Of a batch at the edge of the window some answers count and the commit does not.
        assert!(m.done <= (m.cost.commits + 1) * 4, "{strategy}: {m:?}");
    }
}

#[test]
fn a_burst_is_answered_whole_and_counts_whole() {
    // Far apart, so that the edges of the window lie in idle time even where threads start late.
    let pattern = Pattern::Bursts { every: Duration::from_millis(200), updates: 5 };
    let spec = TrialSpec { pattern, window: Duration::from_millis(200), ..steady(Callers::Threads, 4) };
    for strategy in subjects() {
        let done = measured(&run(&of(strategy, &spec))).done;
        assert!(done > 0 && done.is_multiple_of(20), "{strategy}: {done} updates in bursts of 4 x 5");
    }
}

#[test]
fn with_some_updates_timed_all_are_counted_and_the_busy_time_is_not_claimed() {
    for callers in [Callers::Threads, Callers::Tasks] {
        for strategy in subjects() {
            let spec = TrialSpec { timed_every: 10, ..of(strategy, &steady(callers, 3)) };
            let trial = run(&spec);
            let m = measured(&trial);
            let timed = histogram(m, "latency").len();
            assert_eq!(m.cost.busy_ns, None, "{strategy}");
            // Each client may begin and end the window anywhere between two timed updates.
            assert!(
                (timed * 10).abs_diff(m.done) <= 3 * 10 + m.done / 10,
                "{strategy}: {timed} of {}",
                m.done
            );
        }
    }
}

#[test]
fn an_unknown_strategy_is_a_failed_trial_that_names_the_known_ones() {
    let trial = run(&of("no-such", &steady(Callers::Threads, 1)));
    assert_eq!(failed_check(&trial), "process");
    let TrialResult::Failed(failure) = &trial.result else { unreachable!("it failed") };
    for name in subjects() {
        assert!(failure.reason.contains(name), "{}", failure.reason);
    }
}

#[test]
fn a_cell_without_clients_is_a_failed_trial() {
    for strategy in subjects() {
        assert_eq!(failed_check(&run(&of(strategy, &steady(Callers::Threads, 0)))), "process", "{strategy}");
    }
}

#[test]
fn a_write_that_outlasts_the_window_is_a_failed_trial() {
    let mut spec = of(LIMIT, &steady(Callers::Threads, 1));
    spec.cell.write = spin(Duration::from_millis(2_200));
    spec.window = Duration::from_millis(1);
    assert_eq!(failed_check(&bench_harness::trial::run(&spec)), "V9");
}

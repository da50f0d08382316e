//! Verdicts: every strategy on every cell against the control, all of a session as one family.
//!
//! What is not a strategy is not judged: the control, the limit, and twins, whose truth is known. A twin shows what the
//! harness makes of no difference, and how far it is off is a floor for everyone else in its cell.

use super::objective::{Objective, RoundValues};
use super::{Numbers, Outcome, Role, Row};
use crate::report::format::{known, percent, plural, ratio, times};
use crate::stats::{Absent, Family, Interval, Judgement, Known, Location, Ratio, Sight, Verdict, judge};

/// A strategy, judged.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    /// The verdict.
    pub(crate) verdict: Verdict,
    /// It in a sentence.
    pub(crate) sentence: String,
    /// The smallest difference that counts in this cell, as a share.
    pub(crate) floor: f64,
    /// The logarithm of its cost over the control's: above zero is worse.
    pub(crate) excess: Location,
    /// How much one round scatters around it.
    pub(crate) scatter: f64,
    /// The smallest difference that such a session sees, as a share.
    pub(crate) detectable: Known<f64>,
    /// The verdict with the rounds that do not count, where it is another.
    pub(crate) with_every_round: Option<Verdict>,
    /// How much of a round's distance from the estimate the next one shares.
    pub(crate) memory: Known<f64>,
}

/// A twin against the strategy that it is.
#[derive(Clone, Debug)]
pub(crate) struct TwinRatio {
    /// Which strategy it is.
    pub(crate) of: String,
    /// How many times as good it looks, with an interval for all twins of the session together.
    pub(crate) ratio: Known<Ratio>,
    /// What it would have been called if it were a strategy.
    pub(crate) called: Known<Verdict>,
}

impl TwinRatio {
    /// Whether the interval shows a difference where there is none.
    pub(crate) fn is_off(&self) -> bool {
        self.ratio
            .as_ref()
            .is_ok_and(|ratio| ratio.interval.as_ref().is_ok_and(|interval| !interval.contains(1.0)))
    }

    /// `the same as std-mutex: 1.00× [0.98, 1.02]`.
    pub(crate) fn sentence(&self) -> String {
        let ratio = known(&self.ratio, ratio);
        format!("the same as {}, and looks {ratio} as fast", self.of)
    }
}

/// What the verdicts of a session share.
#[derive(Clone, Debug)]
pub(crate) struct Court {
    /// The strategy that all are compared with.
    pub(crate) control: String,
    /// All comparisons of the session.
    pub(crate) family: Family,
    /// All comparisons of a twin with its strategy.
    pub(crate) twins: Family,
    /// What the rounds that count can see.
    pub(crate) sight: Sight,
}

// LIMIT: the effect for which the number of rounds is named; a difference that a reader would act on.
const EFFECT_OF_INTEREST: f64 = 0.05;

impl Court {
    /// Judges the rows of a cell, which are all there.
    pub(super) fn judge(&self, rows: &mut [Row], objective: Objective) {
        let values = |name: &str| {
            let numbers = rows.iter().find(|row| row.strategy == name)?.numbers()?;
            Some((numbers.per_round.clone(), numbers.every_round.clone()))
        };
        let control = values(&self.control);
        let originals: Vec<_> = rows.iter().map(|row| row.twin_of.as_deref().and_then(values)).collect();
        for (row, original) in rows.iter_mut().zip(originals) {
            let of = row.twin_of.clone();
            if let (Outcome::Measured(numbers), Some(of), Some((original, _))) =
                (&mut row.outcome, of, original)
            {
                numbers.twin = Some(self.twin(of, objective, &numbers.per_round, &original));
            }
        }
        let floor = self.floor(rows, objective);
        for row in rows {
            let role = row.role;
            let Outcome::Measured(numbers) = &mut row.outcome else { continue };
            let Some((valid, every)) = &control else {
                let absent = Absent::because(format!("{} has no numbers here", self.control));
                (numbers.merit, numbers.judged) = (Err(absent.clone()), Err(absent));
                continue;
            };
            let compare = |own: &[RoundValues], control: &[RoundValues]| {
                judge(&objective.costs(own, control)?, self.family, floor)
            };
            let judgement = compare(&numbers.per_round, valid);
            numbers.merit = judgement.as_ref().map(|j| Ratio::advantage(&j.excess)).map_err(Clone::clone);
            let objection = numbers.open.as_ref().and_then(super::open::OpenLoop::objection);
            numbers.judged = match (role, objection) {
                (Role::Strategy(_), None) => judgement.map(|judgement| {
                    let costs = objective.costs(&numbers.per_round, valid);
                    let all = compare(&numbers.every_round, every).map(|judgement| judgement.verdict);
                    self.sentence(objective, judgement, all.ok(), &costs.unwrap_or_default())
                }),
                (Role::Strategy(_), Some(objection)) => Err(objection),
                (Role::Control, _) => Err(Absent::because("the control")),
                (Role::Twin, _) => Err(Absent::because("a twin")),
                (Role::Limit, _) => Err(Absent::because("the limit")),
            };
        }
    }

    /// The smallest difference that counts in a cell, as a share: the least of interest, or how far a twin is off there.
    pub(super) fn floor(&self, rows: &[Row], objective: Objective) -> f64 {
        let off = rows.iter().filter_map(|row| {
            let original = row.twin_of.as_ref()?;
            let original = rows.iter().find(|row| row.strategy == *original)?.numbers()?;
            let judged = self.compare(objective, row.numbers()?, original, objective.least_difference());
            Some(judged.ok()?.excess.centre.abs().exp_m1())
        });
        off.fold(objective.least_difference(), f64::max)
    }

    /// Compares two rows of a cell in the rounds that count.
    pub(super) fn compare(
        &self,
        objective: Objective,
        own: &Numbers,
        reference: &Numbers,
        floor: f64,
    ) -> Known<Judgement> {
        judge(&objective.costs(&own.per_round, &reference.per_round)?, self.family, floor)
    }

    fn twin(
        &self,
        of: String,
        objective: Objective,
        own: &[RoundValues],
        original: &[RoundValues],
    ) -> TwinRatio {
        let judged = |family| judge(&objective.costs(own, original)?, family, objective.least_difference());
        TwinRatio {
            of,
            ratio: judged(self.twins).map(|judgement| Ratio::advantage(&judgement.excess)),
            called: judged(self.family)
                .and_then(|judgement| judgement.excess.interval.map(|_| judgement.verdict)),
        }
    }

    /// The verdict in words; inconclusive where the rounds that do not count would change it.
    fn sentence(
        &self,
        objective: Objective,
        judgement: Judgement,
        with_all: Option<Verdict>,
        costs: &[(f64, f64)],
    ) -> Judged {
        let floor = judgement.floor.exp_m1();
        let with_every_round = with_all.filter(|all| *all != judgement.verdict);
        let verdict = if with_every_round.is_some() { Verdict::Inconclusive } else { judgement.verdict };
        let detectable = self.sight.detectable(judgement.scatter, floor);
        let rounds = plural(judgement.excess.n, "round");
        let sentence = match (verdict, Ratio::advantage(&judgement.excess).interval) {
            (Verdict::Faster | Verdict::Slower, Ok(interval)) => format!(
                "{} (95 % simultaneous, {rounds}, floor {})",
                compared(objective, &self.control, interval),
                percent(floor)
            ),
            (Verdict::Equivalent, _) => format!("no difference larger than {} ({rounds})", percent(floor)),
            (_, Ok(interval)) => {
                let needed = self.sight.rounds_to_see(EFFECT_OF_INTEREST, judgement.scatter, floor);
                let needed = needed.ok().flatten().map_or_else(String::new, |n| {
                    format!(
                        "; {} would see {}",
                        plural(n.max(judgement.excess.n), "round"),
                        percent(EFFECT_OF_INTEREST)
                    )
                });
                let seen = detectable
                    .as_ref()
                    .map_or_else(|_| String::new(), |seen| format!("; could have seen {}", percent(*seen)));
                let differs = if judgement.differs() { "; differs, size unclear" } else { "" };
                let changed = with_every_round.map_or_else(String::new, |all| {
                    format!(
                        "; {} with the rounds that do not count, {} without",
                        all.word(),
                        judgement.verdict.word()
                    )
                });
                format!("cannot tell: {}{seen}{needed}{differs}{changed}", from_to(interval))
            }
            (_, Err(absent)) => format!("cannot tell: {absent}"),
        };
        Judged {
            verdict,
            sentence,
            floor,
            memory: logs(costs).and_then(|logs| crate::stats::steadiness::memory(&logs)),
            scatter: judgement.scatter,
            excess: judgement.excess,
            detectable,
            with_every_round,
        }
    }
}

fn logs(costs: &[(f64, f64)]) -> Known<Vec<f64>> {
    Ok(costs.iter().map(|(own, reference)| (own / reference).ln()).collect())
}

fn compared(objective: Objective, control: &str, better: Interval) -> String {
    match objective {
        Objective::Throughput => {
            format!("{} to {} the throughput of {control}", times(better.low), times(better.high))
        }
        Objective::Latency(_) | Objective::Held(_) => {
            let (low, high) = (1.0 / better.high, 1.0 / better.low);
            format!("{} {} to {} that of {control}", objective.measure(), times(low), times(high))
        }
    }
}

/// `1 % slower to 9 % faster`.
fn from_to(better: Interval) -> String {
    format!("{} to {}", slower_or_faster(better.low), slower_or_faster(better.high))
}

fn slower_or_faster(better: f64) -> String {
    match better {
        ratio if ratio < 1.0 => format!("{} slower", percent(1.0 - ratio)),
        // From twice as fast on, percents are hard to read.
        ratio if ratio < 2.0 => format!("{} faster", percent(ratio - 1.0)),
        ratio => format!("{} as fast", times(ratio)),
    }
}

//! Items 24 and 40, with shrinking: random operations against a sequential model that predicts every outcome.
//!
//! One caller does everything, and makes the writer stand still while it fills the queue; so batches, places in the
//! order, refusals and what a failure costs are known in advance. The suite's own item 40 is the concurrent form.

#![cfg(not(any(loom, shuttle)))]

use std::sync::Arc;
use std::thread;

use proptest::prelude::*;
use proptest::strategy::Strategy as Generator;
use update_queue::conformance::{Op, Reply, Rig, STALLER, Stall, Tag};
use update_queue::{
    Applied, Cancel, Options, Request, Strategy, SubmitError, Ticket, UpdateError, UpdateQueue,
};

/// What the caller does next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Submits; the update may panic, or be too late to start.
    Submit {
        panics: bool,
        late: bool,
    },
    /// Gives up the ticket at this place, in one of three ways.
    Cancel(usize),
    Drop(usize),
    Detach(usize),
    /// Makes the writer stand still, or lets it go on.
    Stall,
    Release,
    /// The next commit that has not been told to fail will.
    FailCommit,
}

fn steps() -> impl Generator<Value = Vec<Step>> {
    let submit = (prop::bool::weighted(0.1), prop::bool::weighted(0.15));
    let step = prop_oneof![
        8 => submit.prop_map(|(panics, late)| Step::Submit { panics, late }),
        1 => (0..8usize).prop_map(Step::Cancel),
        1 => (0..8usize).prop_map(Step::Drop),
        1 => (0..8usize).prop_map(Step::Detach),
        2 => Just(Step::Stall),
        1 => Just(Step::Release),
        1 => Just(Step::FailCommit),
    ];
    prop::collection::vec(step, 1..40)
}

/// How an update ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Applied(u64),
    Expired,
    RolledBack,
    Panicked,
    CommitFailed,
    WriterLost,
    Closed,
}

fn fate(outcome: Result<Applied<Reply>, UpdateError>, tag: Tag) -> Fate {
    match outcome {
        Ok(applied) => {
            assert_eq!((applied.output.tag, applied.output.position as u64), (tag, applied.seq));
            Fate::Applied(applied.seq)
        }
        Err(UpdateError::Expired) => Fate::Expired,
        Err(UpdateError::RolledBack(_)) => Fate::RolledBack,
        Err(UpdateError::Panicked(_)) => Fate::Panicked,
        Err(UpdateError::CommitFailed(_)) => Fate::CommitFailed,
        Err(UpdateError::WriterLost) => Fate::WriterLost,
        Err(UpdateError::Closed) => Fate::Closed,
        Err(error) => panic!("{tag:?}: no model has {error:?}"),
    }
}

/// A queued update, as the model sees it.
#[derive(Clone, Copy, Debug)]
struct Queued {
    tag: Tag,
    panics: bool,
    late: bool,
    given_up: bool,
}

/// The sequential machine, queue and writer.
struct Model {
    max_batch: usize,
    restores: bool,
    poisoned: bool,
    log: Vec<Tag>,
    failing_commits: usize,
}

impl Model {
    /// Runs what is queued, all of it there before the first: the fate of each, `None` for one that was given up.
    fn run(&mut self, queued: &[Queued]) -> Vec<Option<Fate>> {
        let mut fates = vec![None; queued.len()];
        let mut batch: Vec<usize> = Vec::new();
        for (place, update) in queued.iter().enumerate() {
            if update.given_up {
                continue;
            }
            if self.poisoned {
                fates[place] = Some(Fate::Closed);
            } else if update.late {
                fates[place] = Some(Fate::Expired);
            } else if update.panics {
                self.panic(place, &mut batch, &mut fates);
            } else {
                batch.push(place);
                if batch.len() == self.max_batch {
                    self.commit(&mut batch, queued, &mut fates);
                }
            }
        }
        if !self.poisoned {
            self.commit(&mut batch, queued, &mut fates);
        }
        fates
    }

    fn panic(&mut self, place: usize, batch: &mut Vec<usize>, fates: &mut [Option<Fate>]) {
        let (own, others) = if self.restores {
            (Fate::RolledBack, Fate::RolledBack)
        } else {
            (Fate::Panicked, Fate::WriterLost)
        };
        self.poisoned = !self.restores;
        fates[place] = Some(own);
        batch.drain(..).for_each(|held| fates[held] = Some(others));
    }

    fn commit(&mut self, batch: &mut Vec<usize>, queued: &[Queued], fates: &mut [Option<Fate>]) {
        if batch.is_empty() {
            return;
        }
        let fails = self.failing_commits > 0;
        self.failing_commits -= usize::from(fails);
        self.poisoned = fails && !self.restores;
        for held in batch.drain(..) {
            if !fails {
                self.log.push(queued[held].tag);
            }
            fates[held] = Some(match (fails, self.restores) {
                (false, _) => Fate::Applied(self.log.len() as u64),
                (true, true) => Fate::RolledBack,
                (true, false) => Fate::CommitFailed,
            });
        }
    }
}

/// The queue under test beside its model.
struct Both<S: Strategy> {
    rig: Rig<S, true>,
    model: Model,
    capacity: usize,
    /// Held by every update and output, so that it tells when the writer is through with all.
    token: Arc<()>,
    submitted: usize,
    stalled: Option<Stall>,
    /// What is queued behind the stalled update, the stalled one first, and the tickets that the caller still has.
    queued: Vec<Queued>,
    tickets: Vec<Option<Ticket<Reply>>>,
}

impl<S: Strategy> Both<S> {
    fn start(capacity: usize, max_batch: usize, restores: bool) -> Self {
        let rig = Rig::<S, true>::start(Options::default().capacity(capacity).max_batch(max_batch));
        if restores {
            rig.probe.restores();
        }
        let has_queue = rig.queue.capacity() > 0;
        let (capacity, max_batch) = if has_queue { (capacity, max_batch) } else { (0, 1) };
        let model = Model { max_batch, restores, poisoned: false, log: Vec::new(), failing_commits: 0 };
        let token = Arc::new(());
        Self {
            rig,
            model,
            capacity,
            token,
            submitted: 0,
            stalled: None,
            queued: Vec::new(),
            tickets: Vec::new(),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Submit { panics, late } => self.submit(panics, late),
            Step::Cancel(place) => self.give_up(place, |ticket| {
                let cancel = ticket.cancel();
                assert!(matches!(cancel, Cancel::Cancelled), "cancel said {cancel:?} of a queued update");
            }),
            Step::Drop(place) => self.give_up(place, drop),
            Step::Detach(place) => {
                if let Some(ticket) = self.tickets.get_mut(place).and_then(Option::take) {
                    ticket.detach();
                }
            }
            Step::Stall => self.stall(),
            Step::Release => self.release(),
            Step::FailCommit => {
                self.model.failing_commits += 1;
                self.rig.probe.script_commit(|| Err("the disk is full".into()));
            }
        }
    }

    fn submit(&mut self, panics: bool, late: bool) {
        let tag = Tag { caller: 0, number: self.submitted };
        self.submitted += 1;
        let mut op = Op::new(0, tag.number).holding(&self.token);
        if panics {
            op = op.doing(|| panic!("on purpose"));
        }
        let mut request = Request::new(op);
        if late {
            request = request.start_by(std::time::Instant::now());
        }
        let update = Queued { tag, panics, late, given_up: false };
        if self.stalled.is_none() {
            return self.submit_alone(request, update);
        }
        // The first of `queued` is the stalled update, which has its place no more.
        let full = self.queued.len() > self.capacity;
        match self.rig.queue.try_submit(request) {
            Ok(ticket) => {
                assert!(!full, "{tag:?} was accepted by a full queue");
                self.queued.push(update);
                self.tickets.push(Some(ticket));
            }
            Err(SubmitError::Full { update, .. }) => {
                assert!(full && update.tag == tag, "{tag:?} found no room")
            }
            Err(error) => panic!("{tag:?}: {error:?}"),
        }
    }

    /// Nothing is queued: the update is a batch of its own.
    fn submit_alone(&mut self, request: Request<Op>, update: Queued) {
        let was_poisoned = self.model.poisoned;
        match self.rig.queue.submit_blocking(request) {
            Ok(ticket) => {
                assert!(!was_poisoned, "{:?} was accepted by a poisoned queue", update.tag);
                let expected = self.model.run(&[update]);
                assert_eq!(Some(fate(ticket.wait(), update.tag)), expected[0], "{:?}, alone", update.tag);
            }
            Err(SubmitError::Poisoned { update: returned, .. }) => {
                assert!(
                    was_poisoned && returned.tag == update.tag,
                    "{:?} was refused as poisoned",
                    update.tag
                );
            }
            Err(error) => panic!("{:?}: {error:?}", update.tag),
        }
    }

    fn give_up(&mut self, place: usize, how: impl FnOnce(Ticket<Reply>)) {
        if let Some(ticket) = self.tickets.get_mut(place).and_then(Option::take) {
            how(ticket);
            self.queued[place + 1].given_up = true;
        }
    }

    fn stall(&mut self) {
        if self.stalled.is_none() && !self.model.poisoned {
            self.stalled = Some(self.rig.stall());
            let tag = Tag { caller: STALLER, number: 0 };
            self.queued = vec![Queued { tag, panics: false, late: false, given_up: false }];
        }
    }

    fn release(&mut self) {
        let Some(stall) = self.stalled.take() else { return };
        let queued = std::mem::take(&mut self.queued);
        let expected = self.model.run(&queued);
        let stalled = stall.release();
        assert_eq!(
            stalled.is_ok(),
            matches!(expected[0], Some(Fate::Applied(_))),
            "the stalled update: {stalled:?}"
        );
        drop(stalled);
        for (place, ticket) in self.tickets.drain(..).enumerate() {
            let tag = queued[place + 1].tag;
            if let Some(ticket) = ticket {
                assert_eq!(Some(fate(ticket.wait(), tag)), expected[place + 1], "{tag:?}, queued at {place}");
            }
        }
        // Detached updates have no ticket to wait for, and those given up keep their places until the writer passes.
        while Arc::strong_count(&self.token) > 1 || self.rig.queue.depth() > 0 {
            thread::yield_now();
        }
    }

    fn end(mut self) {
        self.release();
        let (machine, sound) = match self.rig.writer.shutdown() {
            Ok(machine) => (machine, true),
            Err(update_queue::ShutdownError::Poisoned { machine: Some(machine), .. }) => (machine, false),
            Err(error) => panic!("{error:?}"),
        };
        assert_eq!(sound, !self.model.poisoned, "shutdown");
        // A poisoned machine may hold more: what was applied and never committed.
        assert!(machine.log().starts_with(&self.model.log), "{:?} != {:?}", machine.log(), self.model.log);
        assert!(!sound || machine.log() == self.model.log, "{:?} != {:?}", machine.log(), self.model.log);
    }
}

fn agrees<S: Strategy>(steps: Vec<Step>, capacity: usize, max_batch: usize, restores: bool) {
    let mut both = Both::<S>::start(capacity, max_batch, restores);
    for step in steps {
        both.step(step);
    }
    both.end();
}

macro_rules! models {
    ($($name:ident: $strategy:ty;)+) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 200 }, ..ProptestConfig::default() })]
            $(
                #[test]
                fn $name(steps in steps(), capacity in 1..5usize, max_batch in 1..5usize, restores: bool) {
                    agrees::<$strategy>(steps, capacity, max_batch, restores);
                }
            )+
        }
    };
}

models! {
    tokio_agrees_with_the_model: queue_tokio::Tokio;
    crossbeam_agrees_with_the_model: queue_crossbeam::Crossbeam;
    flume_agrees_with_the_model: queue_flume::Flume;
    std_mutex_agrees_with_the_model: baseline_mutex::StdMutex;
    parking_lot_agrees_with_the_model: baseline_mutex::ParkingLot;
    tokio_mutex_agrees_with_the_model: baseline_mutex::TokioMutex;
}

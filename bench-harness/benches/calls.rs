//! What single calls cost, one caller at a time: one group per question, every strategy in each.
//!
//! For whoever works on a part of a strategy. All of it runs in one process, so these numbers never rank strategies; the
//! campaign does.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bench_harness::strategies::{self, Visitor};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, PlottingBackend, Throughput, criterion_group};
use tokio::runtime::Builder;
use update_queue::{Options, StateMachine, Strategy, UpdateQueue};

/// A machine that does next to nothing, so that what is measured is the way to it and back.
#[derive(Default)]
struct Sum(u64);

impl StateMachine for Sum {
    type Update = u64;
    type Output = u64;

    fn apply(&mut self, update: u64) -> u64 {
        self.0 = self.0.wrapping_add(update);
        self.0
    }
}

// LIMIT: 1024 updates, the default of a queue; the benches that submit ahead stay below it, so that none waits for room.
const CAPACITY: usize = 1_024;

fn options() -> Options {
    Options::default().capacity(CAPACITY)
}

/// How long does handing an update over take, with nobody waiting for its outcome? For a lock that includes applying it.
fn submit(c: &mut Criterion) {
    struct Submit<'a>(BenchmarkGroup<'a, WallTime>);
    impl Visitor for Submit<'_> {
        fn visit<S: Strategy>(&mut self, _: &'static str) {
            let (queue, _writer) = S::start(Sum::default(), options());
            self.0.bench_function(S::NAME, |b| {
                b.iter_custom(|updates| in_pieces(updates, |piece| submit_ahead(&queue, piece)));
            });
        }
    }
    strategies::for_each(&mut Submit(group(c, "submit")));
}

/// The time that `piece` takes for `updates` in pieces that fit into a queue.
fn in_pieces(updates: u64, mut piece: impl FnMut(u64) -> Duration) -> Duration {
    let most = CAPACITY as u64 / 2;
    let mut spent = Duration::ZERO;
    let mut left = updates;
    while left > 0 {
        let next = left.min(most);
        spent += piece(next);
        left -= next;
    }
    spent
}

/// Time to hand over `updates`; waiting until they are applied is not part of it.
fn submit_ahead(queue: &impl UpdateQueue<Machine = Sum>, updates: u64) -> Duration {
    let start = Instant::now();
    for update in 0..updates {
        queue.submit_blocking(black_box(update)).expect("the queue is open").detach();
    }
    let spent = start.elapsed();
    queue.call_blocking(0).expect("the queue is open");
    spent
}

/// How long does a blocking caller wait for the outcome of an update, alone? Beside the bare critical section.
fn round_trip(c: &mut Criterion) {
    struct RoundTrip<'a>(BenchmarkGroup<'a, WallTime>);
    impl Visitor for RoundTrip<'_> {
        fn visit<S: Strategy>(&mut self, _: &'static str) {
            let (queue, _writer) = S::start(Sum::default(), options());
            self.0.bench_function(S::NAME, |b| {
                b.iter(|| queue.call_blocking(black_box(1)).expect("the queue is open"))
            });
        }
    }
    let mut group = RoundTrip(group(c, "round-trip"));
    let bare = parking_lot::Mutex::new(Sum::default());
    group.0.bench_function("bare-parking-lot", |b| b.iter(|| bare.lock().apply(black_box(1))));
    strategies::for_each(&mut group);
}

/// The same for an async caller.
fn round_trip_async(c: &mut Criterion) {
    struct RoundTrip<'a>(BenchmarkGroup<'a, WallTime>);
    impl Visitor for RoundTrip<'_> {
        fn visit<S: Strategy>(&mut self, _: &'static str) {
            let (queue, _writer) = S::start(Sum::default(), options());
            let runtime =
                Builder::new_current_thread().build().expect("a runtime on this thread needs nothing");
            self.0.bench_function(S::NAME, |b| {
                b.iter_custom(|updates| {
                    runtime.block_on(async {
                        let start = Instant::now();
                        for _ in 0..updates {
                            black_box(queue.call(black_box(1)).await.expect("the queue is open"));
                        }
                        start.elapsed()
                    })
                });
            });
        }
    }
    strategies::for_each(&mut RoundTrip(group(c, "round-trip-async")));
}

/// What do submit, claim and reply cost together when nobody sleeps in between? One caller submits 64 updates, then takes
/// their outcomes, so that most are there when it asks.
fn claim_and_reply(c: &mut Criterion) {
    // LIMIT: 64 updates: enough that the caller and the writer both have work all the time.
    const AHEAD: usize = 64;
    struct Pipelined<'a>(BenchmarkGroup<'a, WallTime>);
    impl Visitor for Pipelined<'_> {
        fn visit<S: Strategy>(&mut self, _: &'static str) {
            let (queue, _writer) = S::start(Sum::default(), options());
            let mut tickets = Vec::with_capacity(AHEAD);
            self.0.throughput(Throughput::Elements(AHEAD as u64));
            self.0.bench_function(BenchmarkId::new(S::NAME, AHEAD), |b| {
                b.iter(|| {
                    tickets.extend(
                        (0..AHEAD).map(|_| queue.submit_blocking(black_box(1)).expect("the queue is open")),
                    );
                    for ticket in tickets.drain(..) {
                        black_box(ticket.wait().expect("nothing fails here"));
                    }
                });
            });
        }
    }
    strategies::for_each(&mut Pipelined(group(c, "claim-and-reply")));
}

fn group<'a>(c: &'a mut Criterion, question: &str) -> BenchmarkGroup<'a, WallTime> {
    c.benchmark_group(question)
}

/// Short enough that all groups together take well under a minute.
fn settings() -> Criterion {
    Criterion::default()
        .sample_size(20)
        // LIMIT: 10 000 resamples instead of 100 000: drawing the distribution of that many takes longer than measuring.
        .nresamples(10_000)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(700))
        // Said here, because the default looks for gnuplot first and complains that it is not there.
        .plotting_backend(PlottingBackend::Plotters)
}

criterion_group! {
    name = calls;
    config = settings();
    targets = submit, round_trip, round_trip_async, claim_and_reply
}

fn main() {
    bench_harness::cli::announce_bench(std::env::args_os());
    calls();
    Criterion::default().configure_from_args().final_summary();
}

//! Measures how throughput scales from one thread to two.

use std::hint;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::executor::block_on;
use hallpass_tower::{TokenLayer, require};
use sha2::{Digest as _, Sha256};
use tower::{Service, ServiceBuilder};

use crate::fixture::{Fixture, Owners, runtime};
use crate::harness::{Bench, CaseId};
use crate::hot::{Open, PATH, SCOPE};
use crate::traffic::{Pattern, Traffic};

/// The number of SHA-256 blocks per request. It makes bursts of hashing take about as long as
/// bursts of requests.
const HASHES: usize = 16;

/// The number of bursts in a round. All threads start a burst together.
const BURSTS: usize = 10;

/// Adds `uniform_scaling`, relative to the scaling of SHA-256 alone, and `hot_token_scaling`.
pub(super) fn add(bench: &mut Bench, tokens: usize, requests: usize) -> Result<()> {
    let runtime = runtime()?;
    let fixture = runtime.block_on(Fixture::new(tokens, Owners::Many, &[SCOPE]))?;
    // The runtime must live as long as the cases, because it runs the background task of the cache.
    let runtime = Arc::new(runtime);
    let layer =
        ServiceBuilder::new().layer(TokenLayer::new(&fixture.hallpass)).layer(require(SCOPE));
    let service = layer.service(Open);

    let by = |pattern| {
        let (service, runtime) = (service.clone(), Arc::clone(&runtime));
        let traffic = Traffic::bearer(&fixture.tokens, PATH, pattern);
        move |thread: usize| {
            let (runtime, mut service, mut traffic) =
                (Arc::clone(&runtime), service.clone(), traffic.clone());
            traffic.skip(thread * 1000);
            move || {
                let _context = runtime.enter();
                for _ in 0..requests {
                    let response = block_on(service.call(traffic.request()));
                    assert!(response.is_ok_and(|response| response.status().is_success()));
                }
            }
        }
    };
    let sha256 = move |thread: usize| {
        let mut digest = [thread as u8; 43];
        move || {
            for _ in 0..requests * HASHES {
                let next = Sha256::digest(digest);
                digest[..32].copy_from_slice(&next);
            }
            hint::black_box(digest);
        }
    };

    let hashing = pair(bench, ["sha256_one_thread", "sha256_two_threads"], requests, sha256);
    let uniform =
        pair(bench, ["uniform_one_thread", "uniform_two_threads"], requests, by(Pattern::Uniform));
    let hot =
        pair(bench, ["hot_token_one_thread", "hot_token_two_threads"], requests, by(Pattern::Hot));
    bench.ratio_by("sha256_scaling", move |round| round.of(hashing.0) / round.of(hashing.1));
    bench.ratio_by("uniform_scaling", move |round| {
        let sha256 = round.of(hashing.0) / round.of(hashing.1);
        round.of(uniform.0) / round.of(uniform.1) / sha256
    });
    bench.ratio_by("hot_token_scaling", move |round| round.of(hot.0) / round.of(hot.1));
    Ok(())
}

/// Adds two cases that run `work` in bursts, on one thread and on two. They are measured in
/// nanoseconds of wall clock time per piece, counting the pieces of both threads.
fn pair<F, W>(
    bench: &mut Bench,
    names: [&'static str; 2],
    pieces: usize,
    work: F,
) -> (CaseId, CaseId)
where
    F: Fn(usize) -> W + Clone + Sync + 'static,
    W: FnMut(),
{
    let timed = |threads: usize| {
        let work = work.clone();
        move || together(threads, &work).as_nanos() as f64 / (threads * pieces) as f64
    };
    (bench.timed(names[0], timed(1)), bench.timed(names[1], timed(2)))
}

/// Returns the duration of a burst, from the common start to the end of the last thread. It takes
/// the fastest of several bursts, which no other program has interrupted.
fn together<W: FnMut()>(threads: usize, work: &(impl Fn(usize) -> W + Sync)) -> Duration {
    let gate = AtomicUsize::new(0);
    let run = |thread| {
        let mut burst = work(thread);
        // Warm up page tables, caches and branch predictors of the new thread.
        burst();
        let times = (1..=BURSTS).map(|number| {
            meet(&gate, number * threads);
            let started = Instant::now();
            burst();
            (started, Instant::now())
        });
        times.collect::<Vec<_>>()
    };
    let run = &run;
    let bursts = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run(thread))).collect();
        let ended = running.into_iter().map(|thread| thread.join().expect("no thread panics"));
        ended.reduce(|one, other| {
            let both = one.into_iter().zip(other);
            both.map(|(one, other)| (one.0.min(other.0), one.1.max(other.1))).collect()
        })
    });
    let elapsed = bursts.into_iter().flatten().map(|(started, ended)| ended - started);
    elapsed.min().expect("there is at least one burst")
}

/// Waits until `all` arrivals were counted. It spins, because waking up from sleep would take
/// longer than a burst.
fn meet(gate: &AtomicUsize, all: usize) {
    gate.fetch_add(1, Ordering::AcqRel);
    let mut looks = 0_u32;
    while gate.load(Ordering::Acquire) < all {
        looks += 1;
        if looks.is_multiple_of(1000) {
            thread::yield_now();
        } else {
            hint::spin_loop();
        }
    }
}

//! `revocation`: measures the time from the return of `revoke` on one node to the last acceptance
//! of the token by any of three nodes.
//!
//! Each node has a cache and a store handle of its own, and a thread that checks the token about
//! every 50 microseconds. An acceptance counts if its check began after `revoke` had returned, and
//! its time is the end of the check. `*_own_acceptances` counts those by the node that revoked.
//! `*_revoke_p50_ms` is the duration of `revoke` itself. Each store is measured in these modes:
//!
//! - `idle`: one token is revoked at a time, without other load.
//! - `loaded`: all nodes check other tokens as fast as they can, and revoke others.
//! - `deaf`: push notifications do not arrive and the nodes only poll. Tokens are revoked at any
//!   time between two polls.
//! - `cut_off`: the network of the last node drops all packets just before the revocations, and the
//!   node cannot detect this.
//!
//! SQLite has neither a push between processes nor a network. Its nodes poll every 250 ms.
//!
//! Two more cases use a store in memory. `ttl` is a simple cache with a time to live of 30 s, with
//! tokens in constant use. In `race` the last node has read the token, but not received the result
//! yet, when the token is revoked: `race_pushed` is the simple cache whose nodes immediately notify
//! each other of the entries to remove, and `race_guarded` is Hallpass's cache.
//!
//! The benchmark fails if a node accepts a token that it has revoked itself, or that was revoked
//! longer ago than the bound. It also fails if the simple cache stays within the bound, because
//! then the race did not happen.

mod fleet;
mod load;
mod modes;
mod naive;
mod outcomes;
mod watch;
mod window;

use std::time::Duration;

use anyhow::Result;
use hallpass_core::Hallpass;
use tokio::runtime::{Builder, Runtime};

use self::fleet::{NODES, Trouble};
use self::outcomes::add_outcomes;
use self::window::{Outcome, Window};
use crate::Scale;
use crate::backend::{InMemory, Kind, PostgresBackend, RedisBackend, SqliteBackend};
use crate::harness::Measured;

/// The amount of work and the time limits.
#[derive(Clone, Copy)]
struct Plan {
    rounds: usize,
    /// The maximum staleness B of the caches.
    bound: Duration,
    /// The time to live of the entries of a simple cache.
    live: Duration,
    /// The number of other tokens that make up the load.
    others: usize,
}

/// The maximum number of attempts to make the simple cache fail. A busy machine may not reproduce
/// the race each time.
const RACES: usize = 5;

/// The delay of a lookup that a revocation overtakes.
const LATE: Duration = Duration::from_millis(100);

pub(crate) fn measure(scale: Scale, rounds: u32, kinds: &[Kind]) -> Result<Measured> {
    let plan = Plan {
        rounds: rounds as usize,
        bound: scale.either(Duration::from_secs(2), Duration::from_millis(400)),
        live: scale.either(Duration::from_secs(30), Duration::from_millis(1_200)),
        others: scale.of(1_000),
    };
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut measured = Measured::default();
    for kind in kinds {
        match kind {
            Kind::Sqlite => modes::add(&mut measured, &runtime, &SqliteBackend::new()?, plan)?,
            Kind::Postgres => modes::add(&mut measured, &runtime, &PostgresBackend::new()?, plan)?,
            Kind::Redis => modes::add(&mut measured, &runtime, &RedisBackend::new()?, plan)?,
        }
    }
    beside(&mut measured, &runtime, plan)?;
    Ok(measured)
}

/// Returns a window with one token that is checked at short intervals.
fn single(plan: Plan) -> Window {
    Window {
        tokens: 1,
        pace: Duration::from_micros(50),
        apart: Duration::ZERO,
        horizon: plan.bound + Duration::from_millis(500),
        revokers: NODES,
        spread: Duration::ZERO,
        surprise: None,
    }
}

/// Measures simple caches, and Hallpass's cache where those fail.
fn beside(measured: &mut Measured, runtime: &Runtime, plan: Plan) -> Result<()> {
    let used = Window {
        tokens: plan.rounds.min(200),
        pace: Duration::from_millis(2),
        horizon: plan.live + Duration::from_millis(500),
        spread: plan.live,
        ..single(plan)
    };
    let mut run = |name: &str, nodes: Vec<Hallpass>, window: Window, promised| {
        let outcomes = window.run(runtime, &nodes, || ())?;
        anyhow::Ok(add_outcomes(measured, name, &outcomes, promised))
    };
    run("ttl", runtime.block_on(naive::fleet(plan.live, false, Duration::ZERO)), used, None)?;

    // The memory store is so fast that all tokens are revoked before the first delayed result
    // arrives.
    let race = Window {
        surprise: Some(LATE / 2),
        spread: Duration::ZERO,
        revokers: fleet::LAST,
        pace: Duration::from_millis(1),
        ..used
    };
    let trouble = Trouble { late: LATE, ..Trouble::default() };
    let guarded = runtime.block_on(fleet::fleet(&InMemory::default(), plan.bound, trouble))?;
    run("race_guarded", guarded, race, Some(plan.bound))?;
    let (mut pushed, mut races) = (Vec::new(), 0);
    while races < RACES && !pushed.iter().any(|outcome: &Outcome| outcome.last > plan.bound) {
        let nodes = runtime.block_on(naive::fleet(plan.live, true, LATE));
        pushed = race.run(runtime, &nodes, || ())?;
        races += 1;
    }
    if add_outcomes(measured, "race_pushed", &pushed, None) <= plan.bound {
        measured.broken.push(format!(
            "race_pushed: the simple cache stayed within the bound {RACES} times, so there was no race"
        ));
    }
    Ok(())
}

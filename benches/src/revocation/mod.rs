//! `revocation`: from `revoke`'s return on one node to the last time that any of three nodes
//! accepts the token.
//!
//! Each node has a cache and a handle of its own to the store, and is asked for the token by a
//! thread of its own again and again, every 50 microseconds or so; an acceptance counts if its
//! check began after `revoke` had returned, and its time is when it ended. `*_own_acceptances` are
//! those by the node that revoked. `*_revoke_p50_ms` is what `revoke` itself took. In each of
//! these, for each store:
//!
//! - `idle`: nothing else goes on, and one token is revoked at a time.
//! - `loaded`: all nodes check other tokens as fast as they can, and revoke others.
//! - `deaf`: the push channel is dead, nodes only look now and then: tokens are revoked at any time
//!   between two looks.
//! - `cut_off`: the last node's network swallows everything just before the revocations, and the
//!   node cannot tell.
//!
//! SQLite has neither a push between processes nor a network: its nodes look every 250 ms.
//!
//! Beside it, on a store in memory: `ttl` is a plain cache, whose entries live for 30 s, of tokens
//! that are in constant use. In `race` the last node has just read the token, and not heard the
//! answer yet, when it is revoked: `race_pushed` is the plain cache whose nodes tell each other at
//! once what to remove, `race_guarded` is Hallpass's.
//!
//! The benchmark fails if a node accepts what it has revoked itself, or any node what was revoked
//! longer ago than the bound, or if the plain cache stays within it: then nothing was raced.

mod fleet;
mod load;
mod modes;
mod naive;
mod told;
mod watch;
mod window;

use std::time::Duration;

use anyhow::Result;
use hallpass_core::Hallpass;
use tokio::runtime::{Builder, Runtime};

use self::fleet::{NODES, Trouble};
use self::told::note;
use self::window::{Outcome, Window};
use crate::Scale;
use crate::harness::Measured;
use crate::site::{InMemory, Kind, PostgresSite, RedisSite, SqliteSite};

/// How much is done, and how long things take.
#[derive(Clone, Copy)]
struct Plan {
    rounds: usize,
    /// B.
    bound: Duration,
    /// For how long the entries of a plain cache live.
    live: Duration,
    /// How many other tokens make the load.
    others: usize,
}

/// How often it is tried to make the plain cache fail, on a machine that may be too busy for the
/// race.
const RACES: usize = 5;

/// How much later an answer comes that a revocation overtakes.
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
            Kind::Sqlite => modes::add(&mut measured, &runtime, &SqliteSite::new()?, plan)?,
            Kind::Postgres => modes::add(&mut measured, &runtime, &PostgresSite::new()?, plan)?,
            Kind::Redis => modes::add(&mut measured, &runtime, &RedisSite::new()?, plan)?,
        }
    }
    beside(&mut measured, &runtime, plan)?;
    Ok(measured)
}

/// One token, watched closely.
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

/// Caches without what guards Hallpass's, and Hallpass's where those fail.
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
        anyhow::Ok(note(measured, name, &outcomes, promised))
    };
    run("ttl", runtime.block_on(naive::fleet(plan.live, false, Duration::ZERO)), used, None)?;

    // In memory all are revoked long before the first answer comes.
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
    if note(measured, "race_pushed", &pushed, None) <= plan.bound {
        measured.broken.push(format!(
            "race_pushed: the plain cache stayed within the bound {RACES} times: nothing was raced"
        ));
    }
    Ok(())
}

//! The days that a revocation may come on, with one store.

use std::time::Duration;

use anyhow::Result;
use hallpass_core::Hallpass;
use hallpass_servers::Proxy;
use tokio::runtime::Runtime;

use super::fleet::{LAST, Trouble, fleet, is_unavailable};
use super::load::Load;
use super::told::note;
use super::window::{Outcome, Window};
use super::{Plan, single};
use crate::harness::Measured;
use crate::site::Site;

/// How many tokens share a window where a node hears of them late: they are watched at once.
const AT_ONCE: usize = 50;

/// How often in a mode the store may be too slow for a change, of all windows: a machine that is
/// busy with something else, or whose disk is, is no verdict.
const UNANSWERED: usize = 20;

/// All modes of a store.
pub(super) fn add<S: Site>(
    measured: &mut Measured,
    runtime: &Runtime,
    site: &S,
    plan: Plan,
) -> Result<()> {
    let open = |trouble| runtime.block_on(fleet(site, plan.bound, trouble));
    let add = |measured: &mut Measured, mode, outcomes: Vec<Outcome>| {
        note(measured, &format!("{}_{mode}", S::NAME), &outcomes, Some(plan.bound));
    };
    // Whoever only looks now and then hears of many at once.
    let healthy = if S::IS_PUSHED { single(plan) } else { together(plan) };

    let nodes = open(Trouble::default())?;
    add(measured, "idle", repeat(plan.rounds, || healthy.run(runtime, &nodes, || ()))?);
    let load = Load::begin(runtime, &nodes, plan.others)?;
    add(measured, "loaded", repeat(plan.rounds, || healthy.run(runtime, &nodes, || ()))?);
    let checks = load.end(runtime)?;
    measured.figure(format!("{}_loaded_checks_per_second", S::NAME), checks);
    close(runtime, &nodes)?;

    let nodes = open(Trouble { deaf: true, ..Trouble::default() })?;
    add(measured, "deaf", repeat(plan.rounds, || together(plan).run(runtime, &nodes, || ()))?);
    close(runtime, &nodes)?;

    if let Some(server) = site.address() {
        let network = Proxy::to(server)?;
        let nodes = open(Trouble { network: Some(&network), ..Trouble::default() })?;
        add(measured, "cut_off", cut_off(runtime, &network, &nodes, plan)?);
        close(runtime, &nodes)?;
    }
    Ok(())
}

/// So that they do not go on following the log beside the next ones.
fn close(runtime: &Runtime, nodes: &[Hallpass]) -> Result<()> {
    for node in nodes {
        runtime.block_on(node.shutdown())?;
    }
    Ok(())
}

/// Many revocations, one shortly after the other, so that they come at any time between two looks
/// of a node.
fn together(plan: Plan) -> Window {
    let tokens = AT_ONCE.min(plan.rounds);
    Window { tokens, apart: Duration::from_millis(10), ..single(plan) }
}

/// Windows, until there have been so many rounds.
fn repeat(rounds: usize, mut window: impl FnMut() -> Result<Vec<Outcome>>) -> Result<Vec<Outcome>> {
    let (mut outcomes, mut unanswered) = (Vec::new(), 0);
    while outcomes.len() < rounds {
        match window() {
            Ok(more) => outcomes.extend(more),
            Err(error) if unanswered < UNANSWERED && is_unavailable(&error) => unanswered += 1,
            Err(error) => return Err(error),
        }
    }
    if unanswered > 0 {
        println!("{unanswered} changes were answered with 503, and made again with other tokens");
    }
    Ok(outcomes)
}

/// The last node loses its store, and hears of nothing; then the tokens are revoked, all at once.
fn cut_off(
    runtime: &Runtime,
    network: &Proxy,
    nodes: &[Hallpass],
    plan: Plan,
) -> Result<Vec<Outcome>> {
    let tokens = (2 * AT_ONCE).min(plan.rounds);
    let window = Window { tokens, revokers: LAST, ..single(plan) };
    repeat(plan.rounds, || {
        let outcomes = window.run(runtime, nodes, || network.swallow());
        network.heal();
        // What was lost stays lost: the node learns at once that its connections are of no use.
        network.cut();
        outcomes
    })
}

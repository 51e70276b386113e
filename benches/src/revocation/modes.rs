//! Measures revocations with one store in each mode.

use std::time::Duration;

use anyhow::Result;
use hallpass_core::Hallpass;
use hallpass_servers::Proxy;
use tokio::runtime::Runtime;

use super::fleet::{LAST, Trouble, fleet, is_unavailable};
use super::load::Load;
use super::outcomes::add_outcomes;
use super::window::{Outcome, Window};
use super::{Plan, single};
use crate::backend::Backend;
use crate::harness::Measured;

/// The number of tokens that are watched at once if nodes only poll.
const AT_ONCE: usize = 50;

/// The maximum number of windows per mode in which the store may fail to respond in time. A busy
/// machine or disk may cause this.
const UNANSWERED: usize = 20;

/// Measures all modes of a store.
pub(super) fn add<S: Backend>(
    measured: &mut Measured,
    runtime: &Runtime,
    backend: &S,
    plan: Plan,
) -> Result<()> {
    let open = |trouble| runtime.block_on(fleet(backend, plan.bound, trouble));
    let add = |measured: &mut Measured, mode, outcomes: Vec<Outcome>| {
        add_outcomes(measured, &format!("{}_{mode}", S::NAME), &outcomes, Some(plan.bound));
    };
    // A poll reports many changes at once, so nodes that only poll are measured with many tokens.
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

    if let Some(server) = backend.address() {
        let network = Proxy::to(server)?;
        let nodes = open(Trouble { network: Some(&network), ..Trouble::default() })?;
        add(measured, "cut_off", cut_off(runtime, &network, &nodes, plan)?);
        close(runtime, &nodes)?;
    }
    Ok(())
}

/// Shuts the nodes down, so that they do not keep polling the change log during the next mode.
fn close(runtime: &Runtime, nodes: &[Hallpass]) -> Result<()> {
    for node in nodes {
        runtime.block_on(node.shutdown())?;
    }
    Ok(())
}

/// Returns a window with many revocations in short succession, which fall at any time between two
/// polls of a node.
fn together(plan: Plan) -> Window {
    let tokens = AT_ONCE.min(plan.rounds);
    Window { tokens, apart: Duration::from_millis(10), ..single(plan) }
}

/// Runs windows until there are outcomes for `rounds` tokens.
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
        println!(
            "{unanswered} changes failed because the store was unavailable, and were repeated with other tokens"
        );
    }
    Ok(outcomes)
}

/// Disconnects the last node from its store and then revokes all tokens.
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
        // Dropped packets are lost permanently. Closing the connections makes the node open new
        // ones immediately.
        network.cut();
        outcomes
    })
}

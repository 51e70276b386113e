//! The days that a revocation may come on, with one store.

use std::time::Duration;

use anyhow::Result;
use hallpass_core::Hallpass;
use hallpass_servers::Proxy;
use tokio::runtime::Runtime;

use super::fleet::{LAST, Trouble, fleet};
use super::load::Load;
use super::told::note;
use super::window::{Outcome, Window};
use super::{Plan, single};
use crate::harness::Measured;
use crate::site::Site;

/// How many tokens share a window where a node hears of them late: they are watched at once.
const AT_ONCE: usize = 50;

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
    add(measured, "idle", repeat(runtime, &nodes, healthy, plan.rounds)?);
    let load = Load::begin(runtime, &nodes, plan.others)?;
    add(measured, "loaded", repeat(runtime, &nodes, healthy, plan.rounds)?);
    let checks = load.end(runtime)?;
    measured.figure(format!("{}_loaded_checks_per_second", S::NAME), checks);
    close(runtime, &nodes)?;

    let nodes = open(Trouble { deaf: true, ..Trouble::default() })?;
    add(measured, "deaf", repeat(runtime, &nodes, together(plan), plan.rounds)?);
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

/// Many revocations, one shortly after the other, so that they come at any time between two looks of a node.
fn together(plan: Plan) -> Window {
    let tokens = AT_ONCE.min(plan.rounds);
    Window { tokens, apart: Duration::from_millis(10), ..single(plan) }
}

fn repeat(
    runtime: &Runtime,
    nodes: &[Hallpass],
    window: Window,
    rounds: usize,
) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    while outcomes.len() < rounds {
        outcomes.extend(window.run(runtime, nodes, || ())?);
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
    let mut outcomes = Vec::new();
    while outcomes.len() < plan.rounds {
        outcomes.extend(window.run(runtime, nodes, || network.swallow())?);
        network.heal();
        // What was lost stays lost: the node learns at once that its connections are of no use.
        network.cut();
    }
    Ok(outcomes)
}

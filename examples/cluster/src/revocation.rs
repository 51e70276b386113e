//! The demonstration: a token is revoked on one node, and the program shows when the others reject
//! it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use hallpass::{Actor, NewToken, PlainToken};
use reqwest::{Client, StatusCode};

use crate::node::Node;

/// The time by which all nodes must reject the token: the bound of their caches, and as much again
/// for a slow machine.
const BOUND: Duration = Duration::from_secs(4);

/// Waits until all nodes accept a token, revokes it on the first one, and prints when each of them
/// rejects it.
pub(crate) async fn a_revocation(nodes: &[Node]) -> Result<String> {
    let client = Client::new();
    let [first, others @ ..] = nodes else { anyhow::bail!("there is no node") };
    let alice = Actor::owner("alice");
    let new = NewToken::named("cluster").description("made by the cluster").expires("1d");
    let issued = first.hallpass.issue(&alice, new).await?;
    for node in nodes {
        let status = ask(&client, node, &issued.token).await?;
        ensure!(status == StatusCode::OK, "node {} says {status} to a good token", node.number);
    }

    first.hallpass.revoke(&alice, issued.record.id).await?;
    let revoked = Instant::now();
    let status = ask(&client, first, &issued.token).await?;
    ensure!(status == StatusCode::UNAUTHORIZED, "the revoking node still says {status}");
    let refused = others.iter().map(|node| async {
        while ask(&client, node, &issued.token).await? != StatusCode::UNAUTHORIZED {
            ensure!(revoked.elapsed() < BOUND, "node {} still accepts it", node.number);
        }
        anyhow::Ok((node.number, revoked.elapsed()))
    });
    let refused = try_join_all(refused).await?;

    let mut said = format!(
        "\nA token of alice's was accepted by all {} nodes, and revoked on node {}.\n",
        nodes.len(),
        first.number
    );
    writeln!(said, "  node {}: refused from then on", first.number)?;
    for (number, after) in refused {
        writeln!(said, "  node {number}: refused {:.1} ms later", after.as_secs_f64() * 1000.0)?;
    }
    said.push_str(TRY);
    Ok(said)
}

async fn ask(client: &Client, node: &Node, token: &PlainToken) -> Result<StatusCode> {
    let url = format!("http://{}/api/me", node.address());
    let answer = client.get(url).bearer_auth(token.reveal()).send().await;
    // The error contains the URL but no header.
    Ok(answer.with_context(|| format!("node {} does not answer", node.number))?.status())
}

const TRY: &str = "
Each connection goes to the next node; `X-Node` says which one answered. Sign in as alice (wonderland), issue a token,
revoke it, and see: it is the quickstart, three times. Its page is at /settings/tokens.
";

//! The demonstration: a token is revoked on one node, and the program measures when the other nodes
//! reject it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use hallpass::{Actor, NewToken, PlainToken};
use reqwest::{Client, StatusCode};

use crate::node::Node;

/// The time limit for all nodes to reject the token: twice the staleness limit of their caches, to
/// allow for a slow machine.
const LIMIT: Duration = Duration::from_secs(4);

/// Issues a token, checks that all nodes accept it, revokes it on the first node, and returns a
/// report of when each node rejects it.
pub(crate) async fn demonstrate(nodes: &[Node]) -> Result<String> {
    let client = Client::new();
    let [first, others @ ..] = nodes else { anyhow::bail!("there is no node") };
    let alice = Actor::owner("alice");
    let new = NewToken::named("cluster").description("made by the cluster").expires("1d");
    let issued = first.hallpass.issue(&alice, new).await?;
    for node in nodes {
        let status = request_status(&client, node, &issued.token).await?;
        ensure!(
            status == StatusCode::OK,
            "node {} returned {status} for a valid token",
            node.number
        );
    }

    first.hallpass.revoke(&alice, issued.record.id).await?;
    let revoked = Instant::now();
    let status = request_status(&client, first, &issued.token).await?;
    ensure!(
        status == StatusCode::UNAUTHORIZED,
        "the revoking node returned {status} for the revoked token"
    );
    let rejected = others.iter().map(|node| async {
        while request_status(&client, node, &issued.token).await? != StatusCode::UNAUTHORIZED {
            ensure!(revoked.elapsed() < LIMIT, "node {} still accepts the token", node.number);
        }
        anyhow::Ok((node.number, revoked.elapsed()))
    });
    let rejected = try_join_all(rejected).await?;

    let mut report = format!(
        "\nAll {} nodes accepted a token of alice. Then it was revoked on node {}.\n",
        nodes.len(),
        first.number
    );
    writeln!(report, "  node {}: rejected immediately", first.number)?;
    for (number, after) in rejected {
        writeln!(report, "  node {number}: rejected {:.1} ms later", after.as_secs_f64() * 1000.0)?;
    }
    report.push_str(NEXT_STEPS);
    Ok(report)
}

/// Sends a request with a token to a node and returns the status of the response.
async fn request_status(client: &Client, node: &Node, token: &PlainToken) -> Result<StatusCode> {
    let url = format!("http://{}/api/me", node.address());
    let answer = client.get(url).bearer_auth(token.reveal()).send().await;
    // The error contains the URL, but not the header with the token.
    Ok(answer.with_context(|| format!("node {} does not respond", node.number))?.status())
}

const NEXT_STEPS: &str = "
Each connection goes to the next node. The response header `X-Node` has the number of the node. To try the service, sign
in as alice with the password wonderland and manage tokens at /settings/tokens.
";

//! A flood of forged tokens, as a closed loop: each connection waits for a response before it sends
//! the next token.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hallpass_core::{Actor, Issued, NewToken};
use hallpass_memory::MemoryStore;
use hallpass_testkit::Operation;

use super::{Node, settings};

/// Issues a token to one of many owners, so that no owner reaches the limit.
async fn issue(node: &Node, number: usize) -> Issued {
    let owner = Actor::owner(format!("owner-{}", number / 40));
    node.hallpass.issue(&owner, NewToken::named("ci")).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn valid_tokens_are_served_during_a_flood_of_forged_ones() {
    let node = Arc::new(Node::with(&MemoryStore::new(), settings().negative_capacity(0)));
    let elsewhere = Node::new(&MemoryStore::new());
    let (mut valid, mut made_up) = (Vec::new(), Vec::new());
    for number in 0..300 {
        valid.push(issue(&node, number).await);
    }
    for number in 0..2000 {
        made_up.push(issue(&elsewhere, number).await);
    }
    // Each read of the store takes about a millisecond.
    node.faults().on(Operation::Get).delay(Duration::from_millis(1));
    let (made_up, stop) = (Arc::new(made_up), Arc::new(AtomicBool::new(false)));
    let flood: Vec<_> = (0..400)
        .map(|connection| {
            let (node, made_up, stop) =
                (Arc::clone(&node), Arc::clone(&made_up), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut next = connection * 5;
                while !stop.load(Ordering::Relaxed) {
                    let _ = node.check(&made_up[next % made_up.len()]).await;
                    next += 1;
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut rejected = 0;
    for token in &valid {
        rejected += usize::from(!node.accepts(token).await);
    }
    stop.store(true, Ordering::Relaxed);
    for connection in flood {
        connection.await.unwrap();
    }
    assert!(rejected <= 3, "{rejected} of 300 valid tokens were rejected");
}

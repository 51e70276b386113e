//! A node in its own process, for the staleness tests. It reads one action per line from the
//! standard input and writes one outcome per line to the standard output.

mod action;

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use hallpass_sqlite::SqliteStore;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::action::{Action, LocalNode, cached};

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, bound, disabled] = &arguments[..] else {
        panic!("expected three arguments: a path, a staleness limit in ms and a directory");
    };
    let bound = Duration::from_millis(bound.parse().expect("milliseconds"));
    let store = SqliteStore::open(path).await.expect("the store opens");
    let node = Arc::new(LocalNode::new(cached(store, bound), Some(disabled.into())));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await.expect("text") {
        let (number, action): (u64, Action) = serde_json::from_str(&line).expect("an action");
        let node = Arc::clone(&node);
        tokio::spawn(async move {
            let outcome = node.perform(action).await;
            let line = serde_json::to_string(&(number, outcome)).expect("a line");
            writeln!(std::io::stdout().lock(), "{line}")
                .expect("the test process reads the outcomes");
        });
    }
}

//! A node in a process of its own, for the tests of coherence: actions come in as lines, outcomes
//! go out.

mod action;

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use hallpass_sqlite::SqliteStore;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::action::{Action, Place, cached};

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, bound, disabled] = &arguments[..] else {
        panic!("a path, a bound and a directory, please");
    };
    let bound = Duration::from_millis(bound.parse().expect("milliseconds"));
    let store = SqliteStore::open(path).await.expect("the store opens");
    let place = Arc::new(Place::new(cached(store, bound), Some(disabled.into())));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await.expect("text") {
        let (number, action): (u64, Action) = serde_json::from_str(&line).expect("an action");
        let place = Arc::clone(&place);
        tokio::spawn(async move {
            let outcome = place.perform(action).await;
            let line = serde_json::to_string(&(number, outcome)).expect("a line");
            writeln!(std::io::stdout().lock(), "{line}").expect("somebody listens");
        });
    }
}

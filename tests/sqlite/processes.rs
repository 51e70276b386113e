use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use hallpass_core::TokenId;
use hallpass_core::store::{Position, Seq, TokenStore as _};
use hallpass_tests::tokens::{at, edited, owner, token};

use super::{everything, open, place};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sqlite-process");

/// Another process on the same file.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, lines }
    }

    fn on(path: &Path, task: &str) -> Self {
        let mut command = Command::new(PROGRAM);
        command.arg(task).arg(path);
        Self::start(command)
    }

    fn line(&mut self) -> Option<String> {
        self.lines.next().map(|line| line.expect("text"))
    }

    fn go(&mut self) {
        self.child.stdin.take().expect("its input").write_all(b"go\n").expect("it listens");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn what_is_stored_is_there_when_the_file_is_opened_again() {
    let (_directory, path) = place();
    let (kept, revoked) = (token("alice", "kept"), token("alice", "revoked"));
    let store = open(&path).await;
    for token in [&kept, &revoked] {
        store.insert(token, None).await.unwrap();
    }
    let change = edited(&revoked.record, |record| record.revoked_at = Some(at(1)));
    let seq = store.change(&change).await.unwrap();
    let head = store.changes(None, 0).await.unwrap().head;
    store.close().await;
    assert!(store.ping().await.unwrap_err().is_unavailable(), "it is closed");

    let store = open(&path).await;
    let found = store.find(revoked.record.id).await.unwrap();
    assert_eq!((found.value.unwrap().record, found.as_of), (change.record, seq));
    assert_eq!(store.find(kept.record.id).await.unwrap().value.unwrap().record, kept.record);
    let log = store.changes(Some(head), 10).await.unwrap();
    assert_eq!((log.lines[0].at, log.head), (head, head), "history goes on where it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stores_on_one_file_see_each_others_changes_at_once() {
    let (_directory, path) = place();
    let (one, two) = (open(&path).await, open(&path).await);
    for round in 0..50 {
        let token = token("alice", "ci");
        let issued = one.insert(&token, None).await.unwrap();
        let found = two.find(token.record.id).await.unwrap();
        assert!(found.value.is_some() && found.as_of == issued, "round {round}");
        let gone = two.delete(token.record.id, None).await.unwrap();
        assert_eq!(gone, issued.next());
        assert!(one.find(token.record.id).await.unwrap().value.is_none(), "round {round}");
    }
    // One that is closed takes no lock of the other's along.
    two.close().await;
    one.insert(&token("alice", "ci"), None).await.unwrap();
}

/// Starts so many processes that issue 50 tokens of alice's each, lets them go at once, and counts what
/// they say.
fn race(path: &Path, processes: usize) -> HashMap<String, u32> {
    let mut processes: Vec<_> = (0..processes).map(|_| Process::on(path, "issue")).collect();
    for process in &mut processes {
        assert_eq!(process.line().as_deref(), Some("ready"));
    }
    for process in &mut processes {
        process.go();
    }
    let mut told: HashMap<String, u32> = HashMap::new();
    for mut process in processes {
        while let Some(line) = process.line() {
            *told.entry(line).or_default() += 1;
        }
    }
    told
}

#[tokio::test]
async fn the_limit_is_exact_among_processes() {
    let (_directory, path) = place();
    let store = open(&path).await;
    for _ in 0..49 {
        store.insert(&token("alice", "ci"), Some(50)).await.unwrap();
    }
    let expected = HashMap::from([("issued".to_owned(), 1), ("limit".to_owned(), 149)]);
    assert_eq!(race(&path, 3), expected);
    assert_eq!(store.changes(None, 0).await.unwrap().head.seq.get(), 50);
    assert_eq!(store.delete_owner(&owner("alice")).await.unwrap().count, 50);
}

#[tokio::test]
async fn several_processes_may_make_the_file_at_once() {
    let (_directory, path) = place();
    let expected = HashMap::from([("issued".to_owned(), 50), ("limit".to_owned(), 150)]);
    assert_eq!(race(&path, 4), expected);
    let store = open(&path).await;
    let log = store.changes(Some(Position { seq: Seq::new(1), nonce: 0 }), 100).await.unwrap();
    let numbers: Vec<_> = log.lines.iter().map(|line| line.at.seq.get()).collect();
    assert_eq!(numbers, (1..=50).collect::<Vec<_>>(), "one history, without a gap");
}

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let (_directory, path) = place();
    let mut expected: HashMap<TokenId, bool> = HashMap::new();
    for _ in 0..3 {
        let mut process = Process::on(&path, "churn");
        for _ in 0..21 {
            let line = process.line().expect("it goes on");
            let (done, id) = line.split_once(' ').expect("what and whose");
            expected.insert(id.parse().unwrap(), done == "revoked");
        }
        process.child.kill().expect("it runs");
    }
    let store = open(&path).await;
    for (id, is_revoked) in expected {
        let record = store.find(id).await.unwrap().value.expect("it was issued").record;
        assert!(record.revoked_at.is_some() || !is_revoked, "{id} was revoked");
    }
    // Nothing is half done: each token was logged once when issued, and once when revoked.
    let head = store.changes(None, 0).await.unwrap().head;
    let mut logged = 0;
    for record in store.list(&everything()).await.unwrap().records {
        logged += 1 + u64::from(record.revoked_at.is_some());
    }
    assert_eq!(head.seq.get(), logged);
}

/// A limit on the size of files is a full disk for one process.
#[cfg(unix)]
#[tokio::test]
async fn on_a_full_disk_changes_are_refused_and_checks_go_on() {
    let (_directory, path) = place();
    open(&path).await.close().await;
    let mut command = Command::new("sh");
    // The signal that comes with it would end the process otherwise.
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 500; exec \"$0\" fill \"$1\"", PROGRAM])
        .arg(&path);
    let mut process = Process::start(command);
    for _ in 0..3 {
        assert_eq!(process.line().as_deref(), Some("refused, read only: true"));
    }
    assert_eq!(process.line().as_deref(), Some("found: true"));
    assert!(process.child.wait().unwrap().success());
    // Without the limit the file is as good as before.
    let store = open(&path).await;
    store.insert(&token("alice", "ci"), None).await.unwrap();
}

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use hallpass_core::TokenId;
use hallpass_core::store::{ChangeEntry, ChangeSeq, ChangeTarget, LogPosition, TokenStore as _};
use hallpass_tests::tokens::{event, owner, token};

use super::{everything, open, place};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sqlite-process");

/// Another process that works on the same file.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
        let lines =
            BufReader::new(child.stdout.take().expect("the process has no standard output"))
                .lines();
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
        self.child
            .stdin
            .take()
            .expect("the process has no standard input")
            .write_all(b"go\n")
            .expect("the process does not read its input");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts this number of processes that issue 50 tokens of alice each, lets them start together,
/// and counts their output lines.
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
async fn limit_is_exact_among_processes() {
    let (_directory, path) = place();
    let store = open(&path).await;
    for _ in 0..49 {
        store.insert(&token("alice", "ci"), Some(50), &event()).await.unwrap();
    }
    let expected = HashMap::from([("issued".to_owned(), 1), ("limit".to_owned(), 149)]);
    assert_eq!(race(&path, 3), expected);
    assert_eq!(store.changes(None, 0).await.unwrap().head.seq.get(), 50);
    assert_eq!(store.delete_owner(&owner("alice"), &event()).await.unwrap().count, 50);
}

#[tokio::test]
async fn follower_misses_no_change_of_several_processes() {
    let (_directory, path) = place();
    let store = open(&path).await;
    let mut processes: Vec<_> = (0..3).map(|_| Process::on(&path, "mix")).collect();
    for process in &mut processes {
        assert_eq!(process.line().as_deref(), Some("ready"));
    }
    for process in &mut processes {
        process.go();
    }
    let told = tokio::task::spawn_blocking(move || {
        let lines = processes.iter_mut().flat_map(|process| std::iter::from_fn(|| process.line()));
        let told: Vec<_> = lines.collect();
        assert!(processes.iter_mut().all(|process| process.child.wait().unwrap().success()));
        told
    });
    // There are 3 processes with 15 rounds of 6 changes each.
    let mut seen: Vec<ChangeEntry> = Vec::new();
    while seen.len() < 270 {
        let from = seen
            .last()
            .map_or(LogPosition { seq: ChangeSeq::new(1), nonce: 0 }, |line| line.position);
        let are_done = told.is_finished();
        let log = store.changes(Some(from), 50).await.unwrap();
        assert!(!are_done || log.entries.len() > 1, "the processes have ended early");
        let known = usize::from(!seen.is_empty());
        assert!(
            seen.is_empty() || log.entries[0].position == from,
            "the log must start at the requested position"
        );
        for line in log.entries.into_iter().skip(known) {
            assert_eq!(
                line.position.seq.get(),
                seen.len() as u64 + 1,
                "the numbers must have no gap"
            );
            if let ChangeTarget::Token(id) = line.target {
                assert!(
                    store.get(id).await.unwrap().as_of >= line.position.seq,
                    "a logged change must be visible"
                );
            }
            seen.push(line);
        }
    }
    let mut told = told.await.unwrap();
    let mut logged: Vec<_> = seen
        .into_iter()
        .map(|line| match line.target {
            ChangeTarget::Token(id) => format!("{} token {id}", line.position.seq.get()),
            ChangeTarget::Owner(owner) => format!("{} owner {owner}", line.position.seq.get()),
            other => panic!("{other:?}"),
        })
        .collect();
    told.sort();
    logged.sort();
    assert_eq!(logged, told, "each call must return the number of its log entry");
    assert_eq!(store.list(&everything()).await.unwrap().counts.of(None), 0);
}

#[tokio::test]
async fn file_can_be_created_by_several_processes_at_once() {
    let (_directory, path) = place();
    let expected = HashMap::from([("issued".to_owned(), 50), ("limit".to_owned(), 150)]);
    assert_eq!(race(&path, 4), expected);
    let store = open(&path).await;
    let log =
        store.changes(Some(LogPosition { seq: ChangeSeq::new(1), nonce: 0 }), 100).await.unwrap();
    let numbers: Vec<_> = log.entries.iter().map(|line| line.position.seq.get()).collect();
    assert_eq!(numbers, (1..=50).collect::<Vec<_>>(), "there must be one history without a gap");
}

#[tokio::test]
async fn acknowledged_change_survives_a_kill() {
    let (_directory, path) = place();
    let mut expected: HashMap<TokenId, bool> = HashMap::new();
    for _ in 0..3 {
        let mut process = Process::on(&path, "churn");
        for _ in 0..21 {
            let line = process.line().expect("the process ended early");
            let (done, id) = line.split_once(' ').expect("the line must have an action and an id");
            expected.insert(id.parse().unwrap(), done == "revoked");
        }
        process.child.kill().expect("cannot kill the process");
    }
    let store = open(&path).await;
    for (id, is_revoked) in expected {
        let record = store.get(id).await.unwrap().value.expect("an issued token is missing").record;
        assert!(record.revoked_at.is_some() || !is_revoked, "the revocation of {id} is missing");
    }
    // No change was made partially: each token was logged once when it was issued, and once when it
    // was revoked.
    let head = store.changes(None, 0).await.unwrap().head;
    let mut logged = 0;
    for record in store.list(&everything()).await.unwrap().records {
        logged += 1 + u64::from(record.revoked_at.is_some());
    }
    assert_eq!(head.seq.get(), logged);
}

/// A limit on the size of files has the effect of a full disk for one process.
#[cfg(unix)]
#[tokio::test]
async fn full_disk_rejects_changes_but_not_checks() {
    let (_directory, path) = place();
    open(&path).await.close().await;
    let mut command = Command::new("sh");
    // The signal that accompanies the limit would otherwise end the process.
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 500; exec \"$0\" fill \"$1\"", PROGRAM])
        .arg(&path);
    let mut process = Process::start(command);
    for _ in 0..3 {
        assert_eq!(process.line().as_deref(), Some("rejected, read only: true"));
    }
    assert_eq!(process.line().as_deref(), Some("found: true"));
    assert!(process.child.wait().unwrap().success());
    // Without the limit the file is usable again.
    let store = open(&path).await;
    store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
}

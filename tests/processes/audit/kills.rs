//! Server processes that are killed with SIGKILL while they commit changes.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures::future::join_all;
use hallpass_core::{Actor, EventKind, Hallpass, ListOptions};
use hallpass_tests::management::{Request, trail};
use hallpass_tests::nodes::owner;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::stores::{Database, on_stores};

/// The number of times that a server is started and killed.
const KILLS: usize = 12;

/// The number of owners that change their tokens concurrently.
const OWNERS: usize = 8;

struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(arguments: &[String]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_audit-process"));
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, address: line.trim().parse().expect("the server's address") }
    }
}

impl Drop for Process {
    /// Kills the process with SIGKILL.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request. Returns the body of the response, or `None` if the server was killed before it
/// responded.
async fn answer(address: SocketAddr, request: &Request<'_>) -> Option<String> {
    let mut socket = TcpStream::connect(address).await.ok()?;
    let text = request.text().replace("host:", "connection: close\r\nhost:");
    socket.write_all(text.as_bytes()).await.ok()?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 2").then(|| body.to_owned())
}

/// Issues and revokes tokens until the server is killed. Returns the number of successful
/// responses.
async fn change(address: SocketAddr, person: &str) -> usize {
    let mut answered = 0;
    loop {
        let issue = Request::by(person, "POST", "/tokens".to_owned(), r#"{"name": "ci"}"#);
        let Some(body) = answer(address, &issue).await else { return answered };
        answered += 1;
        let body: serde_json::Value = serde_json::from_str(&body).expect("the body is JSON");
        let id = body["id"].as_str().expect("an id");
        let revoke = Request::by(person, "POST", format!("/tokens/{id}/revoke"), "");
        if answer(address, &revoke).await.is_none() {
            return answered;
        }
        answered += 1;
    }
}

async fn killed_server_leaves_no_change_without_audit_entry<D: Database>() {
    let database = D::create();
    let arguments = database.arguments();
    let mut answered = 0;
    for number in 0..KILLS {
        let process = Process::start(&arguments);
        let address = process.address;
        let clients: Vec<_> = (0..OWNERS)
            .map(|person| tokio::spawn(async move { change(address, &format!("p{person}")).await }))
            .collect();
        tokio::time::sleep(Duration::from_millis(120 + 17 * number as u64)).await;
        drop(process);
        for count in join_all(clients).await {
            answered += count.unwrap();
        }
    }

    let hallpass = Hallpass::builder(database.open().await).build();
    let trail = trail(&hallpass).await;
    for (entry, number) in trail.iter().zip(1..) {
        assert_eq!(entry.seq.get(), number, "the trail has a gap");
    }
    assert!(
        answered > 0 && trail.len() >= answered,
        "{answered} responses, {} entries",
        trail.len()
    );
    let mut audited = HashMap::<_, Vec<_>>::new();
    for entry in &trail {
        audited.entry(entry.event.token_id.unwrap()).or_default().push(entry.event.kind);
    }
    let mut tokens = 0;
    for person in 0..OWNERS {
        let root = Actor::admin("root");
        let mut cursor: Option<String> = None;
        loop {
            let mut options = ListOptions::new().owner(owner(&format!("p{person}"))).limit(100);
            if let Some(cursor) = cursor {
                options = options.cursor(cursor);
            }
            let page = hallpass.list(&root, &options).await.unwrap();
            for record in page.items {
                let mut expected = vec![EventKind::Issued];
                if record.revoked_at.is_some() {
                    expected.push(EventKind::Revoked);
                }
                assert_eq!(audited.get(&record.id), Some(&expected), "{record:?}");
                tokens += 1;
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
    }
    assert_eq!(tokens, audited.len(), "an entry is about a token that does not exist");
}

on_stores!(killed_server_leaves_no_change_without_audit_entry:
    sqlite SqliteFile, postgres PostgresDatabase, redis RedisNamespace);

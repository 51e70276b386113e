//! Floods of forged tokens and of edits.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use futures::future::join_all;
use hallpass_core::{Actor, Issued, NewToken};
use hallpass_tests::management::{Request, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::stores::{Database, on_stores};

/// The number of valid, uncached tokens that are sent during a flood of forged ones.
const COLD: usize = 300;

/// A lock that runs one test at a time, because each test uses the capacity of the whole machine.
static EXCLUSIVE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A log writer that counts the lines.
struct LogLines;

static LOGGED: AtomicUsize = AtomicUsize::new(0);

impl io::Write for LogLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.fetch_add(bytes.iter().filter(|byte| **byte == b'\n').count(), Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Installs a subscriber that counts the log lines at the level INFO, which services typically use.
fn count_log_lines() {
    static INSTALLED: LazyLock<()> = LazyLock::new(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_writer(|| LogLines)
            .finish();
        tracing::subscriber::set_global_default(subscriber)
            .expect("another subscriber is installed");
    });
    LazyLock::force(&INSTALLED);
}

/// Creates tokens with the right prefix, format and checksum that do not exist in the tested store.
/// They are issued in another store.
async fn forged_tokens() -> Arc<[String]> {
    let elsewhere = hallpass_core::Hallpass::builder(hallpass_memory::MemoryStore::new())
        .limits(hallpass_core::Limits::default().unlimited_tokens())
        .build();
    let mut forged = Vec::new();
    for _ in 0..5_000 {
        let issued = elsewhere.issue(&Actor::owner("eve"), NewToken::named("forged")).await;
        forged.push(issued.unwrap().token.reveal().to_owned());
    }
    forged.into()
}

/// Clients that send forged tokens until they are stopped.
struct Flood {
    is_over: Arc<AtomicBool>,
    clients: JoinSet<()>,
    sent: Arc<AtomicUsize>,
}

impl Flood {
    fn new() -> Self {
        Self { is_over: Arc::default(), clients: JoinSet::new(), sent: Arc::default() }
    }

    /// Starts to send forged tokens over a number of HTTP/1.1 connections.
    fn over_connections(address: SocketAddr, forged: &Arc<[String]>, connections: usize) -> Self {
        let mut flood = Self::new();
        for number in 0..connections {
            let (forged, ends) = (Arc::clone(forged), Arc::clone(&flood.is_over));
            let sent = Arc::clone(&flood.sent);
            flood.clients.spawn(async move {
                let mut socket = TcpStream::connect(address).await.unwrap();
                let mut answer = vec![0; 4096];
                let tokens = forged.iter().cycle().skip(number * 37);
                for token in tokens.take_while(|_| !ends.load(Ordering::Relaxed)) {
                    let request = Request::with_token(token).text();
                    socket.write_all(request.as_bytes()).await.unwrap();
                    // The response is so short that one read returns it.
                    assert!(socket.read(&mut answer).await.unwrap() > 0);
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        flood
    }

    /// Starts to send forged tokens over one HTTP/2 connection with a number of concurrent streams.
    async fn over_streams(address: SocketAddr, forged: &Arc<[String]>, streams: usize) -> Self {
        let mut flood = Self::new();
        let socket = TcpStream::connect(address).await.unwrap();
        let (client, connection) = h2::client::handshake(socket).await.unwrap();
        tokio::spawn(connection);
        for number in 0..streams {
            let (forged, ends) = (Arc::clone(forged), Arc::clone(&flood.is_over));
            let (client, sent) = (client.clone(), Arc::clone(&flood.sent));
            flood.clients.spawn(async move {
                let tokens = forged.iter().cycle().skip(number * 37);
                for token in tokens.take_while(|_| !ends.load(Ordering::Relaxed)) {
                    let request = http::Request::get(format!("http://{address}/"))
                        .header("authorization", format!("Bearer {token}"))
                        .body(())
                        .unwrap();
                    let mut ready = client.clone().ready().await.unwrap();
                    let (answer, _) = ready.send_request(request, true).unwrap();
                    let mut body = answer.await.unwrap().into_body();
                    while let Some(chunk) = body.data().await {
                        let length = chunk.unwrap().len();
                        body.flow_control().release_capacity(length).unwrap();
                    }
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        flood
    }

    /// Stops the flood and returns the number of requests that got a response.
    async fn stop(mut self) -> usize {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(client) = self.clients.join_next().await {
            client.unwrap();
        }
        self.sent.load(Ordering::Relaxed)
    }
}

/// Issues tokens on one node and starts another one on the same database. The cache of the second
/// node is empty.
async fn cold_node<D: Database>(database: &D) -> (Server, Vec<Issued>) {
    let issuer = Server::start(database.open().await).await;
    let mut tokens = Vec::new();
    for number in 0..COLD {
        let by = Actor::owner(format!("person-{number}"));
        tokens.push(issuer.hallpass.issue(&by, NewToken::named("ci")).await.unwrap());
    }
    (Server::start(database.open().await).await, tokens)
}

/// Sends every valid token once during the flood. Checks that at most 1 percent of them are
/// rejected and that at most 50 lines are logged per second.
async fn check_valid_tokens(server: &Server, tokens: &[Issued], flood: Flood) {
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (began, logged) = (Instant::now(), LOGGED.load(Ordering::Relaxed));
    let mut rejected = 0;
    for some in tokens.chunks(10) {
        let sent = some
            .iter()
            .map(async |issued| server.status(&Request::with_token(issued.token.reveal())).await);
        rejected += join_all(sent).await.into_iter().filter(|status| *status != 200).count();
    }
    let seconds = began.elapsed().as_secs_f64().max(1.0);
    let lines = (LOGGED.load(Ordering::Relaxed) - logged) as f64 / seconds;
    let sent = flood.stop().await;
    assert!(sent > COLD, "only {sent} forged tokens were sent");
    assert!(rejected <= COLD / 100, "{rejected} of {COLD} valid tokens were rejected");
    assert!(lines <= 50.0, "{lines} log lines per second");
}

async fn forged_tokens_do_not_block_valid_ones<D: Database>() {
    let _exclusive = EXCLUSIVE.lock().await;
    count_log_lines();
    let (database, forged) = (D::create(), forged_tokens().await);
    let (server, tokens) = cold_node(&database).await;
    let flood = Flood::over_connections(server.address, &forged, 400);
    check_valid_tokens(&server, &tokens, flood).await;

    let (server, tokens) = cold_node(&database).await;
    let flood = Flood::over_streams(server.address, &forged, 100).await;
    check_valid_tokens(&server, &tokens, flood).await;
}

/// The number of connections that edit one token concurrently.
const EDITORS: usize = 1500;

/// The number of tokens of other owners that are revoked during the edits.
const REVOKED: usize = 20;

async fn edits_do_not_block_revocations_of_other_owners<D: Database>() {
    let _exclusive = EXCLUSIVE.lock().await;
    count_log_lines();
    let database = D::create();
    let server = Server::start(database.open().await).await;
    let mallory = server.hallpass.issue(&Actor::owner("mallory"), NewToken::named("busy")).await;
    let edited = mallory.unwrap().record.id;
    let mut tokens = Vec::new();
    for number in 0..REVOKED {
        let by = Actor::owner(format!("person-{number}"));
        tokens.push(server.hallpass.issue(&by, NewToken::named("ci")).await.unwrap().record);
    }
    let is_over = Arc::<AtomicBool>::default();
    let statuses = Arc::<Mutex<Vec<usize>>>::new(Mutex::new(vec![0; 600]));
    let mut editors = JoinSet::new();
    for number in 0..EDITORS {
        let (ends, address) = (Arc::clone(&is_over), server.address);
        let statuses = Arc::clone(&statuses);
        editors.spawn(async move {
            let Ok(mut socket) = TcpStream::connect(address).await else { return };
            let (mut answer, mut round) = (vec![0; 8192], 0);
            while !ends.load(Ordering::Relaxed) {
                let body = format!(r#"{{"description": "{number}-{round}"}}"#);
                let path = format!("/tokens/{edited}");
                let request = Request::by("mallory", "PATCH", path, &body).text();
                if socket.write_all(request.as_bytes()).await.is_err() {
                    return;
                }
                let Ok(1..) = socket.read(&mut answer).await else { return };
                let status = std::str::from_utf8(&answer[9..12]).ok().and_then(|s| s.parse().ok());
                statuses.lock().unwrap()[status.unwrap_or(0_usize)] += 1;
                round += 1;
            }
        });
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    for record in &tokens {
        let path = format!("/tokens/{}/revoke", record.id);
        let status = server.status(&Request::by(record.owner.as_str(), "POST", path, "")).await;
        assert_eq!(status, 200, "a revocation failed during the flood of edits");
    }
    is_over.store(true, Ordering::Relaxed);
    while let Some(editor) = editors.join_next().await {
        editor.unwrap();
    }
    let applied = statuses.lock().unwrap()[200];
    assert!(applied > 0, "no edit was applied");
}

on_stores!(forged_tokens_do_not_block_valid_ones:
    sqlite SqliteFile, postgres PostgresDatabase, redis RedisNamespace);
on_stores!(edits_do_not_block_revocations_of_other_owners:
    sqlite SqliteFile, postgres PostgresDatabase, redis RedisNamespace);

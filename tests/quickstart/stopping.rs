//! Tests the shutdown of the quickstart.

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{Client, Ended, Issued, PATIENCE, Protocol, Server, TestDir};

/// Waits until the server accepts no more connections, which shows that the shutdown has begun.
async fn stops_listening(server: &Server) {
    let closed = async {
        while TcpStream::connect(server.address()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, closed).await.expect("the server still listens");
}

/// Sends the head of a request for a new project and waits for `100 Continue`. The request is then
/// in flight, and the handler waits for the body.
async fn request_in_flight(server: &Server, token: &str, body: &str) -> BufReader<TcpStream> {
    let mut connection =
        BufReader::new(TcpStream::connect(server.address()).await.expect("a connection"));
    let head = format!(
        "POST /api/projects HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        server.address(),
        body.len()
    );
    connection.write_all(head.as_bytes()).await.expect("cannot send");
    let mut line = String::new();
    timeout(PATIENCE, connection.read_line(&mut line))
        .await
        .expect("no response in time")
        .expect("no status line");
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
    connection
}

async fn issue(server: &Server) -> Issued {
    server.client(Protocol::Http1).sign_in("alice").await.issue(&["projects"]).await
}

#[tokio::test]
async fn ctrl_c_and_sigterm_shut_the_server_down() {
    let dir = TestDir::new();
    for signal in [Signal::INT, Signal::TERM] {
        let server = dir.start(&[]).await;
        server.signal(signal);
        server.end().await;
    }
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_shutdown() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let clients = Protocol::BOTH.map(|protocol| server.client(protocol));
    for client in &clients {
        client.get("/api/health").answer().await.expect(200);
    }
    let silent = TcpStream::connect(server.address()).await.expect("a connection");
    let output = server.stop().await;
    assert_eq!(output.stderr, "", "the shutdown aborted a request");
    drop(silent);
}

#[tokio::test]
async fn request_in_flight_is_completed() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let issued = issue(&server).await;
    let body = r#"{"id": "late", "title": "Late"}"#;
    let mut connection = request_in_flight(&server, &issued.token, body).await;
    server.signal(Signal::TERM);
    stops_listening(&server).await;
    connection.write_all(body.as_bytes()).await.expect("cannot send");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.expect("cannot read the response");
    assert!(answer.contains("HTTP/1.1 201 Created\r\n"), "{answer}");
    assert_eq!(server.end().await.stderr, "");
}

#[tokio::test]
async fn endless_request_is_aborted_and_uses_are_written() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let issued = issue(&server).await;
    let connection = request_in_flight(&server, &issued.token, "never sent").await;
    let output = server.stop().await;
    assert!(output.stderr.contains("did not end in time"), "{:?}", output.stderr);
    drop(connection);

    let server = dir.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    assert!(alice.show(&issued.id).await["last_used_at"].is_string());
    server.stop().await;
}

#[tokio::test]
async fn server_runs_with_a_closed_standard_output() {
    let dir = TestDir::new();
    // The pipe is closed before anything is written to it.
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("one");
    let mut command = dir.command(&["--listen", &port.to_string()]);
    let mut child = command.spawn().expect("the server starts");
    drop(child.stdout.take());
    let client = Client::new(port, Protocol::Http1);
    let serves = async {
        while client.get("/api/health").try_answer().await.is_err() {
            assert!(
                child.try_wait().expect("cannot wait for it").is_none(),
                "the server has ended"
            );
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, serves).await.expect("the server does not respond");
    let pid = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    kill_process(pid.expect("the server runs"), Signal::TERM).expect("cannot signal the server");
    let output = timeout(PATIENCE, child.wait_with_output())
        .await
        .expect("the server does not end")
        .expect("cannot wait for it");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn server_can_be_restarted_immediately() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let address = server.address().to_string();
    server.stop().await;
    // The second server uses the same port and the same file.
    let server = Server::started(dir.command(&["--listen", &address])).await;
    let taken: Ended = TestDir::new().run(&["--listen", &address]).await;
    assert_eq!(taken.code, Some(1));
    server.stop().await;
}

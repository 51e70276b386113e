//! It ends when it is told to, and in good order.

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{Client, Ended, Issued, PATIENCE, Place, Protocol, Server};

/// Waits until it takes no more connections: it has heard that it is to end.
async fn closes_its_door(server: &Server) {
    let closed = async {
        while TcpStream::connect(server.address()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, closed).await.expect("it closes its door");
}

/// A request for a new project that has been answered with `100 Continue`: it is being worked on,
/// and waits for its body.
async fn request_under_way(server: &Server, token: &str, body: &str) -> BufReader<TcpStream> {
    let mut connection =
        BufReader::new(TcpStream::connect(server.address()).await.expect("a connection"));
    let head = format!(
        "POST /api/projects HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        server.address(),
        body.len()
    );
    connection.write_all(head.as_bytes()).await.expect("it listens");
    let mut line = String::new();
    timeout(PATIENCE, connection.read_line(&mut line)).await.expect("in time").expect("a line");
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
    connection
}

async fn issue(server: &Server) -> Issued {
    server.client(Protocol::Http1).sign_in("alice").await.issue(&["projects"]).await
}

#[tokio::test]
async fn ctrl_c_ends_it_as_sigterm_does() {
    let place = Place::new();
    for signal in [Signal::INT, Signal::TERM] {
        let server = place.start(&[]).await;
        server.signal(signal);
        server.end().await;
    }
}

#[tokio::test]
async fn open_connections_do_not_keep_it() {
    let place = Place::new();
    let server = place.start(&[]).await;
    let clients = Protocol::BOTH.map(|protocol| server.client(protocol));
    for client in &clients {
        client.get("/api/health").answer().await.expect(200);
    }
    let silent = TcpStream::connect(server.address()).await.expect("a connection");
    let output = server.stop().await;
    assert_eq!(output.stderr, "", "nothing had to be cut off");
    drop(silent);
}

#[tokio::test]
async fn a_request_that_is_under_way_is_answered() {
    let place = Place::new();
    let server = place.start(&[]).await;
    let issued = issue(&server).await;
    let body = r#"{"id": "late", "title": "Late"}"#;
    let mut connection = request_under_way(&server, &issued.token, body).await;
    server.signal(Signal::TERM);
    closes_its_door(&server).await;
    connection.write_all(body.as_bytes()).await.expect("it listens");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.expect("an answer, and then the end");
    assert!(answer.contains("HTTP/1.1 201 Created\r\n"), "{answer}");
    assert_eq!(server.end().await.stderr, "");
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_off_and_uses_are_written() {
    let place = Place::new();
    let server = place.start(&[]).await;
    let issued = issue(&server).await;
    let connection = request_under_way(&server, &issued.token, "never sent").await;
    let output = server.stop().await;
    assert!(output.stderr.contains("did not end in time"), "{:?}", output.stderr);
    drop(connection);

    let server = place.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    assert!(alice.show(&issued.id).await["last_used_at"].is_string());
    server.stop().await;
}

#[tokio::test]
async fn it_serves_on_when_nobody_reads_what_it_prints() {
    let place = Place::new();
    // The pipe is closed before anything is written to it.
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("one");
    let mut command = place.command(&["--listen", &port.to_string()]);
    let mut child = command.spawn().expect("it starts");
    drop(child.stdout.take());
    let client = Client::new(port, Protocol::Http1);
    let serves = async {
        while client.get("/api/health").try_answer().await.is_err() {
            assert!(child.try_wait().expect("it is ours").is_none(), "it runs");
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, serves).await.expect("it serves");
    let pid = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    kill_process(pid.expect("it runs"), Signal::TERM).expect("it can be told");
    let output =
        timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").expect("it is ours");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_second_start_waits_for_nothing_of_the_first() {
    let place = Place::new();
    let server = place.start(&[]).await;
    let address = server.address().to_string();
    server.stop().await;
    // The same port, the same file, at once.
    let server = Server::started(place.command(&["--listen", &address])).await;
    let taken: Ended = Place::new().run(&["--listen", &address]).await;
    assert_eq!(taken.code, Some(1));
    server.stop().await;
}

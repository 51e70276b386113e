//! Poll-only: what passes a pooler that gives each transaction another connection.

use std::net::{Ipv4Addr, SocketAddr};

use hallpass_core::store::{ListQuery, TokenStore as _, Use};
use hallpass_postgres::{PostgresSettings, PostgresStore};
use hallpass_servers::Postgres;
use hallpass_tests::tokens::{at, digest, edited, owner, secrets, token};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{database, server};

/// A pooler in its smallest form: each of its clients has two connections to the server, and each transaction gets
/// the one that the transaction before did not have.
async fn pooler_to(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            // It ends when either side goes away.
            tokio::spawn(async move { drop(serve(client, server).await) });
        }
    });
    address
}

async fn serve(mut client: TcpStream, server: SocketAddr) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let length = client.read_u32().await?;
    let mut startup = length.to_be_bytes().to_vec();
    startup.resize(length as usize, 0);
    client.read_exact(&mut startup[4..]).await?;

    let mut servers = [TcpStream::connect(server).await?, TcpStream::connect(server).await?];
    for (number, server) in servers.iter_mut().enumerate() {
        server.write_all(&startup).await?;
        loop {
            let message = message(server).await?;
            if number == 0 {
                client.write_all(&message).await?;
            }
            if is_over(&message) {
                break;
            }
        }
    }
    let mut turn = 0;
    let mut asked = vec![0; 64 * 1024];
    // They take turns: the client asks in one go, and waits until it is answered in full.
    loop {
        let length = client.read(&mut asked).await?;
        if length == 0 {
            return Ok(());
        }
        servers[turn].write_all(&asked[..length]).await?;
        loop {
            let message = message(&mut servers[turn]).await?;
            client.write_all(&message).await?;
            if is_over(&message) {
                turn = 1 - turn;
            }
            if message[0] == b'Z' {
                break;
            }
        }
    }
}

/// The next message of a server's.
async fn message(server: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut message = vec![0; 5];
    server.read_exact(&mut message).await?;
    let length = u32::from_be_bytes([message[1], message[2], message[3], message[4]]);
    message.resize(length as usize + 1, 0);
    server.read_exact(&mut message[5..]).await?;
    Ok(message)
}

/// Whether the server waits for what comes next, with no transaction open.
fn is_over(message: &[u8]) -> bool {
    message[0] == b'Z' && message[5] == b'I'
}

/// Every verb, one after the other.
async fn lead_a_life(store: &PostgresStore) {
    let token = token("alice", "it's \\ \"Ä\" %; -- $1");
    let id = token.record.id;
    store.insert(&token, Some(5)).await.unwrap();
    let found = store.find(id).await.unwrap().value.expect("it is there");
    assert_eq!(found.record, token.record);
    assert!(found.secrets.current.ct_eq(&token.secrets.current));
    let usage = Use { id, revision: token.record.revision, at: at(60) };
    assert_eq!(store.touch(&[usage]).await.unwrap(), 1);
    store.rekey(id, &digest(1), &secrets(2)).await.unwrap();
    store.change(&edited(&token.record, |record| record.revoked_at = Some(at(1)))).await.unwrap();
    assert!(store.delete(id, Some(token.record.revision)).await.unwrap_err().is_conflict());
    assert_eq!(store.list(&ListQuery::everything(at(0), 10)).await.unwrap().total, 1);
    let head = store.changes(None, 0).await.unwrap().head;
    assert_eq!(store.changes(Some(head), 10).await.unwrap().lines.len(), 1);
    assert_eq!(store.prune(at(2), 10).await.unwrap(), 1);
    assert_eq!(store.delete_many(None, &[id]).await.unwrap().tokens, []);
    assert_eq!(store.delete_owner(&owner("alice")).await.unwrap().count, 0);
    store.announce(&owner("alice")).await.unwrap();
    store.ping().await.unwrap();
}

#[tokio::test]
async fn poll_only_passes_a_pooler_that_what_is_prepared_does_not() {
    let url = database();
    PostgresStore::migrate(&url).await.unwrap();
    let pooler = pooler_to(server().address()).await;
    let through = url.replace(&server().address().to_string(), &pooler.to_string());

    let settings = PostgresSettings::default().connections(1);
    let store = settings.clone().connect(&through).await.unwrap();
    let id = token("alice", "ci").record.id;
    let mut refused = 0;
    for _ in 0..4 {
        refused += u32::from(store.find(id).await.is_err());
    }
    assert!(refused > 0, "the pooler is none: what was prepared was found again");
    store.close().await;

    let store = settings.poll_only().connect(&through).await.unwrap();
    for _ in 0..3 {
        lead_a_life(&store).await;
    }
    store.close().await;
}

#[tokio::test]
async fn poll_only_keeps_nothing_in_a_session() {
    let server = Postgres::start_with(&["log_statement=all"]).unwrap();
    let store = PostgresSettings::default().poll_only().connect(server.url()).await.unwrap();
    let nudged = store.nudged(store.changes(None, 0).await.unwrap().head);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(100), nudged).await.is_err());
    lead_a_life(&store).await;
    store.close().await;

    let log = server.log().unwrap();
    assert!(log.lines().filter(|line| line.contains("hallpass.")).count() > 10, "{log}");
    // The server says `execute` of what was prepared, even of what has no name.
    for kept in ["LOG:  execute", "LISTEN", "PREPARE", "pg_advisory_lock(", "SET SESSION"] {
        assert!(!log.contains(kept), "{kept}");
    }
}

#[tokio::test]
async fn otherwise_look_ups_are_planned_once_for_each_connection() {
    let server = Postgres::start_with(&["log_statement=all"]).unwrap();
    let store = PostgresSettings::default().connections(1).connect(server.url()).await.unwrap();
    let id = token("alice", "ci").record.id;
    for _ in 0..5 {
        store.find(id).await.unwrap();
    }
    store.announce(&owner("alice")).await.unwrap();
    store.close().await;
    let log = server.log().unwrap();
    assert_eq!(log.matches("LOG:  execute sqlx_s_1:").count(), 5, "{log}");
}

//! Each server starts, talks, and is gone without a trace afterwards.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hallpass_servers::{Package, Postgres, Redis};

/// `HOST:PORT` of a URL.
fn address(url: &str) -> String {
    let behind_scheme = url.split("//").nth(1).unwrap();
    let authority = behind_scheme.split('/').next().unwrap();
    authority.rsplit('@').next().unwrap().to_owned()
}

fn psql(server: &Postgres, statement: &str) -> String {
    let output = Command::new(server.program("psql"))
        .args([server.url(), "--no-psqlrc", "--tuples-only", "--no-align", "--command", statement])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn send(address: &str, command: &str, answer: &str) {
    let mut server = TcpStream::connect(address).unwrap();
    server.write_all(command.as_bytes()).unwrap();
    let mut got = vec![0; answer.len()];
    server.read_exact(&mut got).unwrap();
    assert_eq!(String::from_utf8(got).unwrap(), answer);
}

fn redis_folder(address: &str) -> String {
    let mut server = TcpStream::connect(address).unwrap();
    server.write_all(b"CONFIG GET dir\r\n").unwrap();
    // An array of two strings, each behind its length.
    let lines = BufReader::new(server).lines().take(5).map(Result::unwrap);
    lines.last().unwrap()
}

#[test]
fn postgres_answers_queries_and_leaves_nothing_behind() {
    Package::POSTGRES.ensure_installed().unwrap();
    let server = Postgres::start().unwrap();
    assert_eq!(psql(&server, "select 40 + 2"), "42");
    assert_eq!(psql(&server, "show server_encoding"), "UTF8");
    let folder = psql(&server, "show data_directory");
    assert!(std::fs::exists(&folder).unwrap());
    let address = address(server.url());
    drop(server);
    assert!(TcpStream::connect(address).is_err());
    assert!(!std::fs::exists(&folder).unwrap());
}

#[test]
fn two_servers_at_once_know_nothing_of_each_other() {
    Package::REDIS.ensure_installed().unwrap();
    let (one, other) = (Redis::start().unwrap(), Redis::start().unwrap());
    send(&address(one.url()), "SET pass 1\r\n", "+OK\r\n");
    send(&address(one.url()), "GET pass\r\n", "$1\r\n1\r\n");
    send(&address(other.url()), "GET pass\r\n", "$-1\r\n");
}

#[test]
fn a_server_does_not_outlive_the_process_that_started_it() {
    Package::REDIS.ensure_installed().unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_hallpass-servers"))
        .arg("redis")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let address = address(url.trim());
    send(&address, "PING\r\n", "+PONG\r\n");
    let folder = redis_folder(&address);
    assert!(std::fs::exists(&folder).unwrap());
    process.kill().unwrap();
    process.wait().unwrap();
    let killed = Instant::now();
    while TcpStream::connect(&address).is_ok() || std::fs::exists(&folder).unwrap() {
        assert!(killed.elapsed() < Duration::from_secs(30), "the server is still there");
        std::thread::sleep(Duration::from_millis(10));
    }
}

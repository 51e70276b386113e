//! Tests that no server outlives the process that started it.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use hallpass_servers::{Package, Postgres, Redis};

use crate::until;

/// Returns the `HOST:PORT` of a URL.
fn address(url: &str) -> &str {
    url.split("//").nth(1).unwrap().split('/').next().unwrap()
}

#[test]
fn dropping_a_running_or_killed_server_removes_its_folder() {
    Package::POSTGRES.ensure_installed().unwrap();
    for killed in [false, true] {
        let server = Postgres::start().unwrap();
        let folder = server.run("show data_directory").unwrap();
        assert!(std::fs::exists(&folder).unwrap());
        if killed {
            server.kill().unwrap();
            assert!(std::fs::exists(&folder).unwrap(), "a killed server lost its folder");
        }
        let address = server.address();
        drop(server);
        assert!(TcpStream::connect(address).is_err());
        assert!(!std::fs::exists(&folder).unwrap());
    }
}

#[test]
fn dropping_a_paused_server_stops_it() {
    Package::REDIS.ensure_installed().unwrap();
    let server = Redis::start().unwrap();
    server.pause().unwrap();
    let address = server.address();
    drop(server);
    assert!(TcpStream::connect(address).is_err());
}

/// Starts the program with a Redis server. Returns its process and the `HOST:PORT` of the server.
fn start_redis(input: Stdio) -> (Child, String) {
    Package::REDIS.ensure_installed().unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_hallpass-servers"))
        .arg("redis")
        .stdin(input)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
    (process, address(url.trim()).to_owned())
}

#[test]
fn server_stops_when_the_process_that_started_it_is_killed() {
    let (mut process, address) = start_redis(Stdio::piped());
    let mut asked = TcpStream::connect(&address).unwrap();
    std::io::Write::write_all(&mut asked, b"CONFIG GET dir\r\n").unwrap();
    // The reply is a list of two strings, each preceded by a line with its length.
    let lines = BufReader::new(asked).lines().take(5).map(Result::unwrap);
    let folder = lines.last().unwrap();
    assert!(std::fs::exists(&folder).unwrap());
    process.kill().unwrap();
    process.wait().unwrap();
    until("the server is gone", || {
        TcpStream::connect(&address).is_err() && !std::fs::exists(&folder).unwrap()
    });
}

#[test]
fn server_without_standard_input_runs_until_the_process_ends() {
    let (mut process, address) = start_redis(Stdio::null());
    // Without the wait, the process would end immediately after it has printed the URL.
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(process.try_wait().unwrap().is_none());
    assert!(TcpStream::connect(&address).is_ok());
    process.kill().unwrap();
    process.wait().unwrap();
    until("the server is gone", || TcpStream::connect(&address).is_err());
}

#[test]
fn help_lists_the_commands() {
    let program = env!("CARGO_BIN_EXE_hallpass-servers");
    let output = Command::new(program).arg("--help").output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for command in ["postgres", "redis", "redis-cluster", "install", "install valgrind"] {
        assert!(text.contains(&format!("\n  {command} ")), "{text}");
    }
    assert!(!Command::new(program).output().unwrap().status.success());
}

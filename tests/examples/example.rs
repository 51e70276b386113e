//! A running example, as `cargo run --example NAME` starts it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Method, Response};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// The time limit for each step of an example.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A running example. It is killed at the end of the test.
pub(crate) struct Example {
    pub(crate) address: SocketAddr,
    /// The token that it printed, or an empty text.
    pub(crate) token: String,
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Example {
    /// Starts an example on a port that it is given, and waits until it listens.
    pub(crate) async fn start(name: &'static str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program(name));
        command.arg("127.0.0.1:0").args(arguments);
        command.stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the example starts");
        let stdout = child.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(stdout).lines();
        let mut token = String::new();
        loop {
            let line = next(&mut lines).await;
            if let Some(text) = line.strip_prefix("token: ") {
                text.clone_into(&mut token);
            } else if let Some(address) = line.strip_prefix("listening on http://") {
                let address = address.parse().expect("an address");
                return Self { address, token, lines, _child: child };
            }
        }
    }

    /// Returns the next line that it prints.
    pub(crate) async fn line(&mut self) -> String {
        next(&mut self.lines).await
    }

    /// Sends a request such as `GET /projects` with a bearer, or without if it is empty.
    pub(crate) async fn send(&self, request: &str, bearer: &str) -> Response {
        let (method, path) = request.split_once(' ').expect("a method and a path");
        let method: Method = method.parse().expect("a method");
        let url = format!("http://{}{path}", self.address);
        let mut request = reqwest::Client::new().request(method, url).timeout(PATIENCE);
        if !bearer.is_empty() {
            request = request.bearer_auth(bearer);
        }
        request.send().await.expect("an answer")
    }

    pub(crate) async fn status(&self, request: &str, bearer: &str) -> u16 {
        self.send(request, bearer).await.status().as_u16()
    }

    pub(crate) async fn text(&self, request: &str, bearer: &str) -> String {
        self.send(request, bearer).await.text().await.expect("text")
    }
}

async fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    let line = timeout(PATIENCE, lines.next_line()).await.expect("a line in time");
    line.expect("text").expect("the example runs")
}

/// Builds an example once, and returns its path.
fn program(name: &'static str) -> PathBuf {
    static BUILT: Mutex<Option<HashMap<&str, PathBuf>>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let built = built.get_or_insert_default();
    let build = || hallpass_tests::built::program("--example", name);
    built.entry(name).or_insert_with(build).clone()
}

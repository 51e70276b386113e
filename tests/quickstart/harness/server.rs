use std::net::SocketAddr;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Client, PATIENCE, Protocol};

/// A running quickstart. A test must stop or kill it before it ends.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    stdout: Printed,
    stderr: Printed,
    ended: bool,
}

/// The output of a running process, collected line by line.
struct Printed {
    text: watch::Receiver<String>,
    reader: JoinHandle<()>,
}

/// The complete output of a server.
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Server {
    /// Starts a server and waits until it is ready.
    pub(crate) async fn started(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the quickstart starts");
        let mut stdout = Printed::by(child.stdout.take().expect("piped"));
        let mut stderr = Printed::by(child.stderr.take().expect("piped"));
        let ready = stdout.until(|text| address(text).is_some()).await;
        let Some(address) = ready.as_deref().and_then(address) else {
            panic!("the server is not ready: {:?}", stderr.whole().await);
        };
        Self { child, address, stdout, stderr, ended: false }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Creates a client with its own connections.
    pub(crate) fn client(&self, protocol: Protocol) -> Client {
        Client::new(self.address, protocol)
    }

    /// Waits until `enough` returns `true` for the standard output, and returns the output.
    pub(crate) async fn printed(&mut self, enough: impl FnMut(&str) -> bool) -> String {
        self.stdout.until(enough).await.expect("the server ended before it printed the text")
    }

    /// Returns the token that the quickstart prints if its store is empty.
    pub(crate) async fn first_token(&mut self) -> String {
        let token =
            |text: &str| text.lines().find_map(|line| line.strip_prefix("  hp_").map(String::from));
        let text = self.printed(|text| token(text).is_some()).await;
        format!("hp_{}", token(&text).expect("just seen"))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        kill_process(pid.expect("the server runs"), signal).expect("cannot signal the server");
    }

    /// Sends SIGTERM, waits until the server has ended, and checks that it exits with 0.
    pub(crate) async fn stop(self) -> Output {
        self.signal(Signal::TERM);
        self.end().await
    }

    /// Waits until the server has ended, and checks that it exits with 0.
    pub(crate) async fn end(mut self) -> Output {
        let status = self.wait().await;
        let (stdout, stderr) = (&mut self.stdout, &mut self.stderr);
        let output = Output { stdout: stdout.whole().await, stderr: stderr.whole().await };
        assert_eq!(status.code(), Some(0), "the server ended with {status}: {}", output.stderr);
        output
    }

    /// Kills the server with SIGKILL.
    pub(crate) async fn kill(mut self) {
        self.signal(Signal::KILL);
        assert_eq!(self.wait().await.code(), None, "the server ended before it was killed");
    }

    async fn wait(&mut self) -> ExitStatus {
        self.ended = true;
        timeout(PATIENCE, self.child.wait())
            .await
            .expect("the server does not end")
            .expect("cannot wait for it")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        assert!(self.ended || std::thread::panicking(), "the test did not stop the server");
    }
}

impl Printed {
    fn by(pipe: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let (sender, text) = watch::channel(String::new());
        let reader = tokio::spawn(async move {
            let mut lines = BufReader::new(pipe).lines();
            while let Some(line) = lines.next_line().await.expect("text") {
                sender.send_modify(|text| {
                    text.push_str(&line);
                    text.push('\n');
                });
            }
        });
        Self { text, reader }
    }

    /// Waits until `enough` returns `true` for the text so far, and returns the text. Returns
    /// `None` if the process ends first.
    async fn until(&mut self, mut enough: impl FnMut(&str) -> bool) -> Option<String> {
        let found = timeout(PATIENCE, self.text.wait_for(|text| enough(text))).await;
        found.expect("the text was not printed in time").ok().map(|text| text.clone())
    }

    /// Waits until the process has closed the pipe, and returns the whole text.
    async fn whole(&mut self) -> String {
        timeout(PATIENCE, &mut self.reader)
            .await
            .expect("the pipe stays open")
            .expect("the reader panicked");
        self.text.borrow().clone()
    }
}

/// Returns the address in the line that the service prints when it is ready.
fn address(text: &str) -> Option<SocketAddr> {
    text.lines().find_map(|line| line.strip_prefix("listening on http://")?.parse().ok())
}

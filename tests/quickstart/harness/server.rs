use std::net::SocketAddr;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Client, PATIENCE, Protocol};

/// A running quickstart. To be stopped, or killed, at the end of a test.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    stdout: Printed,
    stderr: Printed,
    ended: bool,
}

/// What a process prints, as it comes.
struct Printed {
    text: watch::Receiver<String>,
    reader: JoinHandle<()>,
}

/// All that a server has printed.
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Server {
    /// Starts it, and waits until it is ready.
    pub(crate) async fn started(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the quickstart starts");
        let mut stdout = Printed::by(child.stdout.take().expect("piped"));
        let mut stderr = Printed::by(child.stderr.take().expect("piped"));
        let ready = stdout.until(|text| address(text).is_some()).await;
        let Some(address) = ready.as_deref().and_then(address) else {
            panic!("it is not ready: {:?}", stderr.whole().await);
        };
        Self { child, address, stdout, stderr, ended: false }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client of its own, with connections of its own.
    pub(crate) fn client(&self, protocol: Protocol) -> Client {
        Client::new(self.address, protocol)
    }

    /// The standard output, once it is as it should be.
    pub(crate) async fn printed(&mut self, enough: impl FnMut(&str) -> bool) -> String {
        self.stdout.until(enough).await.expect("it prints that before it ends")
    }

    /// The token that was printed at the first start.
    pub(crate) async fn first_token(&mut self) -> String {
        let token =
            |text: &str| text.lines().find_map(|line| line.strip_prefix("  hp_").map(String::from));
        let text = self.printed(|text| token(text).is_some()).await;
        format!("hp_{}", token(&text).expect("just seen"))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        kill_process(pid.expect("it runs"), signal).expect("it can be told");
    }

    /// Asks it to end, as an operator does, and sees that it does so in good order.
    pub(crate) async fn stop(self) -> Output {
        self.signal(Signal::TERM);
        self.end().await
    }

    /// Sees it end in good order.
    pub(crate) async fn end(mut self) -> Output {
        let status = self.wait().await;
        let (stdout, stderr) = (&mut self.stdout, &mut self.stderr);
        let output = Output { stdout: stdout.whole().await, stderr: stderr.whole().await };
        assert_eq!(status.code(), Some(0), "it ended with {status}: {}", output.stderr);
        output
    }

    /// Takes it out of the world, with no time to do anything.
    pub(crate) async fn kill(mut self) {
        self.signal(Signal::KILL);
        assert_eq!(self.wait().await.code(), None, "it was killed");
    }

    async fn wait(&mut self) -> ExitStatus {
        self.ended = true;
        timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("it is ours")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        assert!(self.ended || std::thread::panicking(), "stop the server, and see how it ends");
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

    /// What there is, once it is enough; `None` if the process ends before.
    async fn until(&mut self, mut enough: impl FnMut(&str) -> bool) -> Option<String> {
        let found = timeout(PATIENCE, self.text.wait_for(|text| enough(text))).await;
        found.expect("in time").ok().map(|text| text.clone())
    }

    async fn whole(&mut self) -> String {
        timeout(PATIENCE, &mut self.reader).await.expect("in time").expect("it is read");
        self.text.borrow().clone()
    }
}

/// The address in the line that says that the service is ready.
fn address(text: &str) -> Option<SocketAddr> {
    text.lines().find_map(|line| line.strip_prefix("listening on http://")?.parse().ok())
}

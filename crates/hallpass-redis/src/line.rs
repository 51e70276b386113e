//! A line to the server, and a place that holds the one that works.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, MultiplexedConnection};
use redis::{Cmd, ErrorKind, RedisError, Script, Value};
use tokio::time::{Instant, timeout_at};

use crate::target::Target;
use crate::trouble::{Failure, Trouble, trouble};

/// How often a call is sent on to where the keys have gone.
const REDIRECTS: u32 = 3;

/// What carries commands and answers.
#[derive(Clone)]
pub(crate) enum Wire {
    Own(MultiplexedConnection),
    Hosts(ConnectionManager),
}

/// A connection, shared by whoever asks something at the same time.
#[derive(Clone)]
pub(crate) struct Line {
    wire: Wire,
    /// Whether the other side has hung up.
    ended: Arc<AtomicBool>,
    number: u64,
}

impl Line {
    pub(crate) fn new(wire: Wire) -> Self {
        Self::watched(wire, Arc::default())
    }

    pub(crate) fn watched(wire: Wire, ended: Arc<AtomicBool>) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Self { wire, ended, number: NUMBERS.fetch_add(1, Ordering::Relaxed) }
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Sends a command and waits for its answer.
    pub(crate) async fn ask(&mut self, command: &Cmd) -> Result<Value, RedisError> {
        match &mut self.wire {
            Wire::Own(connection) => command.query_async(connection).await,
            Wire::Hosts(manager) => command.query_async(manager).await,
        }
    }

    /// The same, and then waits for replicas: on this very connection, since it is the changes of a connection that are
    /// waited for.
    async fn ask_and_wait(
        &mut self,
        command: &Cmd,
        wait: Option<&Cmd>,
    ) -> Result<Answered, RedisError> {
        let Some(wait) = wait else {
            return Ok(Answered { answer: self.ask(command).await?, replicas: None });
        };
        let mut both = redis::pipe();
        both.add_command(command.clone()).add_command(wait.clone()).ignore_errors();
        let both: Vec<Result<Value, RedisError>> = match &mut self.wire {
            Wire::Own(connection) => both.query_async(connection).await?,
            Wire::Hosts(manager) => both.query_async(manager).await?,
        };
        let mut both = both.into_iter();
        Ok(Answered { answer: both.next().unwrap_or(Ok(Value::Nil))?, replicas: both.next() })
    }

    async fn load(&mut self, script: &Script) -> Result<String, RedisError> {
        match &mut self.wire {
            Wire::Own(connection) => script.load_async(connection).await,
            Wire::Hosts(manager) => script.load_async(manager).await,
        }
    }
}

/// What came back for a command.
pub(crate) struct Answered {
    pub(crate) answer: Value,
    /// How many replicas have the change, where that was asked for.
    pub(crate) replicas: Option<Result<Value, RedisError>>,
}

/// Holds a line for one sort of calls, and a new one when the old does not work any more.
pub(crate) struct Link {
    target: Target,
    is_closed: AtomicBool,
    line: Mutex<Option<Line>>,
    /// Held by the one who connects, while others wait for what comes of it.
    connecting: tokio::sync::Mutex<()>,
}

impl Link {
    pub(crate) fn new(target: Target) -> Self {
        let (is_closed, line) = (AtomicBool::new(false), Mutex::new(None));
        Self { target, is_closed, line, connecting: tokio::sync::Mutex::default() }
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    fn known(&self) -> Option<Line> {
        let line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.clone().filter(|line| !line.has_ended())
    }

    async fn line(&self) -> Result<Line, RedisError> {
        if let Some(line) = self.known() {
            return Ok(line);
        }
        if self.is_closed.load(Ordering::Acquire) {
            return Err(RedisError::from((ErrorKind::Client, "the store was closed")));
        }
        let _turn = self.connecting.lock().await;
        if let Some(line) = self.known() {
            return Ok(line);
        }
        let line = self.target.connect().await?;
        let mut place = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        // Unless it was closed meanwhile: then this is the last that is asked on it.
        *place = Some(line.clone()).filter(|_| !self.is_closed.load(Ordering::Acquire));
        Ok(line)
    }

    /// Does not use that line again.
    fn forget(&self, number: u64) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.take_if(|line| line.number == number);
    }

    /// Lets go of the line, and makes no other. What is under way still comes to its end.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        *self.line.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Sends a command that changes nothing. If the line is lost meanwhile, it is sent once more.
    pub(crate) async fn ask(&self, command: &Cmd, deadline: Instant) -> Result<Value, Failure> {
        self.twice(command, None, deadline).await
    }

    /// Runs a script that changes nothing, as [`ask`](Self::ask) does.
    pub(crate) async fn read(
        &self,
        script: &Script,
        clock: &str,
        arguments: &[&[u8]],
        deadline: Instant,
    ) -> Result<Value, Failure> {
        self.twice(&call(script, clock, arguments), Some(script), deadline).await
    }

    /// Runs a script. It is sent once, unless the server says that it did nothing.
    pub(crate) async fn run(
        &self,
        script: &Script,
        clock: &str,
        arguments: &[&[u8]],
        deadline: Instant,
    ) -> Result<Value, Failure> {
        let call = call(script, clock, arguments);
        self.ask_with(&call, Some(script), None, deadline).await.map(|answered| answered.answer)
    }

    /// The same, and then waits for replicas if that is asked for.
    pub(crate) async fn run_and_wait(
        &self,
        script: &Script,
        clock: &str,
        arguments: &[&[u8]],
        wait: Option<&Cmd>,
        deadline: Instant,
    ) -> Result<Answered, Failure> {
        self.ask_with(&call(script, clock, arguments), Some(script), wait, deadline).await
    }

    async fn twice(
        &self,
        command: &Cmd,
        script: Option<&Script>,
        deadline: Instant,
    ) -> Result<Value, Failure> {
        let answered = match self.ask_with(command, script, None, deadline).await {
            Err(Failure::Unanswered(_)) if Instant::now() < deadline => {
                self.ask_with(command, script, None, deadline).await
            }
            answered => answered,
        };
        answered.map(|answered| answered.answer)
    }

    async fn ask_with(
        &self,
        command: &Cmd,
        script: Option<&Script>,
        wait: Option<&Cmd>,
        deadline: Instant,
    ) -> Result<Answered, Failure> {
        for _ in 0..=REDIRECTS {
            let mut line = match timeout_at(deadline, self.line()).await {
                Ok(Ok(line)) => line,
                Ok(Err(error)) => {
                    self.target.doubt();
                    return Err(Failure::Unasked(error.into()));
                }
                Err(late) => return Err(Failure::Unasked(late.into())),
            };
            let error = match timeout_at(deadline, line.ask_and_wait(command, wait)).await {
                Ok(Ok(answered)) => return Ok(answered),
                Ok(Err(error)) => error,
                Err(late) => {
                    self.forget(line.number);
                    return Err(Failure::Unanswered(late.into()));
                }
            };
            match (trouble(&error), script) {
                (Some(Trouble::NoScript), Some(script)) => {
                    self.load(&mut line, script, deadline).await?;
                }
                (Some(Trouble::Moved), _) if self.target.moved(&error) => self.forget(line.number),
                (Some(Trouble::Demoted), _) => {
                    self.forget(line.number);
                    self.target.doubt();
                    return Err(Failure::Refused(error));
                }
                (Some(_), _) => return Err(Failure::Refused(error)),
                (None, _) => {
                    self.forget(line.number);
                    self.target.doubt();
                    return Err(Failure::Unanswered(error.into()));
                }
            }
        }
        Err(Failure::Unasked("the keys are always on another node".into()))
    }

    /// Loads a script. As long as that fails, the script was not run.
    async fn load(
        &self,
        line: &mut Line,
        script: &Script,
        deadline: Instant,
    ) -> Result<(), Failure> {
        match timeout_at(deadline, line.load(script)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => match trouble(&error) {
                Some(_) => Err(Failure::Refused(error)),
                None => {
                    self.forget(line.number);
                    Err(Failure::Unasked(error.into()))
                }
            },
            Err(late) => {
                self.forget(line.number);
                Err(Failure::Unasked(late.into()))
            }
        }
    }
}

/// The call of a script, which the server knows by its digest.
fn call(script: &Script, clock: &str, arguments: &[&[u8]]) -> Cmd {
    let mut command = redis::cmd("EVALSHA");
    command.arg(script.get_hash()).arg(1).arg(clock).arg(arguments);
    command
}

/// So long from now.
pub(crate) fn within(patience: Duration) -> Instant {
    Instant::now() + patience
}

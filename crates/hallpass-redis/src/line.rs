//! A line to the server, and a place that holds the one that works.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, MultiplexedConnection};
use redis::{Cmd, ErrorKind, RedisError, Script, Value};
use tokio::time::{Instant, timeout_at};

use crate::guards::{Guard, Guards};
use crate::scripts::Lua;
use crate::target::Target;
use crate::trouble::{Failure, Trouble, trouble};

/// How often a call is sent on to where the keys have gone.
const REDIRECTS: u32 = 3;

/// How long a caller may have waited who goes away, and the line still counts as one that works.
const IMPATIENCE: Duration = Duration::from_millis(250);

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
            let answer = self.ask(command).await?;
            return Ok(Answered { answer, replicas: None, line: self.number });
        };
        let mut both = redis::pipe();
        both.add_command(command.clone()).add_command(wait.clone()).ignore_errors();
        let both: Vec<Result<Value, RedisError>> = match &mut self.wire {
            Wire::Own(connection) => both.query_async(connection).await?,
            Wire::Hosts(manager) => both.query_async(manager).await?,
        };
        let mut both = both.into_iter();
        let answer = both.next().unwrap_or(Ok(Value::Nil))?;
        Ok(Answered { answer, replicas: both.next(), line: self.number })
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
    /// The number of the line that it came on.
    line: u64,
}

/// Holds a line for one sort of calls, and a new one when the old does not work any more.
pub(crate) struct Link {
    target: Target,
    held: Arc<Held>,
    /// Held by the one who connects, while others wait for what comes of it.
    connecting: Arc<tokio::sync::Mutex<()>>,
    guards: Guards,
}

#[derive(Default)]
struct Held {
    line: Mutex<Option<Line>>,
    is_closed: AtomicBool,
}

/// Somebody who waits for an answer. If he goes away after a while, there may be nobody else who would notice that the
/// line is dead.
struct Waiting<'l> {
    link: &'l Link,
    number: u64,
    since: Instant,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_over && self.since.elapsed() > IMPATIENCE {
            self.link.forget(self.number);
        }
    }
}

impl Held {
    fn line(&self) -> MutexGuard<'_, Option<Line>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    pub(crate) fn new(target: Target, guards: Guards) -> Self {
        Self { target, held: Arc::default(), connecting: Arc::default(), guards }
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    fn known(&self) -> Option<Line> {
        self.held.line().clone().filter(|line| !line.has_ended())
    }

    async fn line(&self) -> Result<Line, RedisError> {
        if let Some(line) = self.known() {
            return Ok(line);
        }
        if self.held.is_closed.load(Ordering::Acquire) {
            return Err(RedisError::from((ErrorKind::Client, "the store was closed")));
        }
        let turn = Arc::clone(&self.connecting).lock_owned().await;
        if let Some(line) = self.known() {
            return Ok(line);
        }
        let (target, held) = (self.target.clone(), Arc::clone(&self.held));
        // A task of its own: if whoever waits for it goes away, it is there for the next one. Else each of many who wait
        // would begin anew, on a server that is slow already.
        let connecting = tokio::spawn(async move {
            let line = target.connect().await?;
            // Unless it was closed meanwhile: then this is the last that is asked on it.
            *held.line() = Some(line.clone()).filter(|_| !held.is_closed.load(Ordering::Acquire));
            drop(turn);
            Ok(line)
        });
        let is_gone = || RedisError::from((ErrorKind::Client, "the runtime ends"));
        connecting.await.unwrap_or_else(|_| Err(is_gone()))
    }

    /// Does not use that line again.
    fn forget(&self, number: u64) {
        self.held.line().take_if(|line| line.number == number);
    }

    /// Lets go of the line, and makes no other. What is under way still comes to its end.
    pub(crate) fn close(&self) {
        self.held.is_closed.store(true, Ordering::Release);
        *self.held.line() = None;
    }

    /// Asks the server about itself, whatever it is.
    pub(crate) async fn ask_any(&self, command: &Cmd, deadline: Instant) -> Result<Value, Failure> {
        self.ask_with(command, None, None, deadline).await.map(|answered| answered.answer)
    }

    /// Sends a command that changes nothing, to a primary. If the line is lost meanwhile, it is sent once more.
    pub(crate) async fn ask(&self, command: &Cmd, deadline: Instant) -> Result<Value, Failure> {
        self.twice(command, None, deadline).await
    }

    /// Runs a script that changes nothing, as [`ask`](Self::ask) does.
    pub(crate) async fn read(
        &self,
        script: &Lua,
        clock: &str,
        arguments: &[&[u8]],
        deadline: Instant,
    ) -> Result<Value, Failure> {
        let script = &script.under(self.guards);
        self.twice(&call(script, clock, arguments), Some(script), deadline).await
    }

    /// Runs a script. It is sent once, unless the server says that it did nothing.
    pub(crate) async fn run(
        &self,
        script: &Lua,
        clock: &str,
        arguments: &[&[u8]],
        deadline: Instant,
    ) -> Result<Value, Failure> {
        let asked = self.run_and_wait(script, clock, arguments, None, deadline);
        asked.await.map(|answered| answered.answer)
    }

    /// The same, and then waits for replicas if that is asked for.
    pub(crate) async fn run_and_wait(
        &self,
        script: &Lua,
        clock: &str,
        arguments: &[&[u8]],
        wait: Option<&Cmd>,
        deadline: Instant,
    ) -> Result<Answered, Failure> {
        let script = &script.under(self.guards);
        self.ask_with(&call(script, clock, arguments), Some(script), wait, deadline).await
    }

    async fn twice(
        &self,
        command: &Cmd,
        script: Option<&Script>,
        deadline: Instant,
    ) -> Result<Value, Failure> {
        match self.read_once(command, script, deadline).await {
            Err(Failure::Unanswered(_)) if Instant::now() < deadline => {
                self.read_once(command, script, deadline).await
            }
            answered => answered,
        }
    }

    /// Asks a primary. A replica may be behind by any time, and what it says may be over for longer than any bound: it is
    /// told by its not waiting for replicas, however few.
    async fn read_once(
        &self,
        command: &Cmd,
        script: Option<&Script>,
        deadline: Instant,
    ) -> Result<Value, Failure> {
        let mut no_replica = redis::cmd("WAIT");
        no_replica.arg(0).arg(1);
        let answered = self.ask_with(command, script, Some(&no_replica), deadline).await?;
        match answered.replicas {
            Some(Err(error)) if self.guards.has(Guard::Primary) => {
                self.forget(answered.line);
                self.target.doubt();
                Err(Failure::Refused(error))
            }
            _ => Ok(answered.answer),
        }
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
            let mut waiting =
                Waiting { link: self, number: line.number, since: Instant::now(), is_over: false };
            let answered = timeout_at(deadline, line.ask_and_wait(command, wait)).await;
            waiting.is_over = true;
            let error = match answered {
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

//! Connections to the server.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, MultiplexedConnection};
use redis::{Cmd, ErrorKind, RedisError, Script, ToRedisArgs, Value};
use tokio::time::{Instant, timeout_at};

use crate::error_class::{ErrorClass, Failure, error_class};
use crate::target::Target;

/// How often a call follows the keys to another node.
const MAX_REDIRECTS: u32 = 3;

/// How long a caller must have waited before it gives up for the connection to count as dead.
const DEAD_AFTER: Duration = Duration::from_millis(250);

/// What carries commands and replies.
#[derive(Clone)]
pub(crate) enum Transport {
    Own(MultiplexedConnection),
    Host(ConnectionManager),
}

/// A connection, shared by all calls that are under way at the same time.
#[derive(Clone)]
pub(crate) struct Connection {
    transport: Transport,
    /// Whether the server has closed the connection.
    ended: Arc<AtomicBool>,
    number: u64,
}

/// Commands, or the call of a script together with the script, which may have to be loaded.
pub(crate) struct Call {
    commands: Vec<Cmd>,
    script: Option<&'static Script>,
}

impl Call {
    pub(crate) fn command(command: Cmd) -> Self {
        Self::commands(vec![command])
    }

    /// Sends several commands at once. The reply is an array of their replies.
    pub(crate) fn commands(commands: Vec<Cmd>) -> Self {
        Self { commands, script: None }
    }

    /// Calls a script, which the server knows by its digest.
    pub(crate) fn script(script: &'static Script, clock: &str) -> Self {
        let mut command = redis::cmd("EVALSHA");
        command.arg(script.get_hash()).arg(1).arg(clock);
        Self { commands: vec![command], script: Some(script) }
    }

    /// Adds an argument to the last command.
    pub(crate) fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        if let Some(command) = self.commands.last_mut() {
            command.arg(argument);
        }
        self
    }
}

/// The reply to a call.
pub(crate) struct Reply {
    pub(crate) value: Value,
    /// The reply to the command that was sent behind the call, if there was one.
    pub(crate) second: Option<Result<Value, RedisError>>,
    /// The number of the connection that it came on.
    connection: u64,
}

impl Connection {
    pub(crate) fn new(transport: Transport, ended: Arc<AtomicBool>) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Self { transport, ended, number: NUMBERS.fetch_add(1, Ordering::Relaxed) }
    }

    /// Sends a command and waits for the reply.
    pub(crate) async fn send(&mut self, command: &Cmd) -> Result<Value, RedisError> {
        match &mut self.transport {
            Transport::Own(connection) => command.query_async(connection).await,
            Transport::Host(manager) => command.query_async(manager).await,
        }
    }

    /// Sends commands, and perhaps another one right behind them, on the same connection.
    async fn send_all(
        &mut self,
        commands: &[Cmd],
        second: Option<&Cmd>,
    ) -> Result<Reply, RedisError> {
        let mut all = redis::pipe();
        for command in commands.iter().chain(second) {
            all.add_command(command.clone());
        }
        all.ignore_errors();
        let mut replies: Vec<Result<Value, RedisError>> = match &mut self.transport {
            Transport::Own(connection) => all.query_async(connection).await?,
            Transport::Host(manager) => all.query_async(manager).await?,
        };
        let second = second.and_then(|_| replies.pop());
        let mut values = replies.into_iter().collect::<Result<Vec<_>, _>>()?;
        let value = match values.len() {
            1 => values.remove(0),
            _ => Value::Array(values),
        };
        Ok(Reply { value, second, connection: self.number })
    }

    async fn load(&mut self, script: &Script) -> Result<String, RedisError> {
        match &mut self.transport {
            Transport::Own(connection) => script.load_async(connection).await,
            Transport::Host(manager) => script.load_async(manager).await,
        }
    }
}

/// Holds one connection for one sort of calls, and makes a new one when it does not work any more.
pub(crate) struct SharedConnection {
    target: Target,
    slot: Arc<Slot>,
    /// Held while a connection is made, so that others wait for that one.
    connecting: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Slot {
    connection: Mutex<Option<Connection>>,
    is_closed: AtomicBool,
}

impl Slot {
    fn connection(&self) -> MutexGuard<'_, Option<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that waits for its reply. If its caller gives up after a while, nobody else might notice
/// that the connection is dead, so dropping this drops the connection as well.
struct WaitGuard<'l> {
    shared: &'l SharedConnection,
    number: u64,
    since: Instant,
    is_over: bool,
}

impl Drop for WaitGuard<'_> {
    fn drop(&mut self) {
        if !self.is_over && self.since.elapsed() > DEAD_AFTER {
            self.shared.forget(self.number);
        }
    }
}

impl SharedConnection {
    pub(crate) fn new(target: Target) -> Self {
        Self { target, slot: Arc::default(), connecting: Arc::default() }
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    fn current(&self) -> Option<Connection> {
        let connection = self.slot.connection().clone();
        connection.filter(|connection| !connection.ended.load(Ordering::Acquire))
    }

    async fn connection(&self) -> Result<Connection, RedisError> {
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        if self.slot.is_closed.load(Ordering::Acquire) {
            return Err(RedisError::from((ErrorKind::Client, "the store was closed")));
        }
        let turn = Arc::clone(&self.connecting).lock_owned().await;
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        let (target, slot) = (self.target.clone(), Arc::clone(&self.slot));
        // The connection is made in a task of its own. If the caller gives up, the next one finds
        // it. Otherwise each of many callers would begin anew on a server that is slow already.
        let connecting = tokio::spawn(async move {
            let connection = target.connect().await?;
            // If the store was closed meanwhile, this call is the last one on the connection.
            let is_open = !slot.is_closed.load(Ordering::Acquire);
            *slot.connection() = is_open.then(|| connection.clone());
            drop(turn);
            Ok(connection)
        });
        let shut_down = || RedisError::from((ErrorKind::Client, "the runtime shuts down"));
        connecting.await.unwrap_or_else(|_| Err(shut_down()))
    }

    /// Stops using a connection.
    fn forget(&self, number: u64) {
        self.slot.connection().take_if(|connection| connection.number == number);
    }

    /// Drops the connection and makes no other. Calls under way still get their replies.
    pub(crate) fn close(&self) {
        self.slot.is_closed.store(true, Ordering::Release);
        *self.slot.connection() = None;
    }

    /// Sends a call that changes nothing, to a primary. If the connection is lost, sends it again.
    ///
    /// A replica may be behind by any time, so its reply could be older than any bound. `WAIT`
    /// tells replicas apart: only a primary accepts it, even for no replicas at all.
    pub(crate) async fn read(&self, call: &Call, deadline: Instant) -> Result<Value, Failure> {
        let mut is_primary = redis::cmd("WAIT");
        is_primary.arg(0).arg(1);
        let mut reply = self.send(call, Some(&is_primary), deadline).await;
        if matches!(reply, Err(Failure::NoReply(_))) && Instant::now() < deadline {
            reply = self.send(call, Some(&is_primary), deadline).await;
        }
        let reply = reply?;
        if let Some(Err(error)) = reply.second {
            self.forget(reply.connection);
            self.target.forget_primary();
            return Err(Failure::Refused(error));
        }
        Ok(reply.value)
    }

    /// Sends a call once. It is sent again only if the server says that it did nothing.
    pub(crate) async fn run(&self, call: &Call, deadline: Instant) -> Result<Value, Failure> {
        self.send(call, None, deadline).await.map(|reply| reply.value)
    }

    /// Does the same, and sends a second command right behind the call.
    pub(crate) async fn send(
        &self,
        call: &Call,
        second: Option<&Cmd>,
        deadline: Instant,
    ) -> Result<Reply, Failure> {
        for _ in 0..=MAX_REDIRECTS {
            let mut connection = match timeout_at(deadline, self.connection()).await {
                Ok(Ok(connection)) => connection,
                Ok(Err(error)) => {
                    self.target.forget_primary();
                    return Err(Failure::NotSent(error.into()));
                }
                Err(elapsed) => return Err(Failure::NotSent(elapsed.into())),
            };
            let number = connection.number;
            let mut guard =
                WaitGuard { shared: self, number, since: Instant::now(), is_over: false };
            let reply = timeout_at(deadline, connection.send_all(&call.commands, second)).await;
            guard.is_over = true;
            let error = match reply {
                Ok(Ok(reply)) => return Ok(reply),
                Ok(Err(error)) => error,
                Err(elapsed) => {
                    self.forget(number);
                    return Err(Failure::NoReply(elapsed.into()));
                }
            };
            match (error_class(&error), call.script) {
                (Some(ErrorClass::NoScript), Some(script)) => {
                    self.load(&mut connection, script, deadline).await?;
                }
                (Some(ErrorClass::Moved), _) if self.target.moved(&error) => self.forget(number),
                (Some(ErrorClass::Demoted), _) => {
                    self.forget(number);
                    self.target.forget_primary();
                    return Err(Failure::Refused(error));
                }
                (Some(_), _) => return Err(Failure::Refused(error)),
                (None, _) => {
                    self.forget(number);
                    self.target.forget_primary();
                    return Err(Failure::NoReply(error.into()));
                }
            }
        }
        Err(Failure::NotSent("too many redirects: the keys are always on another node".into()))
    }

    /// Loads a script. If that fails, the script was not run.
    async fn load(
        &self,
        connection: &mut Connection,
        script: &Script,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let not_loaded = match timeout_at(deadline, connection.load(script)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) if error_class(&error).is_some() => return Err(Failure::Refused(error)),
            Ok(Err(error)) => Failure::NotSent(error.into()),
            Err(elapsed) => Failure::NotSent(elapsed.into()),
        };
        self.forget(connection.number);
        Err(not_loaded)
    }
}

/// Returns the instant at which a call that may take that long gives up.
pub(crate) fn within(patience: Duration) -> Instant {
    Instant::now() + patience
}

//! Connections to the server.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, MultiplexedConnection};
use redis::{Cmd, ErrorKind, RedisError, Script, ToRedisArgs, Value};
use tokio::time::{Instant, timeout_at};

use crate::error_class::{ErrorClass, Failure, error_class};
use crate::target::Target;

/// The maximum number of redirects that a call follows.
const MAX_REDIRECTS: u32 = 3;

/// If a call has waited at least this long and gets no reply, the connection counts as dead.
const DEAD_AFTER: Duration = Duration::from_millis(250);

/// The driver's connection.
#[derive(Clone)]
pub(crate) enum Transport {
    /// A connection that the store has made.
    Own(MultiplexedConnection),
    /// A connection of the host, which reconnects by itself.
    Host(ConnectionManager),
}

/// A connection, which concurrent calls share.
#[derive(Clone)]
pub(crate) struct Connection {
    transport: Transport,
    /// Whether the server has closed the connection.
    ended: Arc<AtomicBool>,
    /// The number that distinguishes this connection from others.
    number: u64,
}

/// A call: commands, or a script with its arguments. The script may not be loaded on the server
/// yet.
pub(crate) struct Call {
    commands: Vec<Cmd>,
    script: Option<&'static Script>,
}

impl Call {
    /// Creates a call of a single command.
    pub(crate) fn command(command: Cmd) -> Self {
        Self::commands(vec![command])
    }

    /// Creates a call of several commands, which are sent at once. The reply is the array of their
    /// replies.
    pub(crate) fn commands(commands: Vec<Cmd>) -> Self {
        Self { commands, script: None }
    }

    /// Creates a call of a script, which the server finds by its hash.
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
    /// The reply to the command that was sent right after the call, if there was one.
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

    /// Sends commands and, if there is one, a second command right after them on the same
    /// connection.
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

    /// Loads a script into the server.
    async fn load(&mut self, script: &Script) -> Result<String, RedisError> {
        match &mut self.transport {
            Transport::Own(connection) => script.load_async(connection).await,
            Transport::Host(manager) => script.load_async(manager).await,
        }
    }
}

/// The connection for one kind of calls. It is replaced by a new one if it fails.
pub(crate) struct SharedConnection {
    target: Target,
    slot: Arc<Slot>,
    /// Locked while a connection is being made, so that other callers wait for that one.
    connecting: Arc<tokio::sync::Mutex<()>>,
}

/// The current connection, and whether the store was closed.
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

/// A guard for a call that waits for its reply.
///
/// If the caller gives up after [`DEAD_AFTER`], the connection is probably dead, and nothing else
/// may detect it. So dropping the guard in that state also drops the connection.
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

    /// Returns the current connection, unless the server has closed it.
    fn current(&self) -> Option<Connection> {
        let connection = self.slot.connection().clone();
        connection.filter(|connection| !connection.ended.load(Ordering::Acquire))
    }

    /// Returns the current connection, or makes a new one.
    async fn connection(&self) -> Result<Connection, RedisError> {
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        if self.slot.is_closed.load(Ordering::Acquire) {
            return Err(RedisError::from((ErrorKind::Client, "the store was closed")));
        }
        let guard = Arc::clone(&self.connecting).lock_owned().await;
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        let (target, slot) = (self.target.clone(), Arc::clone(&self.slot));
        // The connection is made in its own task, so that the next caller can use it if this one
        // gives up. Otherwise many callers in turn would start to connect to a server that is slow
        // already, and give up before the connection is made.
        let connecting = tokio::spawn(async move {
            let connection = target.connect().await?;
            // If the store was closed meanwhile, only this call uses the connection.
            let is_open = !slot.is_closed.load(Ordering::Acquire);
            *slot.connection() = is_open.then(|| connection.clone());
            drop(guard);
            Ok(connection)
        });
        let shut_down = || RedisError::from((ErrorKind::Client, "the runtime is shutting down"));
        connecting.await.unwrap_or_else(|_| Err(shut_down()))
    }

    /// Stops using a connection.
    fn forget(&self, number: u64) {
        self.slot.connection().take_if(|connection| connection.number == number);
    }

    /// Drops the connection and makes no new one. Running calls still get their replies.
    pub(crate) fn close(&self) {
        self.slot.is_closed.store(true, Ordering::Release);
        *self.slot.connection() = None;
    }

    /// Sends a call that changes nothing, and checks that the server is a primary. If the
    /// connection is lost, it sends the call once more.
    ///
    /// A replica may be behind by any time, so its reply could show a revoked token as valid,
    /// however small the cache's bound is. The command `WAIT` detects replicas: only a primary
    /// accepts it, even if it waits for no replicas. It is sent right after the call on the same
    /// connection, so it comes from the same server.
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
            return Err(Failure::Rejected(error));
        }
        Ok(reply.value)
    }

    /// Sends a call. It is sent again only if the server has replied that it did nothing.
    pub(crate) async fn run(&self, call: &Call, deadline: Instant) -> Result<Value, Failure> {
        self.send(call, None, deadline).await.map(|reply| reply.value)
    }

    /// Sends a call as [`run`](Self::run) does, and a second command right after it on the same
    /// connection.
    pub(crate) async fn send(
        &self,
        call: &Call,
        second: Option<&Cmd>,
        deadline: Instant,
    ) -> Result<Reply, Failure> {
        let reply = self.try_send(call, second, deadline).await;
        reply.map_err(|failure| failure.at(|| self.target.address()))
    }

    async fn try_send(
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
                    return Err(Failure::Rejected(error));
                }
                (Some(_), _) => return Err(Failure::Rejected(error)),
                (None, _) => {
                    self.forget(number);
                    self.target.forget_primary();
                    return Err(Failure::NoReply(error.into()));
                }
            }
        }
        Err(Failure::NotSent("too many redirects: the keys keep moving between nodes".into()))
    }

    /// Loads a script. If that fails, the script was not run, so nothing was changed.
    async fn load(
        &self,
        connection: &mut Connection,
        script: &Script,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let not_loaded = match timeout_at(deadline, connection.load(script)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) if error_class(&error).is_some() => {
                return Err(Failure::Rejected(error));
            }
            Ok(Err(error)) => Failure::NotSent(error.into()),
            Err(elapsed) => Failure::NotSent(elapsed.into()),
        };
        self.forget(connection.number);
        Err(not_loaded)
    }
}

/// Returns the deadline of a call with this timeout.
pub(crate) fn within(timeout: Duration) -> Instant {
    Instant::now() + timeout
}

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use hallpass_core::TokenId;
use hallpass_redis::RedisStore;
use hallpass_servers::{Package, Redis as Server};
use redis::aio::MultiplexedConnection;

use super::Backend;

/// The key of the change log.
const LOG: &str = "{hallpass}l";

/// A database on a Redis server.
pub(crate) struct Redis {
    pub(crate) server: Arc<Server>,
    url: String,
    database: usize,
}

impl Redis {
    fn of(server: Server) -> Self {
        Self { url: server.url().to_owned(), server: Arc::new(server), database: 0 }
    }

    pub(crate) fn alone_with(options: &[&str]) -> Self {
        Package::REDIS.ensure_installed().unwrap();
        Self::of(Server::start_with(options).unwrap())
    }

    /// Returns the same database, with a user and a password in its URL.
    pub(crate) fn as_user(&self, user: &str) -> Self {
        let url = self.url.replace("redis://", &format!("redis://{user}@"));
        Self { server: Arc::clone(&self.server), url, database: self.database }
    }

    /// Runs a command that does not depend on the selected database.
    pub(crate) fn run(&self, command: &[&str]) -> String {
        self.server.run(command).unwrap()
    }

    pub(crate) async fn connection(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.url.as_str()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }
}

fn token(id: TokenId) -> Vec<u8> {
    let hex: String = id.to_string().chars().filter(char::is_ascii_hexdigit).collect();
    let id = u128::from_str_radix(&hex, 16).unwrap();
    [b"{hallpass}t".as_slice(), &id.to_be_bytes()].concat()
}

impl Backend for Redis {
    type Store = RedisStore;

    fn shared() -> Self {
        static SERVER: LazyLock<Arc<Server>> = LazyLock::new(|| {
            Package::REDIS.ensure_installed().unwrap();
            Arc::new(Server::start_with(&["--databases", "100"]).unwrap())
        });
        static DATABASES: AtomicUsize = AtomicUsize::new(0);
        let server = Arc::clone(&SERVER);
        let database = DATABASES.fetch_add(1, Ordering::Relaxed);
        Self { url: format!("{}{database}", server.url()), server, database }
    }

    fn alone() -> Self {
        Self::alone_with(&[])
    }

    fn alone_with_clock() -> Self {
        Package::REDIS.ensure_installed().unwrap();
        Self::of(Server::start_with_clock(&[]).unwrap())
    }

    fn set_clock(&self, seconds: i64) {
        self.server.set_clock(seconds).unwrap();
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    async fn open(url: &str) -> RedisStore {
        RedisStore::connect(url).await.expect("cannot open the store")
    }

    fn kill(&self) {
        self.server.kill().unwrap();
    }

    fn start_again(&self) {
        self.server.start_again().unwrap();
    }

    fn pause(&self) {
        self.server.pause().unwrap();
    }

    fn resume(&self) {
        self.server.resume().unwrap();
    }

    fn standby(&self) -> Self {
        Self::of(self.server.replica().unwrap())
    }

    fn wait_for(&self, standby: &Self) {
        self.server.wait_for(&standby.server).unwrap();
    }

    fn stop_following(&self) {
        // Nothing listens on this port.
        self.run(&["REPLICAOF", "127.0.0.1", "1"]);
    }

    fn promote(&self) {
        self.server.promote().unwrap();
    }

    fn listening(&self) -> Vec<u16> {
        let clients = self.run(&["CLIENT", "LIST"]);
        let value = |client: &str, name: &str| {
            let mut fields = client.split(' ').filter_map(|field| field.split_once('='));
            fields.find(|(field, _)| *field == name).unwrap().1.to_owned()
        };
        clients
            .lines()
            .filter(|client| value(client, "cmd") == "xread")
            .filter(|client| value(client, "db") == self.database.to_string())
            .map(|client| value(client, "addr").rsplit_once(':').unwrap().1.parse().unwrap())
            .collect()
    }

    fn end_client(&self, port: u16) {
        self.run(&["CLIENT", "KILL", "ADDR", &format!("127.0.0.1:{port}")]);
    }

    async fn lock(&self) -> Box<dyn Send> {
        // The pause lasts for this number of milliseconds and cannot be ended earlier.
        self.run(&["CLIENT", "PAUSE", "5000", "ALL"]);
        Box::new(())
    }

    fn take_no_changes(&self, none: bool) {
        self.run(&["CONFIG", "SET", "min-replicas-to-write", if none { "1" } else { "0" }]);
    }

    async fn trim_log(&self) {
        let mut connection = self.connection().await;
        let trim = redis::cmd("XTRIM").arg(LOG).arg("MAXLEN").arg(1).clone();
        trim.exec_async(&mut connection).await.unwrap();
    }

    async fn spoil_log(&self) {
        let mut connection = self.connection().await;
        let mut last = redis::cmd("XREVRANGE");
        last.arg(LOG).arg("+").arg("-").arg("COUNT").arg(2);
        let lines: Vec<(String, Vec<Vec<u8>>)> = last.query_async(&mut connection).await.unwrap();
        let [(last, _), (before, _)] = &lines[..] else { panic!("the log must have two entries") };
        let mut replace = redis::pipe();
        replace.cmd("XDEL").arg(LOG).arg(last);
        replace.cmd("XSETID").arg(LOG).arg(before);
        replace.cmd("XADD").arg(LOG).arg(last).arg("x").arg("y");
        replace.exec_async(&mut connection).await.unwrap();
    }

    async fn spoil_token(&self, id: TokenId) {
        let mut connection = self.connection().await;
        // The value starts like a record and is truncated.
        let set = redis::cmd("SET").arg(token(id)).arg(b"\x01nonsense").clone();
        set.exec_async(&mut connection).await.unwrap();
    }

    async fn confuse(&self, id: TokenId, other: TokenId) {
        let mut connection = self.connection().await;
        let mut copy = redis::cmd("COPY");
        copy.arg(token(other)).arg(token(id)).arg("REPLACE");
        let copied: u8 = copy.query_async(&mut connection).await.unwrap();
        assert_eq!(copied, 1);
    }
}

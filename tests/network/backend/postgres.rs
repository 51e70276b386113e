use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use hallpass_core::TokenId;
use hallpass_postgres::PostgresStore;
use hallpass_servers::{Package, Postgres as Server};
use sqlx::{Connection as _, PgConnection};

use super::Backend;

/// A database on a PostgreSQL server.
pub(crate) struct Postgres {
    pub(crate) server: Arc<Server>,
    url: String,
}

impl Postgres {
    fn of(server: Server) -> Self {
        Self { url: server.url().to_owned(), server: Arc::new(server) }
    }

    pub(crate) fn alone_with(settings: &[&str]) -> Self {
        Package::POSTGRES.ensure_installed().unwrap();
        Self::of(Server::start_with(settings).unwrap())
    }

    /// Runs statements in the database.
    pub(crate) fn run(&self, sql: &str) -> String {
        self.server.run_at(&self.url, sql).unwrap()
    }

    pub(crate) async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }
}

impl Backend for Postgres {
    type Store = PostgresStore;

    fn shared() -> Self {
        static SERVER: LazyLock<Arc<Server>> = LazyLock::new(|| {
            Package::POSTGRES.ensure_installed().unwrap();
            Arc::new(Server::start_with(&["max_connections=400"]).unwrap())
        });
        let server = Arc::clone(&SERVER);
        let url = server.new_database().unwrap();
        Self { server, url }
    }

    fn alone() -> Self {
        Self::alone_with(&[])
    }

    fn alone_with_clock() -> Self {
        Package::POSTGRES.ensure_installed().unwrap();
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

    async fn open(url: &str) -> PostgresStore {
        PostgresStore::connect(url).await.expect("cannot open the store")
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
        Self::of(self.server.standby().unwrap())
    }

    fn wait_for(&self, standby: &Self) {
        self.server.wait_for(&standby.server).unwrap();
    }

    fn stop_following(&self) {
        self.server.stop_following().unwrap();
    }

    fn promote(&self) {
        self.server.promote().unwrap();
    }

    fn listening(&self) -> Vec<u16> {
        let ports = self.run(
            "select client_port from pg_stat_activity \
             where datname = current_database() and query ilike 'listen%'",
        );
        ports.lines().map(|port| port.parse().unwrap()).collect()
    }

    fn end_client(&self, port: u16) {
        self.run(&format!(
            "select pg_terminate_backend(pid) from pg_stat_activity where client_port = {port}"
        ));
    }

    async fn lock(&self) -> Box<dyn Send> {
        let mut connection = self.connection().await;
        let lock = "begin; lock table hallpass.tokens in access exclusive mode";
        sqlx::raw_sql(lock).execute(&mut connection).await.unwrap();
        Box::new(connection)
    }

    fn take_no_changes(&self, none: bool) {
        let (_, database) = self.url.rsplit_once('/').unwrap();
        let value = if none { "on" } else { "off" };
        // The setting applies only to new sessions, so the existing ones are terminated.
        self.run(&format!(
            "begin read write; alter database {database} set default_transaction_read_only = {value}; commit"
        ));
        self.run(
            "select pg_terminate_backend(pid) from pg_stat_activity \
             where datname = current_database() and pid <> pg_backend_pid()",
        );
    }

    async fn trim_log(&self) {
        self.run(
            "delete from hallpass.changes where seq < (select max(seq) from hallpass.changes)",
        );
    }

    async fn spoil_log(&self) {
        self.run(
            "alter table hallpass.changes drop constraint changes_target_check; \
             alter table hallpass.changes drop constraint changes_check; \
             alter table hallpass.changes drop constraint changes_check1; \
             update hallpass.changes set target = 'new' \
             where seq = (select max(seq) from hallpass.changes)",
        );
    }

    async fn spoil_token(&self, id: TokenId) {
        self.run(&format!("update hallpass.tokens set scopes = '{{a::b}}' where id = '{id}'"));
    }

    async fn confuse(&self, id: TokenId, other: TokenId) {
        self.run(&format!(
            "update hallpass.tokens as t set digest = o.digest, algorithm = o.algorithm, owner = o.owner \
             from hallpass.tokens as o where t.id = '{id}' and o.id = '{other}'"
        ));
    }
}

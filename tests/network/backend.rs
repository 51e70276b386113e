//! The two stores that the tests run on, and operations on their servers.

mod postgres;
mod redis;

use std::net::SocketAddr;

use hallpass_core::TokenId;
use hallpass_core::store::TokenStore;

pub(crate) use self::postgres::Postgres;
pub(crate) use self::redis::Redis;

/// A store on a real server, and operations on that server.
pub(crate) trait Backend: Sized + 'static {
    type Store: TokenStore;

    /// Returns a new database on a server that other tests use too. Do not break that server.
    fn shared() -> Self;

    /// Starts a server that only this test uses.
    fn alone() -> Self;

    /// Starts a server that only this test uses and whose clock can be set.
    fn alone_with_clock() -> Self;

    /// Sets the server's clock this number of seconds ahead of the machine's.
    fn set_clock(&self, seconds: i64);

    fn url(&self) -> &str;

    fn address(&self) -> SocketAddr;

    /// Opens the store at that URL, which leads to this server directly or through a proxy.
    fn open(url: &str) -> impl Future<Output = Self::Store> + Send;

    fn kill(&self);

    fn start_again(&self);

    fn pause(&self);

    fn resume(&self);

    /// Starts a standby that replicates this server.
    fn standby(&self) -> Self;

    /// Waits until the standby has received everything.
    fn wait_for(&self, standby: &Self);

    /// Disconnects a standby from its primary. It stays a standby.
    fn stop_following(&self);

    fn promote(&self);

    /// Returns the ports of the clients that receive change notifications.
    fn listening(&self) -> Vec<u16>;

    /// Closes a client's connection on the server.
    fn end_client(&self, port: u16);

    /// Blocks every lookup until the returned value is dropped, or for a few seconds.
    async fn lock(&self) -> Box<dyn Send>;

    /// Makes the server reject changes, or accept them again.
    fn take_no_changes(&self, none: bool);

    /// Deletes all entries of the change log but the last.
    async fn trim_log(&self);

    /// Makes the last entry of the change log unreadable.
    async fn spoil_log(&self);

    /// Makes the record of a token unreadable.
    async fn spoil_token(&self, id: TokenId);

    /// Overwrites the stored data of a token with that of another one, except for its id.
    async fn confuse(&self, id: TokenId, other: TokenId);
}

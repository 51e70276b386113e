//! The two stores, each with its server, and what can be done to that.

mod postgres;
mod redis;

use std::net::SocketAddr;

use hallpass_core::TokenId;
use hallpass_core::store::TokenStore;

pub(crate) use self::postgres::Postgres;
pub(crate) use self::redis::Redis;

/// A place for tokens on a real server.
pub(crate) trait Backend: Sized + 'static {
    type Store: TokenStore;

    /// On a server that other tests use too: it must not be broken.
    fn shared() -> Self;

    /// On a server of one's own.
    fn alone() -> Self;

    /// On a server of one's own with a clock of its own.
    fn alone_with_clock() -> Self;

    /// Lets that clock be ahead of this machine's by so many seconds.
    fn set_clock(&self, seconds: i64);

    fn url(&self) -> &str;

    fn address(&self) -> SocketAddr;

    /// The store at that URL, which leads here.
    fn open(url: &str) -> impl Future<Output = Self::Store> + Send;

    fn kill(&self);

    fn start_again(&self);

    fn pause(&self);

    fn resume(&self);

    /// A server that follows this one.
    fn standby(&self) -> Self;

    /// Waits until that one has what this one has.
    fn wait_for(&self, standby: &Self);

    /// Lets a standby hear nothing more. It stays one.
    fn stop_following(&self);

    fn promote(&self);

    /// The ports of the clients that are told of changes.
    fn listening(&self) -> Vec<u16>;

    /// Ends a client's connection, from the server's side.
    fn end_client(&self, port: u16);

    /// Lets every look-up wait until what is answered is dropped, or for a few seconds.
    async fn lock(&self) -> Box<dyn Send>;

    /// Lets the server take no changes, or take them again.
    fn take_no_changes(&self, none: bool);

    /// Leaves nothing of the change log but its last line.
    async fn trim_log(&self);

    /// Makes the last line of the change log one that nobody can read.
    async fn spoil_log(&self);

    /// Makes a token's record one that nobody can read.
    async fn spoil_token(&self, id: TokenId);

    /// Gives a token all that is stored of another one, its id apart.
    async fn confuse(&self, id: TokenId, other: TokenId);
}

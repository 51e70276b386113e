//! Sets Hallpass up for the benchmarks: a cache in front of a store in memory, with tokens.

use anyhow::Result;
use hallpass_cache::Cached;
use hallpass_core::{Actor, Hallpass, Limits, NewToken};
use hallpass_memory::MemoryStore;
use tokio::runtime::{Builder, Runtime};

/// A Hallpass instance, and the texts of the tokens that it has issued.
pub(crate) struct Fixture {
    pub(crate) hallpass: Hallpass,
    pub(crate) tokens: Vec<String>,
}

/// The owners of the tokens.
#[derive(Clone, Copy)]
pub(crate) enum Owners {
    /// Each token has an owner of its own.
    Many,
    /// One owner has all tokens.
    One,
}

/// Creates a runtime with one worker. Checks run on the thread that calls `block_on`, background
/// tasks of the cache on the worker.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(1).enable_all().build()?)
}

impl Fixture {
    /// Issues `count` tokens with these scopes and uses each once, so that it is cached.
    pub(crate) async fn new(count: usize, owners: Owners, scopes: &[&str]) -> Result<Self> {
        let limits = Limits::default().unlimited_tokens();
        let hallpass = Hallpass::builder(Cached::new(MemoryStore::new())).limits(limits).build();
        let mut tokens = Vec::with_capacity(count);
        for number in 0..count {
            let owner = match owners {
                Owners::Many => format!("owner-{number}"),
                Owners::One => "owner".to_owned(),
            };
            let new = NewToken::named("bench").scopes(scopes.iter().copied());
            let token = hallpass.issue(&Actor::owner(owner.as_str()), new).await?.token;
            tokens.push(token.reveal().to_owned());
        }
        // This happens after all were issued, because each new token invalidates the cached ones of
        // its stripe.
        for token in &tokens {
            hallpass.authenticate(token.as_bytes()).await?;
        }
        Ok(Self { hallpass, tokens })
    }
}

/// Returns the token with its last character changed, so that only the checksum is wrong.
pub(crate) fn with_a_typo(token: &str) -> String {
    let mut token = token.to_owned();
    let last = token.pop();
    token.push(if last == Some('0') { '1' } else { '0' });
    token
}

//! Hallpass, as the benchmarks set it up: a cache in front of a store in memory, and tokens in it.

use anyhow::Result;
use hallpass_cache::Cached;
use hallpass_core::{Actor, Hallpass, Limits, NewToken};
use hallpass_memory::MemoryStore;
use tokio::runtime::{Builder, Runtime};

/// A handle, and the texts of the tokens that it has issued.
pub(crate) struct Ours {
    pub(crate) hallpass: Hallpass,
    pub(crate) tokens: Vec<String>,
}

/// Whose tokens they are.
#[derive(Clone, Copy)]
pub(crate) enum Owners {
    /// Each has one.
    Many,
    /// One has all.
    One,
}

/// The thread that calls `block_on` runs the checks; what a cache does by itself runs on another
/// one.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(1).enable_all().build()?)
}

impl Ours {
    /// So many tokens with these scopes, each used once, so that it is cached.
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
        // When all are there: each new token voids what is cached on its stripe.
        for token in &tokens {
            hallpass.authenticate(token.as_bytes()).await?;
        }
        Ok(Self { hallpass, tokens })
    }
}

/// The token with its last character changed, so that only the checksum tells.
pub(crate) fn with_a_typo(token: &str) -> String {
    let mut token = token.to_owned();
    let last = token.pop();
    token.push(if last == Some('0') { '1' } else { '0' });
    token
}

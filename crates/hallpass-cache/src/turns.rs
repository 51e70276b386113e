use std::hash::{BuildHasher as _, RandomState};

use hallpass_core::TokenId;
use tokio::sync::Mutex;

/// How many tokens can be asked for past the cache at once.
const TURNS: usize = 32;

/// Whose turn it is to ask the store past the cache: anybody who knows a token's public id can make
/// a check do so, with a wrong secret.
#[derive(Debug)]
pub(crate) struct Turns {
    turns: Box<[Mutex<()>]>,
    hasher: RandomState,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self { turns: (0..TURNS).map(|_| Mutex::new(())).collect(), hasher: RandomState::new() }
    }

    pub(crate) fn of(&self, id: TokenId) -> &Mutex<()> {
        &self.turns[self.hasher.hash_one(id) as usize % TURNS]
    }
}

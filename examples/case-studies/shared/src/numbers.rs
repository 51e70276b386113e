//! The numbers by which a product's clients identify tokens: 64 bits, so a UUID does not fit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use hallpass::TokenId;

/// A number for each token that was shown. The products have them in their databases, and this
/// table is in memory, like the store. A table finds one token without reading a list of them.
#[derive(Clone, Debug, Default)]
pub struct Numbers(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    ids: Vec<TokenId>,
    numbers: HashMap<TokenId, u64>,
}

impl Numbers {
    /// Returns the number of a token, which is the next free one if the token has none.
    #[must_use]
    pub fn of(&self, id: TokenId) -> u64 {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Table { ids, numbers } = &mut *table;
        *numbers.entry(id).or_insert_with(|| {
            ids.push(id);
            ids.len() as u64
        })
    }

    /// Returns the token with this number.
    #[must_use]
    pub fn token(&self, number: u64) -> Option<TokenId> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        table.ids.get(place).copied()
    }
}

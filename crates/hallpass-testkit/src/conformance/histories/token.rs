//! The model of a token: the state that decides which of its secrets are accepted.

use std::collections::HashSet;

use hallpass_core::{Issued, Owner, ScopeSet, TokenId};
use jiff::Timestamp;

use super::past::Past;

/// A token and all secrets that it has ever had.
pub(super) struct Token {
    pub(super) id: TokenId,
    pub(super) owner: Owner,
    pub(super) secrets: Vec<String>,
    pub(super) state: Past<State>,
    /// The nodes that have rejected a secret that no longer works, and the secret.
    pub(super) seen_dead: HashSet<(usize, usize)>,
}

/// The state that decides whether a secret is accepted.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) is_there: bool,
    pub(super) is_revoked: bool,
    pub(super) ends: Option<Timestamp>,
    pub(super) scopes: ScopeSet,
    /// The number of the current secret.
    pub(super) current: usize,
    /// The number of the previous secret, and when it stops working.
    pub(super) previous: Option<(usize, Timestamp)>,
}

impl Token {
    pub(super) fn new(issued: Issued) -> Self {
        let record = issued.record;
        Self {
            id: record.id,
            owner: record.owner,
            secrets: vec![issued.token.reveal().to_owned()],
            state: Past::new(State {
                is_there: true,
                is_revoked: false,
                ends: record.expires_at,
                scopes: record.scopes,
                current: 0,
                previous: None,
            }),
            seen_dead: HashSet::new(),
        }
    }

    /// Changes the state, by a call on this node that has just returned.
    pub(super) fn change(&mut self, node: usize, edit: impl FnOnce(&mut State)) {
        let mut state = self.state.now().clone();
        edit(&mut state);
        self.state.change(node, state);
    }
}

impl State {
    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        self.ends.is_some_and(|end| end <= now)
    }

    pub(super) fn is_active(&self, now: Timestamp) -> bool {
        self.is_there && !self.is_revoked && !self.is_expired(now)
    }

    pub(super) fn grace_period(&self, now: Timestamp) -> Option<usize> {
        self.previous.filter(|(_, until)| now < *until).map(|(secret, _)| secret)
    }

    /// Returns whether a secret is accepted if the owner is active.
    pub(super) fn accepts(&self, secret: usize, now: Timestamp) -> bool {
        self.is_active(now) && (secret == self.current || self.grace_period(now) == Some(secret))
    }
}

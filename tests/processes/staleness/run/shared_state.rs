//! The state that the tasks of a run share: the known tokens and the recorded history.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::random::Random;
use super::{OWNERS, TOKENS};
use crate::action::{Action, Outcome, TokenChange};
use crate::history::{Change, ChangeKind, Credential, Event, Operation, Subject, Verdict};

#[derive(Default)]
pub(super) struct SharedState(Mutex<State>);

#[derive(Default)]
struct State {
    tokens: Vec<Token>,
    /// The credential of each token text.
    credentials: HashMap<String, Credential>,
    /// A lock for each owner whose account is disabled and enabled.
    owner_locks: HashMap<String, Arc<tokio::sync::Mutex<()>>>,
    scopes: u64,
    history: Vec<Operation>,
}

struct Token {
    owner: String,
    id: String,
    /// The texts of all secrets so far, newest last.
    secrets: Vec<String>,
}

impl SharedState {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn owner(number: usize) -> String {
        format!("owner-{}", number % OWNERS)
    }

    /// Returns a scope that was not used before.
    pub(super) fn new_scope(&self) -> String {
        let mut state = self.lock();
        state.scopes += 1;
        format!("scope-{}", state.scopes)
    }

    pub(super) fn history(&self) -> Vec<Operation> {
        std::mem::take(&mut self.lock().history)
    }

    /// Returns one of the latest tokens. Most of them exist, and some were deleted recently.
    pub(super) fn any_token(&self, random: &mut Random) -> Option<usize> {
        let tokens = self.lock().tokens.len();
        (tokens > 0).then(|| tokens - 1 - random.below(tokens.min(TOKENS + TOKENS / 4)))
    }

    /// Returns one of the three latest secrets of some token. The newest one is the most likely.
    pub(super) fn any_credential(&self, random: &mut Random) -> Option<(String, Credential)> {
        let token = self.any_token(random)?;
        let state = self.lock();
        let secrets = &state.tokens[token].secrets;
        let back = random.below(6).saturating_sub(3).min(secrets.len() - 1);
        let text = secrets[secrets.len() - 1 - back].clone();
        let credential = state.credentials[&text];
        Some((text, credential))
    }

    /// Returns the owner and the id of a token.
    pub(super) fn name(&self, token: usize) -> (String, String) {
        let state = self.lock();
        let Token { owner, id, .. } = &state.tokens[token];
        (owner.clone(), id.clone())
    }

    /// Returns the three latest secrets of a token. The newest comes last, because its first use
    /// ends the grace period of the previous one.
    pub(super) fn secrets_of(&self, token: usize) -> Vec<String> {
        let state = self.lock();
        let secrets = &state.tokens[token].secrets;
        secrets[secrets.len().saturating_sub(3)..].to_vec()
    }

    /// Locks an owner, so that only one task at a time disables and enables the account.
    pub(super) async fn lock_owner(&self, owner: &str) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = Arc::clone(self.lock().owner_locks.entry(owner.to_owned()).or_default());
        lock.lock_owned().await
    }

    /// Records the result of a call. Returns whether the call has certainly succeeded.
    pub(super) fn note(
        &self,
        node: usize,
        (start, end): (Duration, Duration),
        action: &Action,
        token: Option<usize>,
        outcome: Outcome,
    ) -> bool {
        let mut state = self.lock();
        let event = match action {
            Action::Check { token, .. } => {
                let credential = state.credentials[token];
                Some(Event::Check { credential, verdict: verdict_of(outcome) })
            }
            _ => state.change(action, token, outcome).map(Event::Change),
        };
        let done = matches!(&event, Some(Event::Change(Change { done: true, .. })));
        state.history.extend(event.map(|event| Operation { node, start, end, event }));
        done
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("a task panicked")
    }
}

impl State {
    /// Returns the change for the history, or `None` if nothing was changed or the change cannot be
    /// attributed to a token.
    fn change(
        &mut self,
        action: &Action,
        token: Option<usize>,
        outcome: Outcome,
    ) -> Option<Change> {
        let (done, revision, secret) = match outcome {
            Outcome::NotDone => return None,
            Outcome::Unknown => (false, None, None),
            Outcome::Done { revision } => (true, revision, None),
            Outcome::NewSecret { id, token: text, revision } => {
                let token = token.unwrap_or_else(|| self.issued(action, id));
                (true, Some(revision), Some(self.made(token, text)))
            }
            check => unreachable!("{check:?} for a change"),
        };
        let (of, kind) = match action {
            Action::Check { .. } => unreachable!("a check is no change"),
            // Without a reply the id of the new token is unknown, so nothing is recorded.
            Action::Issue { owner, .. } => {
                let Credential { token, secret } = secret?;
                let owner = number_of(owner);
                (Subject::Token(token), ChangeKind::Issued { owner, secret })
            }
            Action::Change { change, .. } => {
                let kind = match change {
                    TokenChange::Revoke => ChangeKind::Revoked,
                    TokenChange::Delete | TokenChange::DeleteMany => ChangeKind::Deleted,
                    TokenChange::Update { .. } => ChangeKind::Updated,
                    TokenChange::Regenerate { grace_period } => {
                        let secret = secret.map(|credential| credential.secret);
                        ChangeKind::Regenerated { secret, grace_period: *grace_period }
                    }
                };
                (Subject::Token(token.expect("a token")), kind)
            }
            Action::RevokeAll { owner } | Action::DeleteAll { owner } => {
                (Subject::Owner(number_of(owner)), ChangeKind::AllEnded)
            }
            Action::SetDisabled { owner, disabled } => {
                let kind = if *disabled { ChangeKind::Disabled } else { ChangeKind::Enabled };
                (Subject::Owner(number_of(owner)), kind)
            }
        };
        let scopes = match action {
            Action::Issue { scope, .. } => Some(scope.clone()),
            Action::Change { change: TokenChange::Update { scope }, .. } => Some(scope.clone()),
            _ => None,
        };
        Some(Change { of, kind, done, revision, scopes })
    }

    fn issued(&mut self, action: &Action, id: String) -> usize {
        let Action::Issue { owner, .. } = action else { unreachable!("{action:?} issues nothing") };
        self.tokens.push(Token { owner: owner.clone(), id, secrets: Vec::new() });
        self.tokens.len() - 1
    }

    fn made(&mut self, token: usize, text: String) -> Credential {
        let secrets = &mut self.tokens[token].secrets;
        let credential = Credential { token, secret: secrets.len() };
        secrets.push(text.clone());
        self.credentials.insert(text, credential);
        credential
    }
}

fn verdict_of(outcome: Outcome) -> Verdict {
    match outcome {
        Outcome::Accepted { scopes } => Verdict::Accepted(scopes),
        Outcome::Rejected => Verdict::Rejected,
        Outcome::Unavailable => Verdict::Unavailable,
        change => unreachable!("{change:?} for a check"),
    }
}

fn number_of(owner: &str) -> usize {
    owner.strip_prefix("owner-").and_then(|number| number.parse().ok()).expect("an owner")
}

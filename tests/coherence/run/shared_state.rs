//! What the tasks of a run know of the tokens, and what they have written down.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::random::Random;
use super::{OWNERS, TOKENS};
use crate::action::{Action, How, Outcome};
use crate::history::{Change, Credential, Kind, Operation, Saw, Subject, What};

#[derive(Default)]
pub(super) struct World(Mutex<Known>);

#[derive(Default)]
struct Known {
    tokens: Vec<Token>,
    /// Where a secret's text is presented, whose it is.
    credentials: HashMap<String, Credential>,
    standings: HashMap<String, Arc<tokio::sync::Mutex<()>>>,
    scopes: u64,
    history: Vec<Operation>,
}

struct Token {
    owner: String,
    id: String,
    /// All that were made, the newest last.
    secrets: Vec<String>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn owner(number: usize) -> String {
        format!("owner-{}", number % OWNERS)
    }

    /// One that nothing was given yet.
    pub(super) fn new_scope(&self) -> String {
        let mut known = self.lock();
        known.scopes += 1;
        format!("scope-{}", known.scopes)
    }

    pub(super) fn history(&self) -> Vec<Operation> {
        std::mem::take(&mut self.lock().history)
    }

    /// One of the latest tokens: most live, some deleted a moment ago.
    pub(super) fn any_token(&self, random: &mut Random) -> Option<usize> {
        let tokens = self.lock().tokens.len();
        (tokens > 0).then(|| tokens - 1 - random.below(tokens.min(TOKENS + TOKENS / 4)))
    }

    /// One of its three latest secrets, the newest more often.
    pub(super) fn any_credential(&self, random: &mut Random) -> Option<(String, Credential)> {
        let token = self.any_token(random)?;
        let known = self.lock();
        let secrets = &known.tokens[token].secrets;
        let back = random.below(6).saturating_sub(3).min(secrets.len() - 1);
        let text = secrets[secrets.len() - 1 - back].clone();
        let credential = known.credentials[&text];
        Some((text, credential))
    }

    /// Whose the token is, and its id.
    pub(super) fn name(&self, token: usize) -> (String, String) {
        let known = self.lock();
        let Token { owner, id, .. } = &known.tokens[token];
        (owner.clone(), id.clone())
    }

    /// Its three latest secrets, the newest last: its first use ends an overlap.
    pub(super) fn secrets_of(&self, token: usize) -> Vec<String> {
        let known = self.lock();
        let secrets = &known.tokens[token].secrets;
        secrets[secrets.len().saturating_sub(3)..].to_vec()
    }

    /// Lets one task at a time disable and enable that owner.
    pub(super) async fn standing_of(&self, owner: &str) -> tokio::sync::OwnedMutexGuard<()> {
        let turn = Arc::clone(self.lock().standings.entry(owner.to_owned()).or_default());
        turn.lock_owned().await
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
        let mut known = self.lock();
        let what = match action {
            Action::Check { token, .. } => {
                let credential = known.credentials[token];
                Some(What::Check { credential, saw: saw(outcome) })
            }
            _ => known.change(action, token, outcome).map(What::Change),
        };
        let done = matches!(&what, Some(What::Change(Change { done: true, .. })));
        known.history.extend(what.map(|what| Operation { node, start, end, what }));
        done
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().expect("no panic")
    }
}

impl Known {
    /// The change as history has it; none if nothing has happened, or nobody will ever know.
    fn change(
        &mut self,
        action: &Action,
        token: Option<usize>,
        outcome: Outcome,
    ) -> Option<Change> {
        let (done, revision, secret) = match outcome {
            Outcome::Nothing => return None,
            Outcome::Unknown => (false, None, None),
            Outcome::Done { revision } => (true, revision, None),
            Outcome::Made { id, token: text, revision } => {
                let token = token.unwrap_or_else(|| self.issued(action, id));
                (true, Some(revision), Some(self.made(token, text)))
            }
            check => unreachable!("{check:?} for a change"),
        };
        let (of, kind) = match action {
            Action::Check { .. } => unreachable!("a check is no change"),
            // Of a token that nobody was told of there is nothing to say.
            Action::Issue { owner, .. } => {
                let Credential { token, secret } = secret?;
                let owner = number_of(owner);
                (Subject::Token(token), Kind::Issued { owner, secret })
            }
            Action::Change { how, .. } => {
                let kind = match how {
                    How::Revoke => Kind::Revoked,
                    How::Delete | How::DeleteMany => Kind::Deleted,
                    How::Update { .. } => Kind::Updated,
                    How::Regenerate { overlap } => {
                        let secret = secret.map(|credential| credential.secret);
                        Kind::Regenerated { secret, overlap: *overlap }
                    }
                };
                (Subject::Token(token.expect("a token")), kind)
            }
            Action::RevokeAll { owner } | Action::DeleteAll { owner } => {
                (Subject::Owner(number_of(owner)), Kind::AllEnded)
            }
            Action::Stand { owner, disabled } => {
                let kind = if *disabled { Kind::Disabled } else { Kind::Enabled };
                (Subject::Owner(number_of(owner)), kind)
            }
        };
        let scopes = match action {
            Action::Issue { scope, .. } => Some(scope.clone()),
            Action::Change { how: How::Update { scope }, .. } => Some(scope.clone()),
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

fn saw(outcome: Outcome) -> Saw {
    match outcome {
        Outcome::Accepted { scopes } => Saw::Accepted(scopes),
        Outcome::Refused => Saw::Refused,
        Outcome::Unavailable => Saw::Unavailable,
        change => unreachable!("{change:?} for a check"),
    }
}

fn number_of(owner: &str) -> usize {
    owner.strip_prefix("owner-").and_then(|number| number.parse().ok()).expect("an owner")
}

//! The calls of a history that need several steps.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use hallpass_core::{
    Actor, AuthError, Error, Hallpass, NewToken, Owner, OwnerStatus, RegenerateOptions, ScopeSet,
    TokenUpdate,
};

use super::past::Past;
use super::token::Token;
use super::{BOUND, World, assert_gone, hours, owner_of};

impl World {
    pub(super) async fn set_scopes(&mut self, node: usize, token: usize, scopes: &str) {
        if self.is_disabled(&self.tokens[token].owner) {
            return;
        }
        let token = &mut self.tokens[token];
        let scopes = ScopeSet::parse(scopes.split(' ')).expect("scopes");
        let update = TokenUpdate::new().scopes(scopes.iter().map(ToString::to_string));
        let by = Actor::owner(token.owner.as_str());
        match self.nodes[node].hallpass.update(&by, token.id, update, None).await {
            Ok(_) => token.change(node, |state| state.scopes = scopes),
            Err(error) => assert_gone(token, node, &error),
        }
    }

    pub(super) async fn extend(&mut self, node: usize, token: usize, count: i64) {
        let now = self.now();
        // A disabled owner cannot extend a token.
        if self.is_disabled(&self.tokens[token].owner) {
            return;
        }
        let token = &mut self.tokens[token];
        let update = TokenUpdate::new().expires(format!("{count}h"));
        let by = Actor::owner(token.owner.as_str());
        match self.nodes[node].hallpass.update(&by, token.id, update, None).await {
            Ok(_) => token.change(node, |state| state.ends = Some(now + hours(count))),
            Err(Error::NotActive) => assert!(!token.state.now().is_active(now)),
            Err(error) => assert_gone(token, node, &error),
        }
    }

    pub(super) async fn issue(&mut self, hallpass: &Hallpass, number: usize, hours: Option<i64>) {
        let owner = owner_of(number);
        if self.is_disabled(&owner) {
            return;
        }
        let mut new = NewToken::named("ci").scope("jobs");
        if let Some(hours) = hours {
            new = new.expires(format!("{hours}h"));
        }
        match hallpass.issue(&Actor::owner(owner.as_str()), new).await {
            // The id was never looked up before, so no node has cached that it does not exist.
            Ok(issued) => self.tokens.push(Token::new(issued)),
            Err(Error::LimitReached { .. }) => assert_eq!(self.tokens_of(&owner).count(), 5),
            Err(error) => panic!("{error:?}"),
        }
    }

    pub(super) async fn regenerate(
        &mut self,
        node: usize,
        token: usize,
        count: Option<i64>,
        grace_period: Option<i64>,
    ) {
        let now = self.now();
        if self.is_disabled(&self.tokens[token].owner) {
            return;
        }
        let token = &mut self.tokens[token];
        let mut options = RegenerateOptions::new();
        if let Some(count) = count {
            options = options.expires(format!("{count}h"));
        }
        if let Some(grace_period) = grace_period {
            options = options.grace_period(format!("{grace_period}h"));
        }
        let by = Actor::owner(token.owner.as_str());
        match self.nodes[node].hallpass.regenerate(&by, token.id, options).await {
            Ok(issued) => {
                token.secrets.push(issued.token.reveal().to_owned());
                let newest = token.secrets.len() - 1;
                token.change(node, |state| {
                    state.previous =
                        grace_period.filter(|_| state.is_active(now)).map(|grace_period| {
                            let until = now + hours(grace_period);
                            (state.current, state.ends.map_or(until, |end| end.min(until)))
                        });
                    state.current = newest;
                    state.is_revoked = false;
                    state.ends = count.map(|count| now + hours(count)).or(state.ends);
                });
            }
            Err(Error::Invalid(_)) => {
                assert!(count.is_none() && token.state.now().is_expired(now));
            }
            Err(error) => assert_gone(token, node, &error),
        }
    }

    pub(super) async fn set_owner_status(&mut self, node: usize, owner: &Owner, is_disabled: bool) {
        let Some(disabled) = self.disabled.get_mut(owner) else { return };
        let status = if is_disabled { OwnerStatus::Disabled } else { OwnerStatus::Active };
        self.host.lock().unwrap_or_else(PoisonError::into_inner).insert(owner.clone(), status);
        let host = Actor::system("host");
        self.nodes[node].hallpass.owner_changed(&host, owner).await.expect("an answer");
        disabled.change(node, is_disabled);
    }

    /// Returns whether an owner is disabled. Such an owner cannot grant anything.
    pub(super) fn is_disabled(&self, owner: &Owner) -> bool {
        self.disabled.get(owner).is_some_and(|disabled| *disabled.now())
    }

    /// Presents a secret to a node, and fails if the result is not one of those allowed.
    pub(super) async fn check(&mut self, node: usize, token: usize, secret: usize) {
        let now = self.now();
        let token = &mut self.tokens[token];
        let (start, verdict) = verdict(&self.nodes[node].hallpass, &token.secrets[secret]).await;
        let never = Past::new(false);
        let disabled = self.disabled.get(&token.owner).unwrap_or(&never);
        let mut possible = Vec::new();
        for state in token.state.believable(node, start, BOUND) {
            for disabled in disabled.believable(node, start, BOUND) {
                let accepted = state.accepts(secret, now) && !disabled;
                possible.push(accepted.then(|| state.scopes.clone()));
            }
        }
        assert!(
            possible.contains(&verdict),
            "node {node} returned {verdict:?} for secret {secret}, allowed are {possible:?}"
        );
        let works = token.state.now().accepts(secret, now);
        if verdict.is_some() {
            let was_rejected = token.seen_dead.contains(&(node, secret));
            assert!(!was_rejected, "node {node} accepts a secret that it has rejected permanently");
        } else if !works {
            token.seen_dead.insert((node, secret));
        }
        let truth = token.state.now();
        if verdict.is_some()
            && truth.is_there
            && truth.current == secret
            && truth.grace_period(now).is_some()
        {
            token.change(node, |state| state.previous = None);
        }
    }

    /// Checks that every node returns the right result for every secret after the bound has passed.
    pub(super) async fn settle(&mut self) {
        tokio::time::sleep(BOUND + Duration::from_millis(10)).await;
        for token in 0..self.tokens.len() {
            for secret in 0..self.tokens[token].secrets.len() {
                for node in 0..self.nodes.len() {
                    self.check(node, token, secret).await;
                }
            }
        }
    }
}

/// The maximum number of attempts of a check. A check fails if changes overtake it.
const OVERTAKEN: usize = 2;

/// Returns when a check started, and the scopes if the secret was accepted.
async fn verdict(hallpass: &Hallpass, secret: &str) -> (Instant, Option<ScopeSet>) {
    let mut last_error = None;
    for _ in 0..OVERTAKEN {
        let start = Instant::now();
        match hallpass.authenticate(secret.as_bytes()).await {
            Ok(principal) => return (start, Some(principal.scopes().clone())),
            Err(AuthError::Rejected(_)) => return (start, None),
            Err(unavailable) => last_error = Some(unavailable),
        }
    }
    panic!("a check fails although the store works: {last_error:?}");
}

//! Random histories of one owner's tokens, compared with a small model. After each step, a secret
//! works exactly if it works in the model.

use hallpass_core::{
    Error, Issued, ListOptions, NewToken, Owner, RegenerateOptions, TokenId, TokenUpdate,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::common::*;

#[derive(Clone, Debug)]
enum Step {
    Issue {
        hours: Option<i64>,
    },
    Copy(usize),
    Rename(usize),
    Extend(usize, i64),
    Regenerate {
        token: usize,
        hours: Option<i64>,
        grace_period: Option<i64>,
    },
    Revoke(usize),
    Delete(usize),
    /// The current secret is used.
    TokenUse(usize),
    RevokeAll,
    DeleteAll,
    Prune,
    Flush,
    Pass {
        minutes: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let token = 0..4_usize;
    let hours = || proptest::option::of(1..72_i64);
    prop_oneof![
        4 => hours().prop_map(|hours| Step::Issue { hours }),
        1 => token.clone().prop_map(Step::Copy),
        1 => token.clone().prop_map(Step::Rename),
        1 => (token.clone(), 1..72_i64).prop_map(|(token, hours)| Step::Extend(token, hours)),
        6 => (token.clone(), hours(), hours()).prop_map(|(token, hours, grace_period)| Step::Regenerate { token, hours, grace_period }),
        2 => token.clone().prop_map(Step::Revoke),
        1 => token.clone().prop_map(Step::Delete),
        3 => token.prop_map(Step::TokenUse),
        1 => Just(Step::RevokeAll),
        1 => Just(Step::DeleteAll),
        1 => Just(Step::Prune),
        1 => Just(Step::Flush),
        5 => (1..2_000_i64).prop_map(|minutes| Step::Pass { minutes }),
    ]
}

/// The model of one token.
struct Token {
    id: TokenId,
    current: String,
    previous: Option<(String, Timestamp)>,
    ends: Option<Timestamp>,
    revoked: Option<Timestamp>,
    revision: u64,
}

impl Token {
    fn new(issued: Issued) -> Self {
        Self {
            id: issued.record.id,
            current: issued.token.reveal().to_owned(),
            previous: None,
            ends: issued.record.expires_at,
            revoked: None,
            revision: 1,
        }
    }

    fn expired(&self, now: Timestamp) -> bool {
        self.ends.is_some_and(|end| end <= now)
    }

    fn active(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && !self.expired(now)
    }

    fn previous_works(&self, now: Timestamp) -> bool {
        self.active(now) && self.previous.as_ref().is_some_and(|(_, until)| now < *until)
    }
}

struct Model {
    service: Service,
    tokens: Vec<Token>,
    /// All secrets that any token has ever had.
    ever: Vec<String>,
    renames: u32,
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

impl Model {
    fn now(&self) -> Timestamp {
        self.service.hallpass.now()
    }

    fn adopt(&mut self, issued: Issued) {
        let token = Token::new(issued);
        self.ever.push(token.current.clone());
        self.tokens.push(token);
    }

    async fn take(&mut self, step: Step) {
        let (hallpass, now) = (self.service.hallpass.clone(), self.now());
        let by = alice();
        let pick = |token: usize| token.checked_rem(self.tokens.len());
        match step {
            Step::Issue { hours } => {
                let new = NewToken::named("x");
                let new = match hours {
                    Some(hours) => new.expires(format!("{hours}h")),
                    None => new,
                };
                match hallpass.issue(&by, new).await {
                    Ok(issued) => self.adopt(issued),
                    Err(Error::LimitReached { .. }) => assert_eq!(self.tokens.len(), 5),
                    Err(other) => panic!("{other:?}"),
                }
            }
            Step::Copy(token) => {
                let Some(token) = pick(token) else { return };
                let ends = self.tokens[token].ends;
                match hallpass.copy(&by, self.tokens[token].id, TokenUpdate::new()).await {
                    Ok(issued) => {
                        let kept = ends
                            .filter(|end| end.duration_since(now) >= SignedDuration::from_mins(1));
                        assert_eq!(issued.record.expires_at, kept);
                        self.adopt(issued);
                    }
                    Err(Error::LimitReached { .. }) => assert_eq!(self.tokens.len(), 5),
                    Err(other) => panic!("{other:?}"),
                }
            }
            Step::Rename(token) => {
                let Some(token) = pick(token) else { return };
                let token = &mut self.tokens[token];
                self.renames += 1;
                let update = TokenUpdate::new().name(format!("name {}", self.renames));
                hallpass.update(&by, token.id, update, None).await.unwrap();
                token.revision += 1;
            }
            Step::Extend(token, count) => {
                let Some(token) = pick(token) else { return };
                let token = &mut self.tokens[token];
                let update = TokenUpdate::new().expires(format!("{count}h"));
                match hallpass.update(&by, token.id, update, None).await {
                    Ok(_) => {
                        assert!(token.active(now));
                        let end = Some(now + hours(count));
                        token.revision += u64::from(token.ends != end);
                        token.ends = end;
                    }
                    Err(Error::NotActive) => assert!(!token.active(now)),
                    Err(other) => panic!("{other:?}"),
                }
            }
            Step::Regenerate { token, hours: count, grace_period } => {
                let Some(token) = pick(token) else { return };
                let token = &mut self.tokens[token];
                let mut options = RegenerateOptions::new();
                if let Some(count) = count {
                    options = options.expires(format!("{count}h"));
                }
                if let Some(grace_period) = grace_period {
                    options = options.grace_period(format!("{grace_period}h"));
                }
                match hallpass.regenerate(&by, token.id, options).await {
                    Ok(issued) => {
                        assert!(count.is_some() || !token.expired(now));
                        let old =
                            std::mem::replace(&mut token.current, issued.token.reveal().to_owned());
                        token.previous =
                            grace_period.filter(|_| token.active(now)).map(|grace_period| {
                                let until = now + hours(grace_period);
                                (old, token.ends.map_or(until, |end| end.min(until)))
                            });
                        token.ends = count.map(|count| now + hours(count)).or(token.ends);
                        token.revoked = None;
                        token.revision += 1;
                        self.ever.push(token.current.clone());
                    }
                    Err(Error::Invalid(_)) => assert!(count.is_none() && token.expired(now)),
                    Err(other) => panic!("{other:?}"),
                }
            }
            Step::Revoke(token) => {
                let Some(token) = pick(token) else { return };
                let token = &mut self.tokens[token];
                hallpass.revoke(&by, token.id).await.unwrap();
                token.revision += u64::from(token.revoked.is_none());
                token.revoked.get_or_insert(now);
            }
            Step::Delete(token) => {
                let Some(token) = pick(token) else { return };
                let token = self.tokens.remove(token);
                hallpass.delete(&by, token.id, None).await.unwrap();
            }
            Step::TokenUse(token) => {
                let Some(token) = pick(token) else { return };
                let token = &mut self.tokens[token];
                assert_eq!(self.service.accepts(&token.current).await, token.active(now));
                if token.active(now) {
                    token.previous = None;
                }
            }
            Step::RevokeAll => {
                let count =
                    hallpass.revoke_owner(&by, &Owner::new("alice").unwrap(), None).await.unwrap();
                let live = self.tokens.iter_mut().filter(|token| token.revoked.is_none());
                let revoked = live.map(|token| {
                    token.revoked = Some(now);
                    token.revision += 1;
                });
                assert_eq!(count, revoked.count() as u64);
            }
            Step::DeleteAll => {
                let count = hallpass.delete_all(&by).await.unwrap();
                assert_eq!(count, self.tokens.drain(..).count() as u64);
            }
            Step::Prune => {
                let line = now - hours(12);
                let count = hallpass.prune(&job(), line).await.unwrap();
                let before = self.tokens.len();
                let over = |end: Option<Timestamp>| end.is_some_and(|end| end < line);
                self.tokens.retain(|token| !over(token.ends) && !over(token.revoked));
                assert_eq!(count, (before - self.tokens.len()) as u64);
            }
            Step::Flush => {
                hallpass.flush_uses().await.unwrap();
            }
            Step::Pass { minutes } => self.service.clock.advance(crate::common::minutes(minutes)),
        }
    }

    /// Checks that each secret works exactly if it works in the model. A use of the new secret ends
    /// a grace period, so the current secrets of tokens in a grace period are left to a step of
    /// their own.
    async fn compare(&self) {
        let now = self.now();
        for secret in &self.ever {
            let expected = self.tokens.iter().find_map(|token| {
                if token.current == *secret {
                    let ends_a_grace_period = token.previous_works(now);
                    return Some((!ends_a_grace_period).then_some(token.active(now)));
                }
                let previous = token.previous.as_ref().is_some_and(|(old, _)| old == secret);
                previous.then(|| Some(token.previous_works(now)))
            });
            if let Some(expected) = expected.unwrap_or(Some(false)) {
                assert_eq!(self.service.accepts(secret).await, expected);
            }
        }
        let listed = self.service.hallpass.list(&alice(), &ListOptions::new()).await.unwrap();
        assert_eq!(listed.total, self.tokens.len() as u64);
        for token in &self.tokens {
            let record = listed.items.iter().find(|record| record.id == token.id).unwrap();
            assert_eq!(record.expires_at, token.ends);
            assert_eq!(record.revoked_at, token.revoked);
            assert_eq!(record.revision.get(), token.revision);
            assert!(record.last_used_at.is_none_or(|used| used <= now));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn model_and_handle_accept_the_same_secrets(steps in proptest::collection::vec(step(), 1..50)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let limits = hallpass_core::Limits::default().tokens_per_owner(5);
            let service = Service::with(|b| b.limits(limits));
            let mut model = Model { service, tokens: Vec::new(), ever: Vec::new(), renames: 0 };
            for step in steps {
                model.take(step).await;
                model.compare().await;
            }
        });
    }
}

//! What may happen, in any order.

use hallpass_core::store::{ChangeKind, ListQuery, Secrets, Sort, SortBy};
use hallpass_core::{ScopeSet, Status, TokenRecord};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::state::{OWNERS, TOKENS, owner_of};
use super::texts::{SCOPES, description, instant, name, needle, scopes, secrets};

/// One call, of one of the tokens or owners that there may be, known by their number.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Insert { token: usize, draft: Draft, secrets: Secrets, limit: Option<u32> },
    Change { token: usize, at: Aim, draft: Draft, secrets: Option<Secrets>, kind: ChangeKind },
    Rekey { token: usize, at: Aim, secrets: Secrets },
    Delete { token: usize, at: Option<Aim> },
    DeleteMany { owner: Option<usize>, tokens: Vec<usize> },
    DeleteOwner(usize),
    RevokeOwner(usize, Timestamp),
    Announce(usize),
    Touch(Vec<(usize, Aim, Timestamp)>),
    Prune { ended_before: Timestamp, limit: u32 },
    List(Box<ListQuery>),
    Follow { from: usize, limit: u32 },
}

/// Whether a caller knows what is there now, or what was, or what nobody can know yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    Now,
    Before,
    After,
}

/// What is freely chosen of a record.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    name: String,
    description: String,
    scopes: ScopeSet,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    regenerated_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
}

impl Draft {
    /// Writes it to a record that is new.
    pub(crate) fn fill(&self, record: &mut TokenRecord) {
        record.created_at = self.created_at;
        self.edit(record);
    }

    /// Writes what may change to a record.
    pub(crate) fn edit(&self, record: &mut TokenRecord) {
        record.name.clone_from(&self.name);
        record.description.clone_from(&self.description);
        record.scopes.clone_from(&self.scopes);
        record.expires_at = self.expires_at;
        record.revoked_at = self.revoked_at;
        record.regenerated_at = self.regenerated_at;
        record.last_used_at = self.last_used_at;
    }
}

fn draft() -> impl Strategy<Value = Draft> {
    let when = || option::weighted(0.4, instant());
    (name(), description(), scopes(), instant(), when(), when(), when(), when()).prop_map(
        |(
            name,
            description,
            scopes,
            created_at,
            expires_at,
            revoked_at,
            regenerated_at,
            last_used_at,
        )| Draft {
            name,
            description,
            scopes,
            created_at,
            expires_at,
            revoked_at,
            regenerated_at,
            last_used_at,
        },
    )
}

fn aim() -> impl Strategy<Value = Aim> {
    prop_oneof![4 => Just(Aim::Now), 1 => Just(Aim::Before), 1 => Just(Aim::After)]
}

fn kind() -> impl Strategy<Value = ChangeKind> {
    prop::sample::select(&[ChangeKind::Updated, ChangeKind::Regenerated, ChangeKind::Revoked][..])
}

fn query() -> impl Strategy<Value = Box<ListQuery>> {
    let by = [SortBy::CreatedAt, SortBy::Name, SortBy::ExpiresAt, SortBy::LastUsedAt];
    let sort = (prop::sample::select(by.to_vec()), any::<bool>())
        .prop_map(|(by, descending)| Sort { by, descending });
    let statuses = vec![Status::Active, Status::Expired, Status::Revoked];
    let filters = (
        option::of(0..OWNERS),
        option::of(prop::sample::select(statuses)),
        option::weighted(0.3, needle()),
        option::weighted(0.3, prop::sample::select(&SCOPES[..])),
    );
    let limit = prop_oneof![4 => 1..5_u32, 1 => Just(0), 2 => Just(100)];
    (filters, sort, limit, instant()).prop_map(
        |((owner, status, text, scope), sort, limit, now)| {
            Box::new(ListQuery {
                owner: owner.map(owner_of),
                status,
                text: text.as_deref().map(hallpass_core::fold),
                scope: scope.map(|scope| scope.parse().expect("a scope")),
                sort,
                ..ListQuery::everything(now, limit)
            })
        },
    )
}

/// Any step; the ones that make tokens and change them more often than those that end them.
pub(crate) fn step() -> impl Strategy<Value = Step> {
    let token = || 0..TOKENS;
    let owner = || 0..OWNERS;
    let uses = vec((token(), aim(), instant()), 0..5);
    prop_oneof![
        10 => (token(), draft(), secrets(), option::of(0..4_u32))
            .prop_map(|(token, draft, secrets, limit)| Step::Insert { token, draft, secrets, limit }),
        8 => (token(), aim(), draft(), option::of(secrets()), kind())
            .prop_map(|(token, at, draft, secrets, kind)| Step::Change { token, at, draft, secrets, kind }),
        4 => (token(), aim(), secrets()).prop_map(|(token, at, secrets)| Step::Rekey { token, at, secrets }),
        3 => (token(), option::of(aim())).prop_map(|(token, at)| Step::Delete { token, at }),
        2 => (option::of(owner()), vec(token(), 0..5))
            .prop_map(|(owner, tokens)| Step::DeleteMany { owner, tokens }),
        1 => owner().prop_map(Step::DeleteOwner),
        2 => (owner(), instant()).prop_map(|(owner, at)| Step::RevokeOwner(owner, at)),
        1 => owner().prop_map(Step::Announce),
        5 => uses.prop_map(Step::Touch),
        3 => (instant(), 0..3_u32).prop_map(|(ended_before, limit)| Step::Prune { ended_before, limit }),
        6 => query().prop_map(Step::List),
        3 => (0..40_usize, 0..9_u32).prop_map(|(from, limit)| Step::Follow { from, limit }),
    ]
}

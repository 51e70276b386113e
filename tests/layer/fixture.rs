//! The fixture of all tests: a store, tokens in every state, and layers.

use std::collections::HashMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use hallpass_core::{
    Actor, Hallpass, Issued, NewToken, Owner, OwnerStatus, RegenerateOptions, TokenId, all_of,
};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{FaultyStore, ManualClock, Operation, StaleCache};
use hallpass_tests::mistyped;
use hallpass_tower::{PolicyTable, TokenLayer};
use jiff::{SignedDuration, Timestamp};

use crate::host::TONIC_ECHO;

/// Texts by the names that the rows use for them.
#[derive(Clone, Default)]
pub(crate) struct Words(HashMap<&'static str, Vec<u8>>);

impl Words {
    fn set(&mut self, name: &'static str, text: impl Into<Vec<u8>>) {
        self.0.insert(name, text.into());
    }

    pub(crate) fn get(&self, name: &str) -> &[u8] {
        &self.0[name]
    }

    /// Returns a text by its name.
    pub(crate) fn text(&self, name: &str) -> &str {
        std::str::from_utf8(self.get(name)).unwrap()
    }

    /// Returns the template with each `{NAME}` replaced by the text of that name.
    pub(crate) fn fill(&self, template: &[u8]) -> Vec<u8> {
        let mut filled = Vec::with_capacity(template.len());
        let mut rest = template;
        while let Some(start) = rest.iter().position(|byte| *byte == b'{') {
            let end = start
                + rest[start..]
                    .iter()
                    .position(|byte| *byte == b'}')
                    .expect("unclosed brace in a template");
            let name = std::str::from_utf8(&rest[start + 1..end]).unwrap();
            filled.extend_from_slice(&rest[..start]);
            filled.extend_from_slice(
                self.0.get(name).unwrap_or_else(|| panic!("no text with the name {name}")),
            );
            rest = &rest[end + 1..];
        }
        filled.extend_from_slice(rest);
        filled
    }
}

/// The configurations of the layer that the rows are sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Setup {
    /// The default of `hallpass.layer()`.
    Default,
    BearerOnly,
    Tripwire,
    /// A policy table, see [`policy`].
    Policy,
    /// An owner directory in which mallory is disabled.
    Owners,
}

impl Setup {
    pub(crate) const ALL: [Self; 5] =
        [Self::Default, Self::BearerOnly, Self::Tripwire, Self::Policy, Self::Owners];
}

/// Returns the table that [`Setup::Policy`] enforces.
fn policy() -> PolicyTable {
    PolicyTable::new()
        .get("/echo", all_of(["echo:read", "echo:list"]))
        .post("/echo", "echo:write")
        .delete("/echo", "echo:delete")
        .post(TONIC_ECHO, all_of(["echo:read", "echo:list"]))
}

pub(crate) struct Fixture {
    pub(crate) store: FaultyStore<MemoryStore>,
    cache: StaleCache<FaultyStore<MemoryStore>>,
    pub(crate) hallpass: Hallpass,
    pub(crate) words: Words,
    /// The parts of tokens that must not appear anywhere.
    secrets: Vec<String>,
    ids: Vec<TokenId>,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let store = FaultyStore::new(MemoryStore::new());
        let cache = StaleCache::new(store.clone());
        let hallpass = Hallpass::builder(cache.clone()).build();
        let words = Words::default();
        let mut fixture =
            Self { store, cache, hallpass, words, secrets: Vec::new(), ids: Vec::new() };
        fixture.issue_all().await;
        fixture.misspell_all();
        fixture
    }

    /// Creates a fixture with every record in the cache.
    pub(crate) async fn warm() -> Self {
        let fixture = Self::new().await;
        for id in &fixture.ids {
            fixture.pin(*id).await;
        }
        fixture
    }

    /// Caches a token, unless it is deleted.
    async fn pin(&self, id: TokenId) {
        if let Err(error) = self.cache.pin(id).await {
            assert!(error.is_not_found(), "{error}");
        }
    }

    /// Returns the number of lookups of tokens.
    pub(crate) fn lookups(&self) -> u64 {
        self.store.faults().calls(Operation::Get)
    }

    /// Returns the number of calls of the store, except writes of recorded uses, which the layer
    /// makes in the background.
    pub(crate) fn calls(&self) -> u64 {
        let faults = self.store.faults();
        faults.calls(Operation::ALL) - faults.calls(Operation::RecordUses)
    }

    /// Returns a builder for another handle on the same store.
    pub(crate) fn builder(&self) -> hallpass_core::HallpassBuilder {
        Hallpass::builder(self.cache.clone())
    }

    /// Creates the layer of a setup with the function of the host's framework.
    pub(crate) fn layer(&self, setup: Setup, make: fn(&Hallpass) -> TokenLayer) -> TokenLayer {
        match setup {
            Setup::Default => make(&self.hallpass),
            Setup::BearerOnly => make(&self.hallpass).bearer_only(),
            Setup::Tripwire => make(&self.hallpass).bearer_only().reject_query_tokens(),
            Setup::Policy => make(&self.hallpass).policy(policy()),
            Setup::Owners => make(&self.builder().owner_directory(all_but_mallory).build()),
        }
    }

    /// Returns the first secret in this text. The search ignores case and decodes percent-encoding.
    pub(crate) fn leak<'s>(&'s self, text: &[u8]) -> Option<&'s str> {
        let decoded = percent_encoding::percent_decode(text).collect::<Vec<_>>();
        let texts = [text, &decoded].map(|text| String::from_utf8_lossy(text).to_lowercase());
        self.secrets
            .iter()
            .find(|secret| texts.iter().any(|text| text.contains(&secret.to_lowercase())))
            .map(String::as_str)
    }

    fn keep(&mut self, name: &'static str, issued: &Issued) {
        let text = issued.token.reveal();
        // The secret follows the prefix and the 22 characters of the id, which is public.
        let secret = text.split_once('_').unwrap().1[22..].to_owned();
        self.secrets.push(secret);
        self.ids.push(issued.record.id);
        self.words.set(name, text);
    }

    async fn issue_all(&mut self) {
        let alice = Actor::owner("alice");
        for (name, scope) in [
            ("T", "echo"),
            ("U", "echo"),
            ("LOW", "other"),
            ("READER", "echo:read"),
            ("WRITER", "echo:write"),
        ] {
            let issued =
                self.hallpass.issue(&alice, NewToken::named(name).scope(scope)).await.unwrap();
            self.keep(name, &issued);
        }
        let revoked = self.hallpass.issue(&alice, NewToken::named("revoked")).await.unwrap();
        self.keep("REVOKED", &revoked);
        self.hallpass.revoke(&alice, revoked.record.id).await.unwrap();

        let deleted = self.hallpass.issue(&alice, NewToken::named("deleted")).await.unwrap();
        self.keep("UNKNOWN", &deleted);
        self.hallpass.delete(&alice, deleted.record.id, None).await.unwrap();

        let replaced = self.hallpass.issue(&alice, NewToken::named("replaced")).await.unwrap();
        self.keep("WRONG", &replaced);
        let regenerated = self
            .hallpass
            .regenerate(&alice, replaced.record.id, RegenerateOptions::new())
            .await
            .unwrap();
        self.keep("REPLACEMENT", &regenerated);

        let yesterday = Timestamp::now() - SignedDuration::from_hours(24);
        let yesterday = self.builder().clock(ManualClock::starting_at(yesterday)).build();
        let short = NewToken::named("expired").expires("1h");
        let expired = yesterday.issue(&alice, short).await.unwrap();
        self.keep("EXPIRED", &expired);

        let mallory = Actor::owner("mallory");
        let disabled = self.hallpass.issue(&mallory, NewToken::named("disabled")).await.unwrap();
        self.keep("DISABLED", &disabled);

        let other = self.builder().prefix("other").build();
        let foreign = other.issue(&alice, NewToken::named("foreign")).await.unwrap();
        self.keep("FOREIGN", &foreign);
    }

    fn misspell_all(&mut self) {
        let token = self.words.text("T").to_owned();
        let letter = token.rfind(|c: char| c.is_ascii_alphabetic()).unwrap();
        let mut flipped = token.clone().into_bytes();
        flipped[letter] ^= 0x20;
        let encoded: String = token.bytes().map(|byte| format!("%{byte:02x}")).collect();

        let words = &mut self.words;
        words.set("SHORT", &token[..token.len() - 1]);
        words.set("LONG", format!("{token}0"));
        words.set("SUM", mistyped(&token));
        words.set("FLIPPED", flipped);
        words.set("HOMOGLYPH", format!("hp_\u{430}{}", &token[4..]));
        words.set("8K", format!("hp_{}", "a".repeat(8 << 10)));
        words.set("300K", format!("hp_{}", "a".repeat(300 << 10)));
        words.set("600K", "a".repeat(600 << 10));
        words.set("MANY", ["a=1"; 10_000].join("&"));
        words.set("ENCODED", encoded);
        // The server reads a request target of 65,500 bytes and rejects one of 65,534 bytes.
        words.set("PATH_65500", format!("/echo?x={}", "a".repeat(65_500 - 8)));
        words.set("PATH_65534", format!("/echo?x={}", "a".repeat(65_535 - 8)));
        words.set("BASIC", BASE64_STANDARD.encode(format!("u:{token}")));
    }
}

/// Returns an owner's status. Only mallory is disabled.
async fn all_but_mallory(
    owner: Owner,
) -> Result<OwnerStatus, Box<dyn std::error::Error + Send + Sync>> {
    Ok(if owner.as_str() == "mallory" { OwnerStatus::Disabled } else { OwnerStatus::Active })
}

//! Magistrala's scopes, which are an operation on an entity of a domain, and Hallpass's:
//! `channels:read:DOMAIN:CHANNEL`.
//!
//! A Hallpass scope covers everything that begins with it. The domain comes before the entity, and
//! "all entities" is written by leaving the entity out. So a scope for one entity never covers a
//! list, and no scope reaches two domains.

use axum::http::StatusCode;
use hallpass::{
    Catalog, CatalogScope, GuardedRouter, Hallpass, Scope, TokenId, TokenUpdate, authenticated,
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::ApiError;
use crate::pats::{Answer, default_limit, page};
use crate::request::{Body, Id, Params, SignedIn};

const ENTITIES: [&str; 11] = [
    "alarms",
    "channels",
    "clients",
    "dashboards",
    "devices",
    "domains",
    "groups",
    "messages",
    "reports",
    "rules",
    "users",
];

const OPERATIONS: [&str; 10] = [
    "create",
    "read",
    "view",
    "list",
    "update",
    "delete",
    "share",
    "unshare",
    "publish",
    "subscribe",
];

const READ_ONLY: [&str; 4] = ["read", "view", "list", "subscribe"];

/// The domain of what belongs to no domain: users and domains themselves.
pub(crate) const PLATFORM: &str = "platform";

pub(crate) fn catalog() -> Catalog {
    let all = ENTITIES.iter().flat_map(|entity| {
        OPERATIONS.map(|operation| {
            let (first, rest) = operation.split_at(1);
            let title = format!("{}{rest} {entity}", first.to_ascii_uppercase());
            let scope = CatalogScope::new(&format!("{entity}:{operation}"), title)
                .per("domain")
                .per("entity")
                .with_docs_url("https://magistrala.absmach.eu/docs/");
            if READ_ONLY.contains(&operation) { scope.read_only() } else { scope }
        })
    });
    all.fold(Catalog::new(), Catalog::scope)
}

pub(crate) fn routes() -> GuardedRouter<Hallpass> {
    GuardedRouter::new()
        .get("/pats/{id}/scope", authenticated(), list)
        .delete("/pats/{id}/scope", authenticated(), clear)
        .patch("/pats/{id}/scope/add", authenticated(), add)
        .patch("/pats/{id}/scope/remove", authenticated(), remove)
}

/// A scope as Magistrala's clients write it.
#[derive(Deserialize)]
pub(crate) struct PatScope {
    #[serde(default, alias = "optional_domain_id")]
    domain_id: String,
    entity_type: String,
    operation: String,
    entity_id: String,
}

impl PatScope {
    /// Returns the scope for Hallpass, which checks against the catalog that it exists.
    pub(crate) fn granted(&self) -> Result<String, ApiError> {
        let Self { domain_id, entity_type, operation, entity_id } = self;
        let domain_id = match (&**domain_id, &**entity_type) {
            ("", "domains" | "users") => PLATFORM,
            (domain, _) => domain,
        };
        let all = entity_id == "*";
        let parts = [entity_type, operation, domain_id, entity_id];
        let parts = &parts[..if all { 3 } else { 4 }];
        // A colon or a star within a part would change the meaning of the scope.
        if parts.iter().all(|part| is_word(part)) {
            Ok(parts.join(":"))
        } else {
            Err(ApiError::invalid(
                "scopes: each has a domain_id, an entity_type, an operation, and an entity_id or `*`",
            ))
        }
    }

    fn shown(scope: &Scope, pat: TokenId) -> Value {
        let mut parts = scope.segments();
        let mut next = || parts.next().unwrap_or("*");
        let (entity_type, operation, domain_id, entity_id) = (next(), next(), next(), next());
        let domain_id = if domain_id == PLATFORM { "" } else { domain_id };
        json!({
            "id": scope_id(pat, scope).to_string(), "pat_id": pat.to_string(), "domain_id": domain_id,
            "entity_type": entity_type, "operation": operation, "entity_id": entity_id,
        })
    }
}

/// Returns the id of a scope of a PAT. It follows from both, so it is not stored.
fn scope_id(pat: TokenId, scope: &Scope) -> Uuid {
    let digest = Sha256::digest(format!("{pat} {scope}"));
    let bytes = digest.first_chunk().expect("a SHA-256 digest has 32 bytes");
    uuid::Builder::from_custom_bytes(*bytes).into_uuid()
}

/// Returns whether the text is a plain word: letters, digits, `-` and `_`, at most as many as an id
/// has.
fn is_word(text: &str) -> bool {
    (1..=36).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// The filter and the page of a list.
#[derive(Deserialize)]
struct Filter {
    #[serde(default)]
    offset: usize,
    #[serde(default = "default_limit")]
    limit: usize,
    id: Option<String>,
}

async fn list(
    SignedIn { pats, by }: SignedIn,
    Id(id): Id,
    Params(filter): Params<Filter>,
) -> Answer {
    let scopes = pats.get(&by, id).await?.scopes;
    let found = scopes
        .iter()
        .filter(|scope| filter.id.as_ref().is_none_or(|wanted| is_id(wanted, id, scope)))
        .map(|scope| PatScope::shown(scope, id))
        .collect();
    page("scopes", found, filter.offset, filter.limit)
}

fn is_id(text: &str, pat: TokenId, scope: &Scope) -> bool {
    text.parse() == Ok(scope_id(pat, scope))
}

#[derive(Deserialize)]
struct AddScopes {
    scopes: Vec<PatScope>,
}

async fn add(
    SignedIn { pats, by }: SignedIn,
    Id(id): Id,
    Body(added): Body<AddScopes>,
) -> Answer<StatusCode> {
    must_not_be_empty(&added.scopes, "scopes")?;
    let scopes = added.scopes.iter().map(PatScope::granted).collect::<Result<Vec<_>, _>>()?;
    pats.add_scopes(&by, id, scopes, None).await?;
    Ok(StatusCode::OK)
}

#[derive(Deserialize)]
struct RemoveScopes {
    scopes_id: Vec<String>,
}

/// Removes all of these scopes, or none if the PAT lacks one.
async fn remove(
    SignedIn { pats, by }: SignedIn,
    Id(id): Id,
    Body(RemoveScopes { scopes_id }): Body<RemoveScopes>,
) -> Answer<StatusCode> {
    let pat = pats.get(&by, id).await?;
    must_not_be_empty(&scopes_id, "scopes_id")?;
    let named = |scope: &&Scope| scopes_id.iter().any(|text| is_id(text, id, scope));
    let (gone, left): (Vec<_>, Vec<_>) = pat.scopes.iter().partition(named);
    if !scopes_id.iter().all(|text| gone.iter().any(|scope| is_id(text, id, scope))) {
        return Err(ApiError::new(StatusCode::NOT_FOUND, "the token has no such scope"));
    }
    let left = TokenUpdate::new().scopes(left.into_iter().map(Scope::as_str));
    pats.update(&by, id, left, Some(pat.revision)).await?;
    Ok(StatusCode::OK)
}

fn must_not_be_empty<T>(list: &[T], name: &str) -> Result<(), ApiError> {
    let error = || ApiError::invalid(format!("{name}: name at least one"));
    (!list.is_empty()).then_some(()).ok_or_else(error)
}

async fn clear(SignedIn { pats, by }: SignedIn, Id(id): Id) -> Answer<StatusCode> {
    pats.clear_scopes(&by, id, None).await?;
    Ok(StatusCode::OK)
}

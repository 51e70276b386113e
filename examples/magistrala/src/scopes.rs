//! Magistrala's scopes, an operation on an entity of a domain, and Hallpass's:
//! `channels:read:DOMAIN:CHANNEL`.
//!
//! The domain stands before the entity, and nothing stands for "all entities": a scope covers what
//! begins with it. So what holds one entity never reaches a list, and nothing can be written that
//! reaches two domains.

use axum::http::StatusCode;
use hallpass::{
    Catalog, CatalogScope, GuardedRouter, Hallpass, Scope, TokenId, TokenUpdate, authenticated,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::pats::{Answer, page, usual_limit};
use crate::request::{Asked, Body, Id, Mine};

const ENTITIES: [&str; 4] = ["channels", "clients", "dashboards", "groups"];

/// For these there is no one entity.
const ON_ALL: [&str; 2] = ["create", "list"];

const ON_ONE: [&str; 5] = ["read", "update", "delete", "share", "unshare"];

pub(crate) fn catalog() -> Catalog {
    let of = |entity: &str, operation: &str| {
        let scope = format!("{entity}:{operation}");
        CatalogScope::new(&scope, format!("{operation} {entity}")).per("domain")
    };
    let on_all = ENTITIES.iter().flat_map(|entity| ON_ALL.map(|operation| of(entity, operation)));
    let on_one = ENTITIES.iter().flat_map(|entity| ON_ONE.map(|operation| of(entity, operation)));
    // Of a channel: its id is the entity's.
    let messages = ["publish", "subscribe"].map(|operation| of("messages", operation));
    let on_one = on_one.chain(messages).map(|scope| scope.per("entity"));
    on_all.chain(on_one).fold(Catalog::new(), Catalog::scope)
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
#[serde(deny_unknown_fields)]
pub(crate) struct PatScope {
    domain_id: String,
    entity_type: String,
    operation: String,
    entity_id: String,
}

impl PatScope {
    /// The same for Hallpass, whose catalog then says whether there is such a one.
    pub(crate) fn granted(&self) -> Result<String, Fault> {
        let Self { domain_id, entity_type, operation, entity_id } = self;
        let all = entity_id == "*";
        let parts = [entity_type, operation, domain_id, entity_id];
        let parts = &parts[..if all { 3 } else { 4 }];
        // Each is one segment, and a plain one: a colon or a star in it would say something else.
        if parts.iter().all(|part| is_word(part)) {
            Ok(parts.iter().map(|part| part.as_str()).collect::<Vec<_>>().join(":"))
        } else {
            Err(Fault::invalid(
                "scopes: each has a domain_id, an entity_type, an operation, and an entity_id or `*`",
            ))
        }
    }

    fn shown(scope: &Scope, pat: TokenId) -> Value {
        let mut parts = scope.segments();
        let mut next = || parts.next().unwrap_or("*");
        let (entity_type, operation, domain_id, entity_id) = (next(), next(), next(), next());
        json!({
            "id": scope.as_str(), "pat_id": pat.to_string(), "domain_id": domain_id,
            "entity_type": entity_type, "operation": operation, "entity_id": entity_id,
        })
    }
}

/// Letters, digits, `-` and `_`, at most as many as an id has.
fn is_word(text: &str) -> bool {
    (1..=36).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Which scopes are asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    offset: usize,
    #[serde(default = "usual_limit")]
    limit: usize,
    id: Option<String>,
}

async fn list(Mine { pats, by }: Mine, Id(id): Id, Asked(wanted): Asked<Wanted>) -> Answer {
    let scopes = pats.get(&by, id).await?.scopes;
    let found = scopes
        .iter()
        .filter(|scope| wanted.id.as_ref().is_none_or(|id| scope.as_str() == id))
        .map(|scope| PatScope::shown(scope, id))
        .collect();
    page("scopes", found, wanted.offset, wanted.limit)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Added {
    scopes: Vec<PatScope>,
}

async fn add(Mine { pats, by }: Mine, Id(id): Id, Body(added): Body<Added>) -> Answer<StatusCode> {
    let scopes = added.scopes.iter().map(PatScope::granted).collect::<Result<Vec<_>, _>>()?;
    pats.add_scopes(&by, id, scopes, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Removed {
    scopes_id: Vec<String>,
}

/// All of them or none: one that the token does not hold is an error.
async fn remove(
    Mine { pats, by }: Mine,
    Id(id): Id,
    Body(removed): Body<Removed>,
) -> Answer<StatusCode> {
    let pat = pats.get(&by, id).await?;
    let (gone, left): (Vec<_>, Vec<_>) = pat
        .scopes
        .iter()
        .map(Scope::as_str)
        .partition(|scope| removed.scopes_id.iter().any(|id| id == scope));
    if !removed.scopes_id.iter().all(|id| gone.contains(&id.as_str())) {
        return Err(Fault::new(StatusCode::NOT_FOUND, "the token has no such scope"));
    }
    pats.update(&by, id, TokenUpdate::new().scopes(left), Some(pat.revision)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn clear(Mine { pats, by }: Mine, Id(id): Id) -> Answer<StatusCode> {
    pats.clear_scopes(&by, id, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

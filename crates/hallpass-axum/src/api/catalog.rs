//! The catalog: the scopes and presets of the application, and the limits that the host sets.

use hallpass_core::{CatalogScope, Expiry, ListOptions, Preset, Role};
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::SignedIn;
use crate::body::Json;
use crate::problem::Problem;

/// The available scopes, the presets, and the limits.
#[derive(Serialize, ToSchema)]
#[schema(as = Scopes)]
pub(crate) struct CatalogView {
    scopes: Vec<ScopeView>,
    presets: Vec<PresetView>,
    limits: LimitsView,
}

/// A scope, with a description that helps people to choose it.
#[derive(Serialize, ToSchema)]
#[schema(as = Scope)]
pub(crate) struct ScopeView {
    scope: String,
    title: String,
    description: String,
    /// The address of its documentation.
    #[schema(required = true)]
    docs: Option<String>,
    /// Whether the host has marked the scope as read-only: it allows no changes.
    read_only: bool,
}

/// A named set of scopes.
#[derive(Serialize, ToSchema)]
#[schema(as = Preset)]
pub(crate) struct PresetView {
    name: String,
    title: String,
    scopes: Vec<String>,
}

/// The host's limits on tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = Limits)]
pub(crate) struct LimitsView {
    /// The maximum number of tokens per owner, in any state; `null` means no limit.
    #[schema(required = true)]
    tokens_per_owner: Option<u32>,
    /// The number of tokens that the caller has.
    in_use: u64,
    /// The longest time from issue or regeneration to expiry, in seconds; `null` means no limit. If
    /// there is a limit, a token that never expires is rejected.
    #[schema(required = true)]
    longest_lifetime: Option<i64>,
    /// The value of `expires` if it is absent, in one of the forms that issuing accepts.
    #[schema(required = true, example = "30d")]
    default_expires: Option<String>,
}

impl From<&CatalogScope> for ScopeView {
    fn from(scope: &CatalogScope) -> Self {
        Self {
            scope: scope.as_scope().to_string(),
            title: scope.title().to_owned(),
            description: scope.description().to_owned(),
            docs: scope.docs_url().map(str::to_owned),
            read_only: scope.is_read_only(),
        }
    }
}

impl From<&Preset> for PresetView {
    fn from(preset: &Preset) -> Self {
        Self {
            name: preset.name().to_owned(),
            title: preset.title().to_owned(),
            scopes: preset.scopes().iter().map(ToString::to_string).collect(),
        }
    }
}

/// Formats an expiry in the form that people write. Returns `None` for a span that is not a whole
/// number of hours.
fn written(expiry: Expiry) -> Option<String> {
    const HOUR: i64 = 3600;
    match expiry {
        Expiry::Never => Some("never".to_owned()),
        Expiry::At(instant) => Some(instant.to_string()),
        Expiry::Through(date) => Some(date.to_string()),
        Expiry::In(span) if span.as_secs() % (24 * HOUR) == 0 => {
            Some(format!("{}d", span.as_secs() / (24 * HOUR)))
        }
        Expiry::In(span) if span.as_secs() % HOUR == 0 => {
            Some(format!("{}h", span.as_secs() / HOUR))
        }
        _ => None,
    }
}

/// Show the scopes, presets and limits for new tokens.
#[utoipa::path(
    get,
    path = "/scopes",
    operation_id = "listScopes",
    responses((status = 200, description = "Scopes, presets and limits.", body = CatalogView))
)]
pub(super) async fn scopes(by: SignedIn) -> Result<Json<CatalogView>, Problem> {
    let catalog = || by.hallpass.catalog().into_iter();
    let scopes = catalog().flat_map(|catalog| catalog.grantable_by(&by.actor));
    let presets = catalog().flat_map(|catalog| catalog.presets_grantable_by(&by.actor));
    let in_use = match by.actor.subject() {
        None => 0,
        Some(owner) => {
            let mut own = ListOptions::new().limit(1);
            if by.actor.role() != Role::Owner {
                own = own.owner(owner.clone());
            }
            by.hallpass.list(&by.actor, &own).await?.total
        }
    };
    let limits = by.hallpass.limits();
    Ok(Json(CatalogView {
        scopes: scopes.map(Into::into).collect(),
        presets: presets.map(Into::into).collect(),
        limits: LimitsView {
            tokens_per_owner: limits.tokens_per_owner,
            in_use,
            longest_lifetime: limits.longest_lifetime.map(|span| span.as_secs()),
            default_expires: written(limits.default_expiry),
        },
    }))
}

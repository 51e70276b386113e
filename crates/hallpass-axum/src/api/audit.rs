//! The audit trail.

use std::net::IpAddr;

use hallpass_core::store::AuditEntry;
use hallpass_core::{AuditOptions, EventKind, FieldChange, Owner, TokenId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::extract::SignedIn;
use crate::body::{Json, Query};
use crate::problem::Problem;
use crate::texts::{InstantText, OwnerText};

/// The filters and the page of a request for audit entries.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditParameters {
    /// Lists only entries about this token.
    #[param(format = "uuid")]
    token: Option<String>,
    /// Lists only entries about tokens of this owner. Only admins may use it, and see the entries
    /// of all owners without it.
    #[param(inline)]
    owner: Option<OwnerText>,
    /// Lists only entries of this kind, such as `issued`.
    kind: Option<String>,
    /// Lists only entries that were written at this instant or later.
    #[param(inline)]
    since: Option<InstantText>,
    /// Lists only entries that were written before this instant.
    #[param(inline)]
    until: Option<InstantText>,
    /// The number of entries on a page.
    #[param(minimum = 1, maximum = 1000, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the previous page, with the same filters.
    #[param(min_length = 1)]
    cursor: Option<String>,
}

impl AuditParameters {
    fn options(self) -> Result<AuditOptions, Problem> {
        let mut options = AuditOptions::new();
        if let Some(text) = self.token {
            options = options.token(text.parse().map_err(Problem::on("token"))?);
        }
        if let Some(owner) = self.owner {
            options = options.owner(owner.read()?);
        }
        if let Some(text) = self.kind {
            options = options.kind(text.parse::<EventKind>().map_err(Problem::on("kind"))?);
        }
        if let Some(since) = self.since {
            options = options.since(since.read("since")?);
        }
        if let Some(until) = self.until {
            options = options.until(until.read("until")?);
        }
        if let Some(limit) = self.limit {
            options = options.limit(limit);
        }
        if let Some(cursor) = self.cursor {
            options = options.cursor(cursor);
        }
        Ok(options)
    }
}

/// A page of the audit trail, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditTrail {
    items: Vec<AuditEntryView>,
    /// The cursor of the next page; `null` on the last page.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// An entry of the audit trail: a change, its time, the actor, and the origin of the request.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(crate) struct AuditEntryView {
    /// Later changes have higher numbers.
    seq: u64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(example = "issued")]
    kind: &'static str,
    #[schema(value_type = Option<String>, required = true)]
    actor: Option<Owner>,
    #[schema(value_type = Option<String>, required = true)]
    owner: Option<Owner>,
    /// The token, if the change was about one.
    #[schema(value_type = Option<String>, required = true, format = "uuid")]
    token_id: Option<TokenId>,
    /// The number of tokens that were changed.
    count: u64,
    origin: OriginView,
    changes: Vec<FieldChangeView>,
}

/// The origin of the request, as far as it is known.
#[derive(Serialize, ToSchema)]
#[schema(as = Origin)]
pub(crate) struct OriginView {
    #[schema(value_type = Option<String>, required = true)]
    ip: Option<IpAddr>,
    #[schema(required = true)]
    user_agent: Option<String>,
    #[schema(required = true)]
    request_id: Option<String>,
}

/// A changed field.
#[derive(Serialize, ToSchema)]
#[schema(as = FieldChange)]
pub(crate) struct FieldChangeView {
    field: String,
    before: Value,
    after: Value,
}

impl From<AuditEntry> for AuditEntryView {
    fn from(AuditEntry { seq, event, .. }: AuditEntry) -> Self {
        Self {
            seq: seq.get(),
            at: event.at,
            kind: event.kind.as_str(),
            actor: event.actor,
            owner: event.owner,
            token_id: event.token_id,
            count: event.count,
            origin: OriginView {
                ip: event.origin.ip_addr(),
                user_agent: event.origin.user_agent_str().map(str::to_owned),
                request_id: event.origin.request_id_str().map(str::to_owned),
            },
            changes: event.changes.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<FieldChange> for FieldChangeView {
    fn from(FieldChange { field, before, after }: FieldChange) -> Self {
        Self { field, before, after }
    }
}

/// Read the audit trail.
///
/// Returns the entries about the caller's own tokens. Admins get those of all owners, or of one.
#[utoipa::path(
    get,
    path = "/audit",
    operation_id = "listAuditEntries",
    params(AuditParameters),
    responses((status = 200, description = "A page of entries.", body = AuditTrail))
)]
pub(super) async fn audit(
    by: SignedIn,
    Query(parameters): Query<AuditParameters>,
) -> Result<Json<AuditTrail>, Problem> {
    if parameters.owner.is_some() {
        by.require_admin()?;
    }
    let trail = by.hallpass.audit(&by.actor, &parameters.options()?).await?;
    let items = trail.items.into_iter().map(Into::into).collect();
    Ok(Json(AuditTrail { items, next_cursor: trail.next_cursor }))
}

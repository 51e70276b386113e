//! `hallpass list`.

use clap::{Args, ValueEnum};
use hallpass_core::store::SortError;
use hallpass_core::{Hallpass, ListOptions, Scope, Status, TokenRecord};
use jiff::Timestamp;
use serde_json::json;

use crate::error::CliError;
use crate::view::TokenView;
use crate::{output, service, table};

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct List {
    /// Lists only tokens of this owner.
    #[arg(long)]
    owner: Option<String>,

    /// Lists only tokens of this status.
    #[arg(long, value_enum, default_value_t = StatusFilter::All)]
    status: StatusFilter,

    /// Lists only tokens whose name or description contains this text, ignoring case.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,

    /// Lists only tokens that hold exactly this scope.
    #[arg(long)]
    scope: Option<String>,

    /// Lists only tokens that were not used for at least this long, such as `90d` or `1y`. A token
    /// that was never used counts from its issue.
    #[arg(long, value_name = "SPAN")]
    unused_for: Option<String>,

    /// Lists only active tokens whose previous secret is still accepted.
    #[arg(long)]
    previous_secret: bool,

    /// The order: `created_at`, `name`, `expires_at` or `last_used_at`. With a `-` in front, the
    /// largest value comes first.
    #[arg(long, default_value = "-created_at", allow_hyphen_values = true)]
    sort: String,

    /// Lists at most this many tokens.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: u64,

    /// Lists all tokens, without a limit.
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

/// The values of `--status`.
#[derive(Clone, Copy, ValueEnum)]
enum StatusFilter {
    Active,
    Expired,
    Revoked,
    All,
}

impl From<StatusFilter> for Option<Status> {
    fn from(filter: StatusFilter) -> Self {
        match filter {
            StatusFilter::Active => Some(Status::Active),
            StatusFilter::Expired => Some(Status::Expired),
            StatusFilter::Revoked => Some(Status::Revoked),
            StatusFilter::All => None,
        }
    }
}

impl List {
    pub(crate) async fn run(self, hallpass: &Hallpass, json: bool) -> Result<(), CliError> {
        let most = if self.all { u64::MAX } else { self.limit };
        let now = hallpass.now();
        let (records, total) = pages(hallpass, self.listing(now)?, most).await?;
        if json {
            let items: Vec<_> = records.iter().map(|record| TokenView::new(record, now)).collect();
            return output::print_json(&json!({ "items": items, "total": total }));
        }
        if records.is_empty() {
            output::print_note("No tokens match.");
            return Ok(());
        }
        output::print(&table::list(&records, now))?;
        let count = records.len() as u64;
        if count < total {
            output::print_note(&format!(
                "Showing {count} of {total} tokens: use --limit or --all to show more."
            ));
        }
        Ok(())
    }

    fn listing(&self, now: Timestamp) -> Result<ListOptions, CliError> {
        let sort = self
            .sort
            .parse()
            .map_err(|error: SortError| CliError::Usage(format!("invalid --sort: {error}")))?;
        let mut listing = ListOptions::new().sort(sort);
        if let Some(owner) = &self.owner {
            listing = listing.owner(service::owner(owner)?);
        }
        if let Some(status) = Option::<Status>::from(self.status) {
            listing = listing.status(status);
        }
        if let Some(text) = &self.search {
            listing = listing.text(text);
        }
        if let Some(scope) = &self.scope {
            let scope: Scope =
                scope.parse().map_err(|error| CliError::Usage(format!("--scope: {error}")))?;
            listing = listing.scope(scope);
        }
        if let Some(span) = &self.unused_for {
            listing = listing.unused_since(service::ago("--unused-for", span, now)?);
        }
        if self.previous_secret {
            listing = listing.previous_secret();
        }
        Ok(listing)
    }
}

/// Reads at most `most` tokens, page by page. Returns them and the total number of matching tokens.
async fn pages(
    hallpass: &Hallpass,
    mut listing: ListOptions,
    most: u64,
) -> Result<(Vec<TokenRecord>, u64), CliError> {
    let by = service::system_actor();
    let mut records = Vec::new();
    loop {
        let left = most - records.len() as u64;
        let page = u32::try_from(left).unwrap_or(u32::MAX).clamp(1, ListOptions::MAX_LIMIT);
        let listed = hallpass.list(&by, &listing.clone().limit(page)).await?;
        records.extend(listed.items);
        records.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        match listed.next_cursor {
            Some(cursor) if (records.len() as u64) < most => listing = listing.cursor(cursor),
            _ => return Ok((records, listed.total)),
        }
    }
}

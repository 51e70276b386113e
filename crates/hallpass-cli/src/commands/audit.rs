//! `hallpass audit`: shows the audit trail as a table or as JSON lines, and follows it.

use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use hallpass_core::store::{AuditEntry, ChangeSeq};
use hallpass_core::{AuditOptions, EventKind, Hallpass};
use serde_json::{Value, json};

use crate::error::CliError;
use crate::{output, service, table};

/// The interval at which `--follow` looks for new entries.
const FOLLOW_INTERVAL: Duration = Duration::from_secs(1);

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Audit {
    /// Shows only entries about tokens of this owner.
    #[arg(long)]
    owner: Option<String>,

    /// Shows only entries about the token with this id.
    #[arg(long, value_name = "ID")]
    token: Option<String>,

    /// Shows only entries of this kind.
    #[arg(long, value_parser = kinds())]
    kind: Option<EventKind>,

    /// Shows only entries written at this RFC 3339 time or later.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    /// Shows only entries written before this RFC 3339 time.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    /// Shows at most this many of the newest entries.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: u64,

    /// Exports all entries, oldest first.
    #[arg(long, conflicts_with = "limit")]
    all: bool,

    /// Shows the newest entries, oldest first, and then each new one until interrupted.
    #[arg(long, short, conflicts_with_all = ["all", "until"])]
    follow: bool,
}

/// Returns a parser for the kinds that a store records.
fn kinds() -> impl TypedValueParser<Value = EventKind> {
    PossibleValuesParser::new(EventKind::RECORDED.map(EventKind::as_str))
        .try_map(|name| name.parse::<EventKind>())
}

impl Audit {
    pub(crate) async fn run(self, hallpass: &Hallpass, json: bool) -> Result<(), CliError> {
        let options = self.options()?;
        if self.all {
            return export(hallpass, options.oldest_first(), json, &mut None).await;
        }
        let mut newest = newest(hallpass, options.clone(), self.limit).await?;
        if self.follow {
            newest.reverse();
        }
        print(&newest, json, true)?;
        if newest.is_empty() && !self.follow {
            output::print_note("No entries match.");
        }
        if !self.follow {
            return Ok(());
        }
        let mut last_printed = Some(newest.last().map_or(ChangeSeq::ZERO, |entry| entry.seq));
        loop {
            tokio::time::sleep(FOLLOW_INTERVAL).await;
            export(hallpass, options.clone().oldest_first(), json, &mut last_printed).await?;
        }
    }

    fn options(&self) -> Result<AuditOptions, CliError> {
        let mut options = AuditOptions::new().limit(AuditOptions::MAX_LIMIT);
        if let Some(owner) = &self.owner {
            options = options.owner(service::owner(owner)?);
        }
        if let Some(id) = &self.token {
            options = options.token(service::id(id)?);
        }
        if let Some(kind) = self.kind {
            options = options.kind(kind);
        }
        if let Some(since) = &self.since {
            options = options.since(service::time("--since", since)?);
        }
        if let Some(until) = &self.until {
            options = options.until(service::time("--until", until)?);
        }
        Ok(options)
    }
}

/// Reads the newest entries, at most `most` of them.
async fn newest(
    hallpass: &Hallpass,
    mut options: AuditOptions,
    most: u64,
) -> Result<Vec<AuditEntry>, CliError> {
    let by = service::system_actor();
    let mut entries = Vec::new();
    loop {
        let left = most.saturating_sub(entries.len() as u64);
        if left == 0 {
            return Ok(entries);
        }
        let limit = u32::try_from(left).unwrap_or(u32::MAX).min(AuditOptions::MAX_LIMIT);
        let page = hallpass.audit(&by, &options.clone().limit(limit)).await?;
        entries.extend(page.items);
        match page.next_cursor {
            Some(cursor) => options = options.cursor(cursor),
            None => return Ok(entries),
        }
    }
}

/// Prints all entries that the options select, page by page, so that a long trail takes constant
/// memory.
async fn export(
    hallpass: &Hallpass,
    mut options: AuditOptions,
    json: bool,
    last_printed: &mut Option<ChangeSeq>,
) -> Result<(), CliError> {
    if let Some(seq) = last_printed {
        options = options.after(*seq);
    }
    let mut is_first = last_printed.is_none();
    loop {
        let page = hallpass.audit(&service::system_actor(), &options).await?;
        print(&page.items, json, is_first)?;
        is_first = false;
        if let (Some(seq), Some(last)) = (last_printed.as_mut(), page.items.last()) {
            *seq = last.seq;
        }
        match page.next_cursor {
            Some(cursor) => options = options.cursor(cursor),
            None => return Ok(()),
        }
    }
}

fn print(entries: &[AuditEntry], json: bool, with_header: bool) -> Result<(), CliError> {
    if entries.is_empty() {
        return Ok(());
    }
    if json {
        let lines = entries.iter().map(|entry| format!("{}\n", to_json(entry)));
        return output::print(&output::escaped(&lines.collect::<String>()));
    }
    output::print(&table::audit(entries, with_header))
}

/// Returns an entry as the REST API shows it.
fn to_json(entry: &AuditEntry) -> Value {
    let event = &entry.event;
    json!({
        "seq": entry.seq.get(),
        "at": event.at.to_string(),
        "kind": event.kind.as_str(),
        "actor": event.actor.as_ref().map(hallpass_core::Owner::as_str),
        "owner": event.owner.as_ref().map(hallpass_core::Owner::as_str),
        "token_id": event.token_id.map(|id| id.to_string()),
        "count": event.count,
        "origin": {
            "ip": event.origin.ip_addr().map(|ip: std::net::IpAddr| ip.to_string()),
            "user_agent": event.origin.user_agent_str(),
            "request_id": event.origin.request_id_str(),
        },
        "changes": event.changes,
    })
}

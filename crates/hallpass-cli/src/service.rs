//! The handle for a store, with the same settings as the service's own handle.

use std::fs;

use hallpass_core::{Actor, Expiry, Hallpass, Limits, Owner, TokenId, parse_span};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::arguments::Settings;
use crate::error::CliError;
use crate::store::{self, Missing};

/// The name of the actor in the audit trail.
const ACTOR: &str = "hallpass-cli";

/// The default expiry of a new token.
pub(crate) const DEFAULT_EXPIRES: &str = "30d";

/// Opens the store that the settings name.
pub(crate) async fn open(settings: &Settings, missing: Missing) -> Result<Hallpass, CliError> {
    let limits = limits(&settings.tokens_per_owner)?;
    let audit_retention = span("--audit-retention", &settings.audit_retention)?;
    let pepper = match (&settings.pepper_id, &settings.pepper_file) {
        (None, None) => None,
        (Some(id), Some(file)) => {
            let key = fs::read(file).map_err(|error| {
                CliError::System(format!("could not read {}: {error}", file.display()))
            })?;
            let key = Zeroizing::new(key);
            if key.ends_with(b"\n") && !settings.pepper_as_is {
                return Err(CliError::Usage(format!(
                    "{} ends with a line break, which would be part of the pepper: write the file \
                     without it, for example with `printf %s`, or set --pepper-as-is if the \
                     service's pepper also ends with a line break",
                    file.display()
                )));
            }
            Some((id, key))
        }
        _ => {
            let message = "a pepper needs a name and a file: set --pepper-id and --pepper-file";
            return Err(CliError::Usage(message.to_owned()));
        }
    };
    let mut builder = store::open(settings, missing).await?;
    builder = builder.limits(limits).audit_retention(audit_retention);
    if let Some(prefix) = &settings.prefix {
        builder = builder.prefix(prefix);
    }
    if let Some((id, mut key)) = pepper {
        builder = builder.pepper(id, std::mem::take(&mut *key));
    }
    Ok(builder.try_build()?)
}

/// Returns the prefix of the service's tokens, for a command that needs it.
pub(crate) fn prefix(settings: &Settings) -> Result<&str, CliError> {
    settings.prefix.as_deref().ok_or_else(|| {
        let message = "the prefix of the service's tokens is missing, and the service rejects \
            tokens with another prefix: set --prefix or the variable HALLPASS_PREFIX";
        CliError::Usage(message.to_owned())
    })
}

/// Parses the limit on the tokens of each owner.
fn limits(tokens_per_owner: &str) -> Result<Limits, CliError> {
    let default: Expiry = DEFAULT_EXPIRES
        .parse()
        .map_err(|_| CliError::Usage(format!("invalid expiry {DEFAULT_EXPIRES}")))?;
    let limits = Limits::default().default_expiry(default);
    if tokens_per_owner == "none" {
        return Ok(limits.unlimited_tokens());
    }
    match tokens_per_owner.parse() {
        Ok(number) if number > 0 => Ok(limits.tokens_per_owner(number)),
        _ => Err(CliError::Usage(
            "invalid --tokens-per-owner: use a positive number or `none`".to_owned(),
        )),
    }
}

/// Returns the actor for the person or script at this command line.
pub(crate) fn system_actor() -> Actor {
    Actor::system(ACTOR)
}

/// Returns the same actor, on behalf of an owner.
pub(crate) fn system_actor_for(owner: &Owner) -> Actor {
    system_actor().on_behalf_of(owner.as_str())
}

/// Parses the id of an owner.
pub(crate) fn owner(text: &str) -> Result<Owner, CliError> {
    Owner::new(text).map_err(|error| CliError::Usage(format!("--owner: {error}")))
}

/// Parses a token's id. The error does not repeat the text, which may be a token.
pub(crate) fn id(text: &str) -> Result<TokenId, CliError> {
    text.parse().map_err(|error: hallpass_core::TokenIdError| CliError::Usage(error.to_string()))
}

/// Parses the span of an option.
fn span(option: &str, text: &str) -> Result<SignedDuration, CliError> {
    parse_span(text)
        .map_err(|_| CliError::Usage(format!("invalid {option}: use a span, such as `30d`")))
}

/// Returns the time that lies the span of an option before `now`.
pub(crate) fn ago(option: &str, text: &str, now: Timestamp) -> Result<Timestamp, CliError> {
    now.checked_sub(span(option, text)?)
        .map_err(|_| CliError::Usage(format!("invalid {option}: the span is too long")))
}

/// Parses several ids.
pub(crate) fn ids(texts: &[String]) -> Result<Vec<TokenId>, CliError> {
    texts.iter().map(|text| id(text)).collect()
}

/// Parses the time of an option.
pub(crate) fn time(option: &str, text: &str) -> Result<Timestamp, CliError> {
    text.parse().map_err(|_| {
        CliError::Usage(format!(
            "invalid {option}: use an RFC 3339 time, such as 2027-03-31T00:00:00Z"
        ))
    })
}

/// Parses metadata members that are written as `NAME=VALUE`.
pub(crate) fn metadata(members: &[String]) -> Result<Map<String, Value>, CliError> {
    let member = |text: &String| {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            CliError::Usage("invalid --metadata: use NAME=VALUE, such as team=build".to_owned())
        })?;
        Ok((name.to_owned(), Value::from(value)))
    };
    members.iter().map(member).collect()
}

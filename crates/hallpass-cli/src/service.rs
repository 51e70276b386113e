//! The handle on a store, set up as the service's own is.

use std::fs;

use hallpass_core::{Actor, Expiry, Hallpass, Limits, Owner, TokenId};
use jiff::Timestamp;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::arguments::Settings;
use crate::failure::Failure;
use crate::store::{self, Missing};

/// Who acts, in the events of this process.
const OPERATOR: &str = "hallpass-cli";

/// How long a new token lives if nobody says.
pub(crate) const DEFAULT_EXPIRES: &str = "30d";

/// Opens the store that the settings name.
pub(crate) async fn open(settings: &Settings, missing: Missing) -> Result<Hallpass, Failure> {
    let limits = limits(&settings.tokens_per_owner)?;
    let pepper = match (&settings.pepper_id, &settings.pepper_file) {
        (None, None) => None,
        (Some(id), Some(file)) => {
            let key = fs::read(file).map_err(|error| {
                Failure::Trouble(format!("{} cannot be read: {error}", file.display()))
            })?;
            Some((id, Zeroizing::new(key)))
        }
        _ => {
            let said = "a pepper has a name and a file: give --pepper-id and --pepper-file";
            return Err(Failure::Usage(said.to_owned()));
        }
    };
    let mut builder = store::open(settings, missing).await?;
    builder = builder.prefix(&settings.prefix).limits(limits);
    if let Some((id, mut key)) = pepper {
        builder = builder.pepper(id, std::mem::take(&mut *key));
    }
    Ok(builder.try_build()?)
}

fn limits(tokens_per_owner: &str) -> Result<Limits, Failure> {
    let default: Expiry = DEFAULT_EXPIRES
        .parse()
        .map_err(|_| Failure::Usage(format!("{DEFAULT_EXPIRES} is no expiry")))?;
    let limits = Limits::default().default_expiry(default);
    if tokens_per_owner == "none" {
        return Ok(limits.unlimited_tokens());
    }
    match tokens_per_owner.parse() {
        Ok(number) if number > 0 => Ok(limits.tokens_per_owner(number)),
        _ => {
            Err(Failure::Usage("--tokens-per-owner takes a number from 1 on, or `none`".to_owned()))
        }
    }
}

/// The person or script at this command line.
pub(crate) fn operator() -> Actor {
    Actor::system(OPERATOR)
}

/// The same, in an owner's name.
pub(crate) fn operator_for(owner: &Owner) -> Actor {
    operator().on_behalf_of(owner.as_str())
}

/// Reads an owner's name.
pub(crate) fn owner(text: &str) -> Result<Owner, Failure> {
    Owner::new(text).map_err(|error| Failure::Usage(format!("--owner: {error}")))
}

/// Reads a token's id. A token that was given in its place is not repeated.
pub(crate) fn id(text: &str) -> Result<TokenId, Failure> {
    text.parse().map_err(|error: hallpass_core::TokenIdError| Failure::Usage(error.to_string()))
}

/// Reads several.
pub(crate) fn ids(texts: &[String]) -> Result<Vec<TokenId>, Failure> {
    texts.iter().map(|text| id(text)).collect()
}

/// Reads a time for an option.
pub(crate) fn time(option: &str, text: &str) -> Result<Timestamp, Failure> {
    text.parse().map_err(|_| {
        Failure::Usage(format!("{option} takes an RFC 3339 time, such as 2027-03-31T00:00:00Z"))
    })
}

/// Reads metadata members written as `NAME=VALUE`.
pub(crate) fn metadata(members: &[String]) -> Result<Map<String, Value>, Failure> {
    let member = |text: &String| {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            Failure::Usage("--metadata takes NAME=VALUE, such as team=build".to_owned())
        })?;
        Ok((name.to_owned(), Value::from(value)))
    };
    members.iter().map(member).collect()
}

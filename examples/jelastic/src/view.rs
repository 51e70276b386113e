//! A token as the platform shows it: an integer for an id, dates without a zone, and nothing where
//! there is nothing.

use hallpass::deps::jiff::Timestamp;
use hallpass::{Catalog, Expiry, TokenId, TokenRecord};
use serde::Serialize;

use crate::answer::Fault;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Token<'a> {
    id: u64,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_template: Option<Template<'a>>,
    api_list_items: Vec<&'a str>,
    /// The whole token, this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Template<'a> {
    id: usize,
    name: &'a str,
    api_list_items: Vec<&'a str>,
}

impl<'a> Token<'a> {
    pub(crate) fn new(record: &'a TokenRecord, catalog: &'a Catalog, key: Option<&'a str>) -> Self {
        Self {
            id: number(record.id),
            description: &record.name,
            expires_at: record.expires_at.map(date),
            last_used: record.last_used_at.map(date),
            token_template: templates(catalog).find(|one| one.name == record.description),
            api_list_items: record.scopes.iter().map(hallpass::Scope::as_str).collect(),
            key,
        }
    }
}

pub(crate) fn templates(catalog: &Catalog) -> impl Iterator<Item = Template<'_>> {
    catalog.presets().iter().enumerate().map(|(place, preset)| Template {
        id: place + 1,
        name: preset.name(),
        api_list_items: preset.scopes().iter().map(hallpass::Scope::as_str).collect(),
    })
}

/// The integer that stands for an id: 53 of its random bits, as many as every JSON reader can hold.
/// It needs no table, and nobody can count tokens with it.
pub(crate) fn number(id: TokenId) -> u64 {
    id.as_uuid().as_u64_pair().1 & ((1 << 53) - 1)
}

fn date(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Reads `yyyy-MM-dd hh:mm:ss`, an instant in UTC, or the dashboard's `dd-mm-yyyy`, through that
/// whole day.
pub(crate) fn expiry(text: &str) -> Result<Expiry, Fault> {
    let is = |form: &str| {
        let digit = |c: char| if c.is_ascii_digit() { '0' } else { c };
        text.len() == form.len() && text.chars().map(digit).eq(form.chars())
    };
    let read = if is("0000-00-00 00:00:00") {
        format!("{}Z", text.replace(' ', "T")).parse()
    } else if is("00-00-0000") {
        text.parse()
    } else {
        return Err(Fault::bad(
            "expiresAt",
            "write `yyyy-MM-dd hh:mm:ss`, in UTC, or `dd-mm-yyyy`",
        ));
    };
    read.map_err(|error| Fault::bad("expiresAt", error))
}

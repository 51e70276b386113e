//! A token as the platform shows it: the id is an integer, dates have no time zone, and absent
//! values are left out.

use hallpass::deps::jiff::Timestamp;
use hallpass::{Catalog, Expiry, TokenRecord};
use serde::Serialize;
use serde_json::Value;

use crate::App;
use crate::answer::ApiError;

/// The member of a token's metadata that names the template it was made from.
pub(crate) const TEMPLATE: &str = "template";

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
    is_system: bool,
    /// The whole token, which is shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Template<'a> {
    id: usize,
    name: &'a str,
    api_list_items: Vec<&'a str>,
    is_system: bool,
}

impl<'a> Token<'a> {
    pub(crate) fn new(record: &'a TokenRecord, app: &'a App, key: Option<&'a str>) -> Self {
        let template = record.metadata.get(TEMPLATE).and_then(Value::as_str);
        Self {
            id: app.numbers.of(record.id),
            description: &record.name,
            expires_at: record.expires_at.map(date),
            last_used: record.last_used_at.map(date),
            token_template: templates(app.catalog()).find(|one| Some(one.name) == template),
            api_list_items: record.scopes.iter().map(hallpass::Scope::as_str).collect(),
            is_system: false,
            key,
        }
    }
}

pub(crate) fn templates(catalog: &Catalog) -> impl Iterator<Item = Template<'_>> {
    catalog.presets().iter().enumerate().map(|(place, preset)| Template {
        id: place + 1,
        name: preset.name(),
        api_list_items: preset.scopes().iter().map(hallpass::Scope::as_str).collect(),
        is_system: true,
    })
}

fn date(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Reads `yyyy-MM-dd hh:mm:ss`, an instant in UTC, or the dashboard's `dd-mm-yyyy`, through that
/// whole day.
pub(crate) fn expiry(text: &str) -> Result<Expiry, ApiError> {
    let is = |form: &str| {
        let digit = |c: char| if c.is_ascii_digit() { '0' } else { c };
        text.len() == form.len() && text.chars().map(digit).eq(form.chars())
    };
    let read = if is("0000-00-00 00:00:00") {
        format!("{}Z", text.replace(' ', "T")).parse()
    } else if is("00-00-0000") {
        text.parse()
    } else {
        return Err(ApiError::bad(
            "expiresAt",
            "write `yyyy-MM-dd hh:mm:ss`, in UTC, or `dd-mm-yyyy`",
        ));
    };
    read.map_err(|error| ApiError::bad("expiresAt", error))
}

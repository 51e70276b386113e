//! The methods that manage tokens, for people who have signed in. Each change requires the
//! password.

use axum::extract::State;
use hallpass::fold;
use hallpass::{
    Authenticated, Catalog, Expiry, Issued, ListOptions, Metadata, NewToken, Principal,
    RegenerateOptions, TokenRecord, TokenUpdate,
};
use serde_json::{Map, Value, json};

use crate::App;
use crate::answer::{Answer, ApiError, Success};
use crate::parameters::Parameters;
use crate::people::caller;
use crate::view::{self, TEMPLATE, Token, expiry};

pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(person): Authenticated,
    sent: Parameters,
) -> Answer {
    app.confirmations.check(&app, &person, &sent)?;
    let mut new = NewToken::named(sent.required("description")?);
    if let Some(Grant { methods, template }) = grant(app.catalog(), &sent)? {
        new = new.scopes(methods);
        if let Some(name) = template {
            let metadata = Metadata::new([(TEMPLATE, name)]);
            new = new.metadata(metadata.map_err(|error| ApiError::bad("tokenTemplate", error))?);
        }
    }
    if let Some(text) = sent.optional("expiresAt")? {
        new = new.expires(expiry(text)?);
    }
    let issued = app.hallpass.issue(&caller(&person), new).await?;
    Ok(shown_once(&app, &issued))
}

pub(crate) async fn edit(
    State(app): State<App>,
    Authenticated(person): Authenticated,
    sent: Parameters,
) -> Answer {
    app.confirmations.check(&app, &person, &sent)?;
    let token = one(&app, &person, sent.required("id")?).await?;
    let mut update = TokenUpdate::new();
    if let Some(text) = sent.optional("description")? {
        update = update.name(text);
    }
    if let Some(Grant { methods, template }) = grant(app.catalog(), &sent)? {
        let template = template.map_or(Value::Null, Value::from);
        update = update.scopes(methods).metadata(Map::from_iter([(TEMPLATE.to_owned(), template)]));
    }
    if let Some(text) = sent.optional("expiresAt")? {
        update = update.expires(expiry(text)?);
    } else if sent.is_emptied("expiresAt") {
        update = update.expires(Expiry::Never);
    }
    let record = app.hallpass.update(&caller(&person), token.id, update, None).await?;
    Ok(Success(json!({ "token": Token::new(&record, &app, None) })))
}

/// Gives a token another key. An expired token needs `expiresAt` with it.
pub(crate) async fn regenerate(
    State(app): State<App>,
    Authenticated(person): Authenticated,
    sent: Parameters,
) -> Answer {
    app.confirmations.check(&app, &person, &sent)?;
    let id = match sent.optional("id")? {
        Some(id) => id,
        None => sent.required("ids")?,
    };
    let token = one(&app, &person, id).await?;
    let mut how = RegenerateOptions::new();
    if let Some(text) = sent.optional("expiresAt")? {
        how = how.expires(expiry(text)?);
    }
    let issued = app.hallpass.regenerate(&caller(&person), token.id, how).await?;
    Ok(shown_once(&app, &issued))
}

/// Deletes all of these tokens, or none if one is unknown.
pub(crate) async fn delete(
    State(app): State<App>,
    Authenticated(person): Authenticated,
    sent: Parameters,
) -> Answer {
    app.confirmations.check(&app, &person, &sent)?;
    match sent.required("ids")? {
        "*" => {
            app.hallpass.delete_all(&caller(&person)).await?;
        }
        ids => {
            let tokens = several(&app, &person, ids).await?;
            let ids: Vec<_> = tokens.iter().map(|token| token.id).collect();
            app.hallpass.delete_many(&caller(&person), &ids).await?;
        }
    }
    Ok(Success(json!({})))
}

pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(person): Authenticated,
    sent: Parameters,
) -> Answer {
    let tokens = several(&app, &person, sent.optional("ids")?.unwrap_or("*")).await?;
    let shown: Vec<_> = tokens.iter().map(|one| Token::new(one, &app, None)).collect();
    Ok(Success(json!({ "apiTokens": shown })))
}

pub(crate) async fn templates(State(app): State<App>) -> Answer {
    Ok(Success(json!({ "templates": view::templates(app.catalog()).collect::<Vec<_>>() })))
}

/// Lists the methods that a token may hold and whose name contains `search`, which some clients
/// call `sortParam`.
pub(crate) async fn api_list(State(app): State<App>, sent: Parameters) -> Answer {
    let search = sent.optional("search")?.or(sent.optional("sortParam")?).unwrap_or_default();
    let search = fold(search);
    let found = app.catalog().scopes().iter();
    let found = found.filter(|one| fold(one.as_scope().as_str()).contains(&search));
    let shown = found.map(|one| {
        json!({ "name": one.as_scope().as_str(), "description": one.title(), "docs": one.docs_url() })
    });
    Ok(Success(json!({ "tokenPermissions": shown.collect::<Vec<_>>() })))
}

fn shown_once(app: &App, issued: &Issued) -> Success {
    let key = Some(issued.token.reveal());
    Success(json!({ "token": Token::new(&issued.record, app, key) }))
}

/// The methods that a token is to hold.
struct Grant {
    methods: Vec<String>,
    /// The template that they come from.
    template: Option<String>,
}

/// Reads a template, or a list of methods. Returns `None` if neither was sent.
fn grant(catalog: &Catalog, sent: &Parameters) -> Result<Option<Grant>, ApiError> {
    let methods: Vec<String> = sent
        .each("apiList")
        .flat_map(|list| list.split(','))
        .map(|name| name.trim().to_owned())
        .collect();
    match sent.optional("tokenTemplate")? {
        None if methods.is_empty() => Ok(None),
        None => Ok(Some(Grant { methods, template: None })),
        Some(_) if !methods.is_empty() => Err(ApiError::bad(
            "apiList",
            "a template has methods of its own: send one or the other",
        )),
        Some(name) => {
            let template = catalog
                .find_preset(name)
                .ok_or_else(|| ApiError::bad("tokenTemplate", "there is no such template"))?;
            let methods = template.scopes().iter().map(ToString::to_string).collect();
            Ok(Some(Grant { methods, template: Some(name.to_owned()) }))
        }
    }
}

async fn one(app: &App, person: &Principal, id: &str) -> Result<TokenRecord, ApiError> {
    let mut found = several(app, person, id).await?;
    match (found.pop(), found.pop()) {
        (Some(token), None) if id != "*" => Ok(token),
        _ => Err(ApiError::bad("id", "one token at a time")),
    }
}

/// Returns the caller's tokens with these ids, `1;4` or `1,4`, or all of them for `*`.
async fn several(app: &App, person: &Principal, ids: &str) -> Result<Vec<TokenRecord>, ApiError> {
    let by = caller(person);
    if ids == "*" {
        // A person may have at most as many as fit on one page.
        let page = ListOptions::new().limit(ListOptions::MAX_LIMIT);
        return Ok(app.hallpass.list(&by, &page).await?.items);
    }
    let mut found = Vec::new();
    for id in ids.split([',', ';']) {
        let number = id.trim().parse().map_err(|_| ApiError::bad("ids", "write `1;4`, or `*`"))?;
        let id = app.numbers.token(number).ok_or_else(|| ApiError::not_found("token"))?;
        found.push(app.hallpass.get(&by, id).await?);
    }
    Ok(found)
}

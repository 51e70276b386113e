//! The methods for tokens: for people who have signed in, and each change with their password.

use axum::extract::State;
use hallpass::fold;
use hallpass::{
    Authenticated, Catalog, Issued, ListOptions, NewToken, Principal, RegenerateOptions,
    TokenRecord, TokenUpdate,
};
use serde_json::json;

use crate::App;
use crate::answer::{Answer, Done, Fault};
use crate::parameters::Parameters;
use crate::people::caller;
use crate::view::{self, Token, expiry, number};

pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(person): Authenticated,
    sent: Parameters,
) -> Answer {
    app.confirmations.check(&person, &sent)?;
    let mut new = NewToken::named(sent.required("description")?);
    if let Some(Wanted { methods, template }) = wanted(app.catalog(), &sent)? {
        new = new.scopes(methods).description(template);
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
    app.confirmations.check(&person, &sent)?;
    let token = one(&app, &person, sent.required("id")?).await?;
    let mut update = TokenUpdate::new();
    if let Some(text) = sent.optional("description")? {
        update = update.name(text);
    }
    if let Some(Wanted { methods, template }) = wanted(app.catalog(), &sent)? {
        update = update.scopes(methods).description(template);
    }
    if let Some(text) = sent.optional("expiresAt")? {
        update = update.expires(expiry(text)?);
    }
    let record = app.hallpass.update(&caller(&person), token.id, update, None).await?;
    Ok(Done(json!({ "token": Token::new(&record, app.catalog(), None) })))
}

/// Another key for a token. One whose time is over needs `expiresAt` with it: it is not brought
/// back without a word.
pub(crate) async fn regenerate(
    State(app): State<App>,
    Authenticated(person): Authenticated,
    sent: Parameters,
) -> Answer {
    app.confirmations.check(&person, &sent)?;
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

/// All of these tokens, or none where one is unknown.
pub(crate) async fn delete(
    State(app): State<App>,
    Authenticated(person): Authenticated,
    sent: Parameters,
) -> Answer {
    app.confirmations.check(&person, &sent)?;
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
    Ok(Done(json!({})))
}

pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(person): Authenticated,
    sent: Parameters,
) -> Answer {
    let tokens = several(&app, &person, sent.optional("ids")?.unwrap_or("*")).await?;
    let shown: Vec<_> = tokens.iter().map(|one| Token::new(one, app.catalog(), None)).collect();
    Ok(Done(json!({ "tokens": shown })))
}

pub(crate) async fn templates(State(app): State<App>) -> Answer {
    Ok(Done(json!({ "templates": view::templates(app.catalog()).collect::<Vec<_>>() })))
}

/// The methods that a token may hold, whose name holds `search` (or `sortParam`, as some clients
/// call it).
pub(crate) async fn api_list(State(app): State<App>, sent: Parameters) -> Answer {
    let search = sent.optional("search")?.or(sent.optional("sortParam")?).unwrap_or_default();
    let search = fold(search);
    let found = app.catalog().scopes().iter();
    let found = found.filter(|one| fold(one.as_scope().as_str()).contains(&search));
    let shown = found.map(|one| {
        json!({ "name": one.as_scope().as_str(), "description": one.title(), "docs": one.docs_url() })
    });
    Ok(Done(json!({ "permissions": shown.collect::<Vec<_>>() })))
}

fn shown_once(app: &App, issued: &Issued) -> Done {
    let key = Some(issued.token.reveal());
    Done(json!({ "token": Token::new(&issued.record, app.catalog(), key) }))
}

/// What a token shall be allowed.
struct Wanted {
    methods: Vec<String>,
    /// Kept as Hallpass's description: it is how the platform knows which template a token was made
    /// from.
    template: String,
}

/// A template, or methods one by one; `None` where nothing is said of either.
fn wanted(catalog: &Catalog, sent: &Parameters) -> Result<Option<Wanted>, Fault> {
    let methods: Vec<String> = sent
        .each("apiList")
        .flat_map(|list| list.split(','))
        .map(|name| name.trim().to_owned())
        .collect();
    match sent.optional("tokenTemplate")? {
        None if methods.is_empty() => Ok(None),
        None => Ok(Some(Wanted { methods, template: String::new() })),
        Some(_) if !methods.is_empty() => {
            Err(Fault::bad("apiList", "a template has methods of its own: send one or the other"))
        }
        Some(name) => {
            let template = catalog
                .find_preset(name)
                .ok_or_else(|| Fault::bad("tokenTemplate", "there is no such template"))?;
            let methods = template.scopes().iter().map(ToString::to_string).collect();
            Ok(Some(Wanted { methods, template: name.to_owned() }))
        }
    }
}

async fn one(app: &App, person: &Principal, id: &str) -> Result<TokenRecord, Fault> {
    let mut found = several(app, person, id).await?;
    match (found.pop(), found.pop()) {
        (Some(token), None) if id != "*" => Ok(token),
        _ => Err(Fault::bad("id", "one token at a time")),
    }
}

/// The caller's tokens of these ids, `1;4` or `1,4`, or all of them: `*`.
async fn several(app: &App, person: &Principal, ids: &str) -> Result<Vec<TokenRecord>, Fault> {
    // Nobody may have more than fit on one page.
    let page = ListOptions::new().limit(ListOptions::MAX_LIMIT);
    let all = app.hallpass.list(&caller(person), &page).await?.items;
    if ids == "*" {
        return Ok(all);
    }
    let find = |id: &str| {
        let asked: u64 = id.trim().parse().map_err(|_| Fault::bad("ids", "write `1;4`, or `*`"))?;
        let mut found = all.iter().filter(|token| number(token.id) == asked);
        match (found.next(), found.next()) {
            (Some(token), None) => Ok(token.clone()),
            _ => Err(Fault::not_found("token")),
        }
    };
    ids.split([',', ';']).map(find).collect()
}

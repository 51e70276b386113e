//! The page "Personal Access Token" of the console, as calls: `/api/v1/user/tokens`.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use case_studies::Numbers;
use hallpass::fold;
use hallpass::{Error, Hallpass, ListOptions, NewToken, TokenId, TokenRecord};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{ApiError, ok};
use crate::people::SignedIn;

type Answer = Result<Json<Value>, ApiError>;

/// The beginning of the name of a token that has no name of its own.
const UNNAMED: &str = "token of ";

#[derive(Clone)]
pub(crate) struct Tokens {
    hallpass: Hallpass,
    numbers: Numbers,
}

#[derive(Deserialize)]
pub(crate) struct New {
    /// The purpose of the token.
    #[serde(default)]
    notes: String,
    /// When it ends: an instant, a date, a span, or `never`. There is no default.
    expire: String,
}

/// "Generate a new token".
pub(crate) async fn generate(
    State(tokens): State<Tokens>,
    SignedIn(me): SignedIn,
    new: Result<Json<New>, JsonRejection>,
) -> Answer {
    let Json(New { notes, expire }) = new?;
    let name = format!("{UNNAMED}{}", tokens.hallpass.now().strftime("%F"));
    // API7's tokens have no scopes and may do everything. Here, they hold a scope for everything.
    let new = NewToken::named(name).description(notes).scope("account").expires(expire);
    let issued = tokens.hallpass.issue(&me, new).await?;
    let mut payload = tokens.shown(&issued.record);
    payload["token"] = issued.token.reveal().into();
    Ok(ok(payload))
}

/// The page and the filter of a list, as API7's SDK sends them.
#[derive(Deserialize)]
pub(crate) struct Page {
    page: Option<usize>,
    page_size: Option<usize>,
    #[serde(default)]
    search: String,
}

/// Lists tokens. A person has at most 50, which is one page of Hallpass's. Without a page size, the
/// answer has them all.
pub(crate) async fn list(
    State(tokens): State<Tokens>,
    SignedIn(me): SignedIn,
    page: Result<Query<Page>, QueryRejection>,
) -> Answer {
    let Query(Page { page, page_size, search }) = page?;
    let listing = ListOptions::new().limit(ListOptions::MAX_LIMIT);
    let all = tokens.hallpass.list(&me, &listing).await?.items;
    let search = fold(&search);
    let found: Vec<_> = all.iter().filter(|token| fold(notes(token)).contains(&search)).collect();
    let size = page_size.unwrap_or(usize::MAX);
    let skipped = page.unwrap_or(1).saturating_sub(1).saturating_mul(size);
    let page = found.iter().skip(skipped).take(size);
    let list: Vec<_> = page.map(|token| tokens.shown(token)).collect();
    let limit = tokens.hallpass.limits().tokens_per_owner;
    Ok(ok(json!({ "count": found.len(), "limit": limit, "list": list })))
}

/// "Delete".
pub(crate) async fn delete(
    State(tokens): State<Tokens>,
    SignedIn(me): SignedIn,
    Path(id): Path<String>,
) -> Answer {
    tokens.hallpass.delete(&me, tokens.find(&id).ok_or(Error::NotFound)?, None).await?;
    Ok(ok(Value::Null))
}

/// "Delete All", of the danger zone.
pub(crate) async fn delete_all(State(tokens): State<Tokens>, SignedIn(me): SignedIn) -> Answer {
    Ok(ok(json!({ "count": tokens.hallpass.delete_all(&me).await? })))
}

impl Tokens {
    pub(crate) fn new(hallpass: &Hallpass) -> Self {
        Self { hallpass: hallpass.clone(), numbers: Numbers::default() }
    }

    fn shown(&self, token: &TokenRecord) -> Value {
        json!({
            "id": self.numbers.of(token.id).to_string(),
            "notes": notes(token),
            "created_at": token.created_at.to_string(),
            "expire": token.expires_at.map(|end| end.to_string()),
            "last_used_at": token.last_used_at.map(|time| time.to_string()),
            "status": token.status(self.hallpass.now()).as_str(),
        })
    }

    /// Returns the token whose id is written exactly like this: `042` is not 42.
    fn find(&self, text: &str) -> Option<TokenId> {
        let number: u64 = text.parse().ok()?;
        self.numbers.token(number).filter(|_| number.to_string() == text)
    }
}

/// Returns the note of a token. One that was made on the page has a name, and perhaps no
/// description.
fn notes(token: &TokenRecord) -> &str {
    if token.description.is_empty() && !token.name.starts_with(UNNAMED) {
        &token.name
    } else {
        &token.description
    }
}

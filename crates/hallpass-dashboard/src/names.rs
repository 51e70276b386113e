//! The host's names for the ids of owners and actors.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;

/// The maximum number of ids in one request.
const MAX_IDS: usize = 200;

type NamesFuture = Pin<Box<dyn Future<Output = BTreeMap<String, String>> + Send>>;

/// The host's function from ids to names.
pub(crate) struct Names(Box<dyn Fn(Vec<String>) -> NamesFuture + Send + Sync>);

impl Names {
    pub(crate) fn new<F, A, N>(names: F) -> Self
    where
        F: Fn(Vec<String>) -> A + Send + Sync + 'static,
        A: Future<Output = N> + Send + 'static,
        N: IntoIterator<Item = (String, String)>,
    {
        Self(Box::new(move |ids| {
            let lookup = names(ids);
            Box::pin(async move { lookup.await.into_iter().collect() })
        }))
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names(..)")
    }
}

/// Returns the ids in a query such as `id=4&id=7`, or `None` if there are too many.
pub(crate) fn ids_in(query: &str) -> Option<Vec<String>> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let ids: Vec<_> = pairs.filter(|(name, _)| name == "id").map(|(_, id)| id.into()).collect();
    (ids.len() <= MAX_IDS).then_some(ids)
}

/// Returns the host's names for these ids.
pub(crate) async fn of(names: Option<&Names>, ids: Vec<String>) -> BTreeMap<String, String> {
    match names {
        Some(names) => (names.0)(ids).await,
        None => BTreeMap::new(),
    }
}

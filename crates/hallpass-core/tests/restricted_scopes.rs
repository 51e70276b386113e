//! Scopes that ordinary people must not be able to put into their tokens.

use hallpass_core::{
    Actor, Catalog, CatalogScope, Error, Hallpass, NewToken, PermissionError, ScopeSet,
};
use hallpass_memory::MemoryStore;

fn hallpass() -> Hallpass {
    let catalog = Catalog::new()
        .scope(CatalogScope::new("notes:list", "List your notes"))
        .scope(CatalogScope::new("admin:notes", "Everybody's notes").per("id").restricted())
        .wildcards(true);
    Hallpass::builder(MemoryStore::new()).catalog(catalog).build()
}

async fn grants(by: &Actor, scope: &str) -> bool {
    match hallpass().issue(by, NewToken::named("ci").scope(scope)).await {
        Ok(_) => true,
        Err(Error::Forbidden(PermissionError::Scopes(_))) => false,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn only_actors_who_name_a_restricted_scope_may_grant_it() {
    let alice = Actor::owner("alice");
    assert!(grants(&alice, "notes:list").await);
    for reaching in ["admin", "admin:notes", "admin:notes:42", "*:notes", "*"] {
        assert!(!grants(&alice, reaching).await, "{reaching}");
        assert!(!grants(&Actor::admin("root"), reaching).await, "{reaching}");
    }
    let trusted = alice.with_grantable_scopes(ScopeSet::parse(["admin:notes"]).unwrap());
    assert!(grants(&trusted, "admin:notes:42").await);
    assert!(!grants(&trusted, "notes:list").await, "only the named scopes may be granted");
    assert!(grants(&Actor::system("setup").on_behalf_of("alice"), "admin:notes").await);
}

//! Tests of the policy table: the same table on three hosts. Requests that it does not list are
//! rejected.

mod axum;
mod grpc;
mod panic_location;
mod paths;
mod rules;
mod site;
mod startup;

use hallpass_core::{all_of, authenticated, public};
use hallpass_tower::PolicyTable;
use http::Method;

/// Returns the table of these tests. The hosts behind it serve every request.
fn table() -> PolicyTable {
    PolicyTable::new()
        .get("/health", public())
        .get("/me", authenticated())
        .get("/admin", "admin:panel")
        .get("/channels/{id}", "channels:read:{id}")
        .delete("/channels/{id}", "channels:delete:{id}")
        .get("/a/{x}/b/{y}", all_of(["a:read:{x}", "b:read:{y}"]))
        .get("/files/{*path}", "files:read")
        .get("/item/{id}", "item:read:{id}")
        .get("/api/admin", "api:panel")
        .route(Method::from_bytes(b"PURGE").unwrap(), "/me", "me:purge")
}

#[test]
fn policy_table_prints_one_readable_line_per_rule() {
    let printed = "\
GET     /health         public
GET     /me             any valid token
PURGE   /me             me:purge
GET     /admin          admin:panel
GET     /channels/{id}  channels:read:{id}
DELETE  /channels/{id}  channels:delete:{id}
GET     /a/{x}/b/{y}    all of (a:read:{x}, b:read:{y})
GET     /files/{*path}  files:read
GET     /item/{id}      item:read:{id}
GET     /api/admin      api:panel
anything else: rejected";
    assert_eq!(table().to_string(), printed);
    assert_eq!(PolicyTable::new().to_string(), "anything else: rejected");
    assert_eq!(table().rules().next().unwrap().to_string(), "GET /health: public");
    assert!(format!("{:?}", table()).starts_with(r#"["GET /health: public", "#));
}

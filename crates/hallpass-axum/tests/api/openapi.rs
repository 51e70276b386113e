//! The OpenAPI document. To update the golden file after you have checked the difference:
//!
//! ```text
//! HALLPASS_UPDATE_GOLDEN=1 cargo test -p hallpass-axum --test api openapi
//! ```

use std::path::Path;

use axum::http::Method;
use serde_json::Value;

use crate::support::Api;

async fn document(api: &Api) -> Value {
    api.get("/openapi.json").anonymous().send().await.ok().json
}

#[tokio::test]
async fn document_equals_the_golden_file() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi.json");
    let mut current = serde_json::to_string_pretty(&document(&Api::new().await).await).unwrap();
    current.push('\n');
    if std::env::var_os("HALLPASS_UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &current).unwrap();
    }
    let golden_text = std::fs::read_to_string(&golden).unwrap();
    assert!(
        current == golden_text,
        "the document has changed: tests/api/openapi.rs describes how to update the golden file"
    );
}

#[tokio::test]
async fn every_operation_enforces_its_documented_security() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let mut token = issued.token().to_owned();
    let document = document(&api).await;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let path = path.replace("{id}", issued.id());
            let send = || api.send(method.clone(), &path);
            let anonymous = send().anonymous().send().await;
            let bearer = send().bearer(&token).send().await;
            let security = operation.get("security").unwrap_or(&document["security"]);
            match security.to_string().as_str() {
                "[{}]" => {
                    anonymous.ok();
                }
                r#"[{"session":[]}]"# => {
                    anonymous.rejected(401, "no-caller");
                    bearer.rejected(403, "token-not-allowed");
                }
                r#"[{"token":[]}]"# => {
                    anonymous.rejected(401, "no-credential");
                    assert!(bearer.status.is_success(), "{method} {path}");
                    // The call may have been the one that revokes it.
                    let path = format!("/{}/regenerate", issued.id());
                    token = api.post(&path).send().await.ok().token().to_owned();
                }
                other => panic!("{method} {path}: {other}"),
            }
        }
    }
}

#[tokio::test]
async fn documentation_lists_every_operation() {
    let page = include_str!("../../../../docs/management-api.md");
    let mut listed: Vec<_> =
        page.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect();
    let document = document(&Api::new().await).await;
    let mut rows = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            let success = responses.keys().find(|status| status.starts_with('2')).unwrap();
            let summary = operation["summary"].as_str().unwrap().trim_end_matches('.');
            let method = method.to_uppercase();
            rows.push(format!("| `{method}` | `{path}` | {success} | {summary} |"));
        }
    }
    listed.sort_unstable();
    rows.sort_unstable();
    assert_eq!(listed, rows);
}

#[tokio::test]
async fn operations_have_summaries_and_unique_ids() {
    let document = document(&Api::new().await).await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = Vec::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            assert!(!operation["summary"].as_str().unwrap().is_empty());
            ids.push(operation["operationId"].as_str().unwrap());
        }
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), count), (18, 18));
}

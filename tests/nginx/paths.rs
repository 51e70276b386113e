//! Scopes and paths that a proxy could turn into another path, because it decodes and merges them.

use hallpass_core::{Actor, Issued, Status};

use crate::site::{Site, bearer};
use crate::{KEEPING_HOST, MERGING, RAW};

/// The blocks, each with the prefix that its paths have.
const BLOCKS: [(&str, &str); 3] = [(MERGING, "/app"), (KEEPING_HOST, "/app"), (RAW, "")];

const ALICE: &str = "cookie: person=alice";

async fn site() -> Site {
    Site::new(&BLOCKS.map(|(block, _)| block)).await
}

impl Site {
    /// Asserts that these tokens are as they were when they were issued.
    async fn assert_untouched(&self, others: &[&Issued], context: &str) {
        for other in others {
            let record = &other.record;
            let by = Actor::owner(record.owner.as_str());
            let now = self.hallpass.get(&by, record.id).await.expect(context);
            assert_eq!(now.revision, record.revision, "{context}");
            assert_eq!(now.status(jiff::Timestamp::now()), Status::Active, "{context}");
        }
    }
}

#[tokio::test]
async fn hostile_scopes_are_removed_from_the_named_token_only() {
    let site = site().await;
    let (second, bobs) = (site.issue("alice", &[]).await, site.issue("bob", &[]).await);
    let ids = [second.record.id.to_string(), "delete".to_owned()];
    for (block, (_, prefix)) in BLOCKS.iter().enumerate() {
        for id in &ids {
            for (scope, is_valid) in [
                ("projects:read:a/../../..".to_owned(), false),
                (format!("../../{id}"), false),
                ("projects:..".to_owned(), false),
                (format!("projects:read:a/{id}"), true),
                ("projects:%2e%2e/%2e%2e".to_owned(), true),
                (format!("projects:..%2f..%2f{id}"), true),
                ("projects:read:...".to_owned(), true),
                (format!("projects:read:/{id}/"), true),
                ("projects:a?all=true#b;c".to_owned(), true),
            ] {
                let body = serde_json::json!({ "name": "a", "scopes": [scope, "keep"] });
                let create = format!("POST {prefix}/tokens");
                let answer = site.send(block, &create, &[ALICE], &body.to_string()).await;
                assert_eq!(answer.status, if is_valid { 201 } else { 422 }, "{scope} {answer:?}");
                if !is_valid {
                    continue;
                }
                let path = format!("{prefix}/tokens/{}", answer.json()["id"].as_str().unwrap());
                let body = serde_json::json!({ "scopes": [scope] }).to_string();
                let remove = format!("POST {path}/scopes/remove");
                let answer = site.send(block, &remove, &[ALICE], &body).await;
                assert_eq!(answer.status, 200, "{scope} {answer:?}");
                assert_eq!(answer.json()["scopes"], serde_json::json!(["keep"]), "{scope}");
                let answer = site.send(block, &format!("DELETE {path}"), &[ALICE], "").await;
                assert_eq!(answer.status, 204, "{scope}");
                site.assert_untouched(&[&second, &bobs], &scope).await;
            }
        }
    }
}

#[tokio::test]
async fn hostile_paths_change_only_the_named_token() {
    let site = site().await;
    let (second, bobs) = (site.issue("alice", &[]).await, site.issue("bob", &[]).await);
    for (block, (_, prefix)) in BLOCKS.iter().enumerate() {
        for tail in [
            "{id}/..",
            "{id}/../",
            "{id}/.",
            "{id}/%2e%2e/",
            "{id}/scopes/x/../../..",
            "{id}/%2e%2e/delete",
            "{id}/..%2fdelete",
            "{id}/scopes/%2e%2e%2f%2e%2e%2frevoke",
            "{id}%2f..%2f..%2ftokens%2fdelete",
            "./{id}",
            "/{id}",
            "{id}//revoke",
            "{id}%00",
            "x/..%2F{id}",
            "{id}\\..\\delete",
            "{id}/revoke/../../revoke",
        ] {
            for method in ["DELETE", "POST", "PATCH"] {
                let first = site.issue("alice", &["keep"]).await;
                let tail = tail.replace("{id}", &first.record.id.to_string());
                let request = format!("{method} {prefix}/tokens/{tail}");
                for body in ["", "{}", r#"{"name": "b"}"#] {
                    let answer = site.send(block, &request, &[ALICE], body).await;
                    assert!(answer.status < 500, "{request} {answer:?}");
                }
                site.assert_untouched(&[&second, &bobs], &request).await;
            }
        }
    }
}

#[tokio::test]
async fn hostile_paths_match_no_wider_rule_of_a_policy_table() {
    let site = site().await;
    let files = bearer(&site.issue("alice", &["files:read", "names:read:mine"]).await);
    let admin = bearer(&site.issue("alice", &["admin:panel"]).await);
    for (block, (_, prefix)) in BLOCKS.iter().enumerate() {
        let ask = async |path: &str, token: &str| {
            let request = format!("GET {prefix}/by-path/{path}");
            let answer = site.send(block, &request, &[token], "").await;
            (answer.status, answer.body)
        };
        let seen = |path: &str| (200, format!("/by-path/{path}"));
        assert_eq!(ask("files/a", &files).await, seen("files/a"));
        assert_eq!(ask("mine", &files).await, seen("mine"));
        assert_eq!(ask("admin", &admin).await, seen("admin"));
        for path in [
            "admin",
            "admin/",
            "/admin",
            "files/../admin",
            "files/%2e%2e/admin",
            "files/..%2fadmin",
            "files/..%5cadmin",
            "files/a/../../admin",
            "files//../admin",
            "files/./../admin",
            "theirs",
            "mine/../theirs",
            "mine%2f..%2ftheirs",
            "%2e%2e/by-path/admin",
        ] {
            let (status, body) = ask(path, &files).await;
            if status == 200 {
                // nginx has changed it to a path that the token allows.
                assert!(
                    body.starts_with("/by-path/files/") && !body.contains(".."),
                    "{path} {body}"
                );
            } else {
                assert!(matches!(status, 400 | 403 | 404), "{path}: {status} {body}");
            }
        }
    }
}

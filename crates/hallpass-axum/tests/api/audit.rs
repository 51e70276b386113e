use serde_json::json;

use crate::support::{Api, UNKNOWN};

#[tokio::test]
async fn changes_are_listed_newest_first_with_their_origin() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let path = format!("/{}", issued.id());
    let rename = api.patch(&path).header("user-agent", "curl/8.5").header("x-request-id", "r-17");
    rename.json(&json!({ "name": "nightly" })).await.ok();
    let trail = api.get("/audit").send().await.ok().json;
    let items = trail["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{trail}");
    assert_eq!((&items[0]["kind"], &items[1]["kind"]), (&json!("updated"), &json!("issued")));
    let origin = json!({ "ip": null, "user_agent": "curl/8.5", "request_id": "r-17" });
    assert_eq!(items[0]["origin"], origin);
    let change = json!([{ "field": "name", "before": "ci", "after": "nightly" }]);
    assert_eq!(items[0]["changes"], change);
    let page = api.get("/audit?limit=1").send().await.ok().json;
    let next = page["next_cursor"].as_str().unwrap();
    let rest = api.get(&format!("/audit?limit=1&cursor={next}")).send().await.ok().json;
    assert_eq!(rest["items"][0], items[1]);
}

#[tokio::test]
async fn page_of_large_entries_ends_early() {
    let api = Api::new().await;
    let path = format!("/{}", api.issue_ci().await.id());
    for number in 0..300 {
        let description = format!("{number:03}{}", "\u{1F600}".repeat(997));
        let metadata = json!({ "key": format!("{number:03}{}", "x".repeat(4000)) });
        let changes = json!({ "description": description, "metadata": metadata });
        api.patch(&path).json(&changes).await.ok();
    }
    let (mut found, mut next) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("/audit?limit=1000{next}")).send().await.ok();
        assert!(page.text.len() < 3_000_000, "{}", page.text.len());
        let items = page.json["items"].as_array().unwrap();
        found.extend(items.iter().map(|entry| entry["seq"].as_u64().unwrap()));
        let Some(cursor) = page.json["next_cursor"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    assert_eq!(found, (1..=301).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn people_see_entries_about_their_own_tokens_only() {
    let api = Api::new().await;
    api.issue_ci().await;
    assert_eq!(api.get("/audit").by("bob").send().await.ok().json["items"], json!([]));
    api.get("/audit?owner=alice").by("bob").send().await.rejected(403, "admin-only");
    let all = api.get("/audit?owner=alice&kind=issued").by("root").send().await.ok().json;
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
    let none = api.get(&format!("/audit?token={UNKNOWN}")).send().await.ok().json;
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn invalid_filter_is_named_in_the_error() {
    let api = Api::new().await;
    for (query, field) in [
        ("token=x", "token"),
        ("kind=x", "kind"),
        ("since=x", "since"),
        ("until=1d", "until"),
        ("limit=0", "limit"),
        ("cursor=x", "cursor"),
        ("x=1", "x"),
    ] {
        api.get(&format!("/audit?{query}")).send().await.invalid(field);
    }
}

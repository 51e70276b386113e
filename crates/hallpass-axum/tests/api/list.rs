use jiff::SignedDuration;
use serde_json::{Value, json};

use std::time::Duration;

use crate::support::{Answer, Api};

/// Creates three tokens of alice's, a day apart, and one of bob's.
async fn api_with_tokens() -> Api {
    let api = Api::new().await;
    for (name, description, scopes, expires) in [
        ("beta", "nightly build", json!(["projects:read"]), "2d"),
        ("Alpha", "100% of_it", json!(["projects:read", "projects:list"]), "never"),
        ("gamma", "", json!(["projects:read:42"]), "30d"),
    ] {
        let body = json!({
            "name": name, "description": description, "scopes": scopes, "expires": expires,
        });
        api.issue(body).await;
        api.clock.advance(Duration::from_secs(24 * 60 * 60));
    }
    assert_eq!(api.post("").by("bob").json(&json!({ "name": "bobs" })).await.status, 201);
    api
}

fn names(answer: &Answer) -> Vec<&str> {
    let items = answer.json["items"].as_array().expect("items");
    items.iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn owner_sees_their_own_tokens_newest_first() {
    let api = api_with_tokens().await;
    let answer = api.get("").send().await.ok();
    assert_eq!(names(&answer), ["gamma", "Alpha", "beta"]);
    assert_eq!((&answer.json["next_cursor"], &answer.json["total"]), (&Value::Null, &json!(3)));
    assert_eq!(answer.json["items"][0]["owner"], "alice");
    assert!(answer.json["items"][0].get("token").is_none());
    let empty = api.get("").by("carol").send().await.ok();
    assert_eq!(
        empty.json,
        json!({ "items": [], "next_cursor": null, "total": 0, "counts": { "active": 0, "expired": 0, "revoked": 0 } })
    );
}

#[tokio::test]
async fn filters_narrow_the_list_and_the_total() {
    let api = api_with_tokens().await;
    let expired = api.get("?status=expired").send().await.ok();
    assert_eq!((names(&expired), &expired.json["total"]), (vec!["beta"], &json!(1)));
    for (query, expected) in [
        ("status=active", vec!["gamma", "Alpha"]),
        ("status=revoked", vec![]),
        ("status=all", vec!["gamma", "Alpha", "beta"]),
        ("q=ALPHA", vec!["Alpha"]),
        ("q=NIGHTLY", vec!["beta"]),
        ("q=nightly+build", vec!["beta"]),
        ("q=nightly%20build", vec!["beta"]),
        ("q=%25", vec!["Alpha"]),
        ("q=_", vec!["Alpha"]),
        ("q=0%25+of_", vec!["Alpha"]),
        ("q=", vec!["gamma", "Alpha", "beta"]),
        ("q=';+DROP+TABLE+tokens", vec![]),
        ("scope=projects:read", vec!["Alpha", "beta"]),
        ("scope=projects%3Aread%3A42", vec!["gamma"]),
        ("scope=projects", vec![]),
        ("q=a&status=active&scope=projects:list", vec!["Alpha"]),
        ("", vec!["gamma", "Alpha", "beta"]),
        ("&&", vec!["gamma", "Alpha", "beta"]),
    ] {
        let answer = api.get(&format!("?{query}")).send().await.ok();
        assert_eq!(names(&answer), expected, "{query}");
        assert_eq!(answer.json["total"], expected.len(), "{query}");
    }
}

#[tokio::test]
async fn filters_select_by_expiry_use_and_previous_secret() {
    let api = api_with_tokens().await;
    let start = api.hallpass.now() - SignedDuration::from_hours(72);
    let day = |days: i32| start + SignedDuration::from_hours(24) * days;
    let used = api.issue(json!({ "name": "used" })).await;
    let body = json!({ "grace_period": "1d" });
    let renewed = api.post(&format!("/{}/regenerate", used.id())).json(&body).await.ok();
    assert!(api.works(renewed.token()).await && !api.works(used.token()).await);
    let again = api.post(&format!("/{}/regenerate", used.id())).json(&body).await.ok();
    for (query, expected) in [
        (format!("expires_before={}", day(3)), vec!["beta"]),
        ("never_used=true".to_owned(), vec!["gamma", "Alpha", "beta"]),
        (
            "never_used=false&previous_secret=false".to_owned(),
            vec!["used", "gamma", "Alpha", "beta"],
        ),
        (format!("unused_since={}", day(0)), vec![]),
        (format!("unused_since={}&sort=name", day(2)), vec!["Alpha", "beta"]),
        (format!("unused_since={}&status=active", day(2)), vec!["Alpha"]),
        (format!("unused_since={}", day(3)), vec!["gamma", "Alpha", "beta"]),
        (format!("unused_since={}&limit=1", day(4)), vec!["used"]),
        ("previous_secret=true".to_owned(), vec!["used"]),
        ("previous_secret=true&status=revoked".to_owned(), vec![]),
    ] {
        let answer = api.get(&format!("?{query}")).send().await.ok();
        assert_eq!(names(&answer), expected, "{query}");
    }
    assert!(api.works(again.token()).await, "this use ends the grace period");
    let none = api.get("?previous_secret=true").send().await.ok();
    assert_eq!(none.json["counts"], json!({ "active": 0, "expired": 0, "revoked": 0 }));
}

#[tokio::test]
async fn list_order_puts_absent_times_last_in_both_directions() {
    let api = api_with_tokens().await;
    for (sort, expected) in [
        ("created_at", ["beta", "Alpha", "gamma"]),
        ("-created_at", ["gamma", "Alpha", "beta"]),
        ("name", ["Alpha", "beta", "gamma"]),
        ("-name", ["gamma", "beta", "Alpha"]),
        ("expires_at", ["beta", "gamma", "Alpha"]),
        ("-expires_at", ["gamma", "beta", "Alpha"]),
    ] {
        let answer = api.get(&format!("?sort={sort}")).send().await.ok();
        assert_eq!(names(&answer), expected, "{sort}");
    }
}

#[tokio::test]
async fn tokens_are_ordered_by_their_last_use() {
    let api = Api::new().await;
    let mut tokens = Vec::new();
    for name in ["first", "second", "never"] {
        tokens.push(api.issue(json!({ "name": name })).await.token().to_owned());
    }
    for token in [&tokens[1], &tokens[0]] {
        api.clock.advance(Duration::from_mins(2));
        assert!(api.works(token).await);
    }
    for (sort, expected) in [
        ("last_used_at", ["second", "first", "never"]),
        ("-last_used_at", ["first", "second", "never"]),
    ] {
        assert_eq!(names(&api.get(&format!("?sort={sort}")).send().await.ok()), expected, "{sort}");
    }
}

#[tokio::test]
async fn pages_follow_one_another() {
    let api = Api::new().await;
    for n in 0..5 {
        api.issue(json!({ "name": format!("ci {n}") })).await;
    }
    let mut seen = Vec::new();
    let mut path = "?limit=2&sort=name".to_owned();
    loop {
        let page = api.get(&path).send().await.ok();
        assert_eq!(page.json["total"], 5, "the total must cover all pages");
        assert!(page.json["items"].as_array().unwrap().len() <= 2);
        seen.extend(names(&page).into_iter().map(str::to_owned));
        match page.json["next_cursor"].as_str() {
            Some(cursor) => path = format!("?limit=2&sort=name&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, ["ci 0", "ci 1", "ci 2", "ci 3", "ci 4"]);
}

#[tokio::test]
async fn cursor_works_only_for_its_own_list() {
    let api = api_with_tokens().await;
    let page = api.get("?limit=1").send().await.ok();
    let cursor = page.json["next_cursor"].as_str().unwrap();
    let with = |query: &str| format!("?{query}cursor={cursor}");
    api.get(&with("")).send().await.ok();
    api.get(&with("limit=2&")).send().await.ok();
    for query in [
        "sort=name&",
        "sort=created_at&",
        "status=active&",
        "q=a&",
        "scope=projects:read&",
        "never_used=true&",
        "unused_since=9999-01-01T00:00:00Z&",
        "previous_secret=true&",
    ] {
        api.get(&with(query)).send().await.invalid("cursor");
    }
    api.get(&with("")).by("bob").send().await.invalid("cursor");
    api.get(&with("")).by("root").send().await.invalid("cursor");
    for cursor in ["", "x", "%00", "ffffffffffffffff", &cursor[1..], &format!("{cursor}x")] {
        api.get(&format!("?cursor={cursor}")).send().await.invalid("cursor");
    }
}

#[tokio::test]
async fn invalid_list_parameters_are_rejected() {
    let api = Api::new().await;
    for (query, field) in [
        ("status=", "status"),
        ("status=ended", "status"),
        ("status=Active", "status"),
        ("sort=", "sort"),
        ("sort=owner", "sort"),
        ("sort=-", "sort"),
        ("sort=--name", "sort"),
        ("sort=name;DROP", "sort"),
        ("sort=name,created_at", "sort"),
        ("limit=", "limit"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=ten", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("scope=", "scope"),
        ("scope=a+b", "scope"),
        ("q=%00", "q"),
        ("q=%ff", "query"),
        ("%ff=1", "query"),
        ("page=2", "page"),
        ("session=hp_x", "session"),
        ("Status=active", "Status"),
        ("status[]=active", "?"),
        ("q=a&q=b", "q"),
        ("limit=5&limit=5", "limit"),
        ("=1", "?"),
        ("limit", "limit"),
        ("expires_before=", "expires_before"),
        ("expires_before=30d", "expires_before"),
        ("unused_since=", "unused_since"),
        ("unused_since=90d", "unused_since"),
        ("unused_since=2027-03-31", "unused_since"),
        ("never_used=1", "never_used"),
        ("previous_secret=", "previous_secret"),
        ("previous_secret=yes", "previous_secret"),
    ] {
        api.get(&format!("?{query}")).send().await.invalid(field);
    }
    let long = format!("?q={}", "x".repeat(1001));
    api.get(&long).send().await.invalid("q");
}

#[tokio::test]
async fn only_an_admin_lists_across_owners() {
    let api = api_with_tokens().await;
    assert_eq!(api.get("").by("root").send().await.ok().json["total"], 4);
    let bobs = api.get("?owner=bob").by("root").send().await.ok();
    assert_eq!((names(&bobs), &bobs.json["total"]), (vec!["bobs"], &json!(1)));
    assert_eq!(api.get("?owner=nobody").by("root").send().await.ok().json["total"], 0);
    api.get("?owner=").by("root").send().await.invalid("owner");
    for owner in ["bob", "alice", "", "%07"] {
        api.get(&format!("?owner={owner}")).send().await.rejected(403, "admin-only");
    }
}

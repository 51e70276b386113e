use serde_json::json;

use crate::support::{Api, UNKNOWN};

#[tokio::test]
async fn several_tokens_are_deleted_and_unknown_ids_reported() {
    let api = Api::new().await;
    let (one, two, kept) = (api.issue_ci().await, api.issue_ci().await, api.issue_ci().await);
    let bobs = api.post("").by("bob").json(&json!({ "name": "b" })).await;
    let ids = json!({ "ids": [
        "not an id", one.id(), UNKNOWN, bobs.id(), two.id().to_uppercase(), one.id(), UNKNOWN,
    ] });
    let answer = api.post("/delete").json(&ids).await.ok();
    let missing = json!(["not an id", UNKNOWN, bobs.id()]);
    assert_eq!(
        answer.json,
        json!({ "deleted": 2, "not_found": missing }),
        "ids must be listed in the order of the request"
    );
    for (issued, works) in [(&one, false), (&two, false), (&kept, true), (&bobs, true)] {
        assert_eq!(api.works(issued.token()).await, works);
    }
}

#[tokio::test]
async fn admin_deletes_tokens_of_any_owner() {
    let api = Api::new().await;
    let (alices, bobs) =
        (api.issue_ci().await, api.post("").by("bob").json(&json!({ "name": "b" })).await);
    let ids = json!({ "ids": [alices.id(), bobs.id()] });
    let answer = api.post("/delete").by("root").json(&ids).await.ok();
    assert_eq!(answer.json, json!({ "deleted": 2, "not_found": [] }));
}

#[tokio::test]
async fn delete_many_takes_1_to_100_ids() {
    let api = Api::new().await;
    for body in [
        json!({ "ids": [] }),
        json!({ "ids": vec![UNKNOWN; 101] }),
        json!({ "ids": UNKNOWN }),
        json!({ "ids": [7] }),
        json!({ "ids": [null] }),
        json!({ "ids": null }),
    ] {
        api.post("/delete").json(&body).await.invalid("ids");
    }
    api.post("/delete").json(&json!({ "ids": vec![UNKNOWN; 100] })).await.ok();
    api.post("/delete").json(&json!({ "ids": [UNKNOWN], "owner": "bob" })).await.invalid("owner");
    api.post("/delete").send().await.rejected(415, "not-json");
}

//! Request bodies that no call accepts.

use serde_json::json;

use crate::support::Api;

#[tokio::test]
async fn body_that_is_not_json_is_not_read() {
    let api = Api::new().await;
    let body = r#"{"name":"ci"}"#;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "",
        "json",
        "text/json",
        "application/+json",
        "application/jsonp",
        "application",
        "*/*",
    ] {
        let sending = api.post("").header("content-type", kind).body(body);
        sending.send().await.rejected(415, "not-json");
    }
    api.post("").body(body).send().await.rejected(415, "not-json");
    api.post("").send().await.rejected(415, "not-json");
    let twice = api.post("").header("content-type", "text/plain");
    twice.raw_json(body).await.rejected(415, "not-json");
    let compressed = api.post("").header("content-encoding", "gzip");
    compressed.raw_json(body).await.rejected(415, "not-json");
    for kind in
        ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"]
    {
        let answer = api.post("").header("content-type", kind).body(body).send().await;
        assert_eq!(answer.status, 201, "{kind}");
    }
}

#[tokio::test]
async fn malformed_body_is_a_400() {
    let api = Api::new().await;
    for body in [
        "",
        " ",
        "{",
        "{\"name\":\"ci\"",
        "{\"name\":\"ci\",}",
        "{name:\"ci\"}",
        "{'name':'ci'}",
        "{\"name\":\"ci\"} x",
        "{\"name\":\"ci\"}{}",
        "nul",
        "{\"name\":\"a\nb\"}",
        "{\"name\":\"\\x\"}",
        "\u{feff}{\"name\":\"ci\"}",
        "{\"name\":\"ci\",\"nope\":}",
        "{\"name\":01}",
        "NaN",
    ] {
        api.post("").raw_json(body).await.rejected(400, "malformed-json");
    }
    api.post("").raw_json(*b"{\"name\":\"\xff\"}").await.rejected(400, "malformed-json");
    assert_eq!(api.get("").send().await.json["total"], 0);
}

#[tokio::test]
async fn well_formed_but_invalid_body_is_a_422() {
    let api = Api::new().await;
    for (body, field) in [
        ("null", "body"),
        ("[]", "body"),
        ("[\"ci\"]", "body"),
        ("\"ci\"", "body"),
        ("7", "body"),
        ("true", "body"),
        ("{\"name\":{\"a\":1}}", "name"),
        ("{\"name\":true}", "name"),
        ("{\"name\":1e999}", "name"),
        ("{\"name\":\"\\ud800\"}", "name"),
        ("{\"name\":\"ci\",\"name\":\"ci\"}", "name"),
        ("{\"name\":\"ci\",\"n\\u0061me\":\"ci\"}", "name"),
        ("{\"name\":\"ci\",\"scopes\":[],\"scopes\":[]}", "scopes"),
        ("{\"name\":\"ci\",\"\":1}", "?"),
        ("{\"name\":\"ci\",\"__proto__\":{}}", "__proto__"),
        ("{\"name\":\"ci\",\"Name\":\"ci\"}", "Name"),
    ] {
        api.post("").raw_json(body).await.invalid(field);
    }
    assert_eq!(api.get("").send().await.json["total"], 0);
}

#[tokio::test]
async fn errors_repeat_only_names_of_fields() {
    let api = Api::new().await;
    let secret = "hp_0000000000000000000000000000000000000000000000000000000000000000000000z";
    for body in [
        json!({ "name": "ci", secret: 1 }),
        json!({ "name": "ci", "scopes": [format!("{secret} ")] }),
        json!({ "name": "ci", "expires": secret }),
        json!({ "name": "ci", "preset": secret }),
        json!({ "name": [secret] }),
        json!(secret),
    ] {
        let answer = api.post("").json(&body).await.rejected(422, "invalid");
        assert!(!answer.text.contains("hp_0000"), "{}", answer.text);
    }
}

#[tokio::test]
async fn nesting_is_rejected_at_any_depth() {
    let api = Api::new().await;
    for depth in [100, 200, 10_000, 30_000] {
        let list = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        api.post("")
            .raw_json(format!("{{\"name\":\"ci\",\"scopes\":{list}}}"))
            .await
            .rejected(422, "invalid");
        api.post("").raw_json(list).await.rejected(422, "invalid");
    }
    let unclosed = "{\"a\":".repeat(10_000);
    api.post("").raw_json(unclosed).await.rejected(400, "malformed-json");
    let list = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    api.post("").raw_json(list).await.rejected(413, "too-large");
}

#[tokio::test]
async fn size_of_every_body_is_limited() {
    let api = Api::new().await;
    let padded =
        |len: usize| format!("{{\"name\":\"ci\"{}}}", " ".repeat(len - "{\"name\":\"ci\"}".len()));
    assert_eq!(api.post("").raw_json(padded(64 * 1024)).await.status, 201);
    api.post("").raw_json(padded(64 * 1024 + 1)).await.rejected(413, "too-large");
    api.post("").raw_json(vec![b' '; 10 << 20]).await.rejected(413, "too-large");
    let id = api.issue_ci().await.id().to_owned();
    for call in ["regenerate", "revoke", "copy"] {
        let sending = api.post(&format!("/{id}/{call}")).body(vec![b' '; 10 << 20]);
        sending.send().await.rejected(413, "too-large");
    }
}

#[tokio::test]
async fn optional_body_needs_no_content_type() {
    let api = Api::new().await;
    let id = api.issue_ci().await.id().to_owned();
    for (call, status) in [("regenerate", 200), ("copy", 201), ("revoke", 200)] {
        let path = format!("/{id}/{call}");
        assert_eq!(api.post(&path).send().await.status, status, "{call}");
        assert_eq!(
            api.post(&path).raw_json("").await.status,
            status,
            "{call}, with a content type"
        );
        let typed = api.post(&path).header("content-type", "text/plain").send().await;
        assert_eq!(typed.status, status, "{call}, with another content type");
        assert_eq!(
            api.post(&path).json(&json!({})).await.status,
            status,
            "{call}, with an empty object"
        );
        api.post(&path).body("{}").send().await.rejected(415, "not-json");
        api.post(&path).raw_json("{").await.rejected(400, "malformed-json");
        api.post(&path).raw_json("null").await.invalid("body");
    }
}

#[tokio::test]
async fn incomplete_body_is_rejected() {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt;

    let api = Api::new().await;
    let broken = futures::stream::iter([Ok("{\"name\":"), Err(std::io::Error::other("reset"))]);
    let request = Request::post("/tokens")
        .header("x-person", "alice")
        .header("content-type", "application/json")
        .body(Body::from_stream(broken))
        .unwrap();
    assert_eq!(api.app.clone().oneshot(request).await.unwrap().status(), 400);
}

//! Checks that every response must pass, whatever the call.

use axum::http::{Method, StatusCode, header};
use serde_json::Value;

use super::Answer;

pub(crate) fn check(document: &Value, method: &Method, path: &str, answer: &Answer) {
    let context = format!("{method} {path}: {} {}", answer.status, answer.text);
    assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{context}");
    assert_eq!(answer.header(header::REFERRER_POLICY), "no-referrer", "{context}");
    let policy = answer.header(header::CONTENT_SECURITY_POLICY);
    assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'", "{context}");
    if method == Method::HEAD {
        assert!(answer.text.is_empty(), "{context}");
        return;
    }
    let keeps = path.starts_with("/openapi.json") && answer.status == StatusCode::OK;
    let cache = if keeps { "no-cache" } else { "no-store" };
    assert_eq!(answer.header(header::CACHE_CONTROL), cache, "{context}");
    if !path.starts_with("/openapi.json") {
        holds_no_digest(&answer.json, &context);
    }
    let problem = answer.status.is_client_error() || answer.status.is_server_error();
    if problem {
        problem_is_well_formed(answer, &context);
    } else if answer.status == StatusCode::NO_CONTENT {
        assert!(answer.text.is_empty(), "{context}");
    } else {
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/json", "{context}");
    }
    match operation(document, method, path) {
        Some(operation) => is_documented(operation, answer, &context),
        None => assert!(
            matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED),
            "{context}"
        ),
    }
}

fn holds_no_digest(value: &Value, context: &str) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                for secret in ["digest", "secret", "hash"] {
                    let is_time = name == "previous_secret_expires_at";
                    assert!(is_time || !name.contains(secret), "{context}");
                }
                holds_no_digest(value, context);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| holds_no_digest(item, context)),
        _ => {}
    }
}

fn problem_is_well_formed(answer: &Answer, context: &str) {
    assert_eq!(answer.header(header::CONTENT_TYPE), "application/problem+json", "{context}");
    assert_eq!(answer.json["status"], answer.status.as_u16(), "{context}");
    for text in ["type", "title", "detail"] {
        assert!(answer.json[text].as_str().is_some_and(|text| !text.is_empty()), "{context}");
    }
    let retry = answer.headers.get(header::RETRY_AFTER).map(|value| value.to_str().unwrap());
    let seconds: Option<u32> = retry.map(|value| value.parse().unwrap());
    let longest = match answer.status {
        StatusCode::SERVICE_UNAVAILABLE => Some(3),
        StatusCode::TOO_MANY_REQUESTS => Some(15 * 60),
        _ => None,
    };
    let waits = seconds.map(|seconds| (1..=longest.unwrap_or(0)).contains(&seconds));
    assert_eq!(waits, longest.map(|_| true), "{context}");
    assert_eq!(answer.json["errors"].is_array(), answer.status == 422, "{context}");
}

/// Returns the operation of this call in the document, if it is documented.
fn operation<'d>(document: &'d Value, method: &Method, path: &str) -> Option<&'d Value> {
    let path = path.split('?').next().unwrap_or_default();
    let path_segments: Vec<_> =
        if path.is_empty() { vec!["", ""] } else { path.split('/').collect() };
    let paths = document["paths"].as_object()?;
    let fits = |template: &str, literally: bool| {
        let segments: Vec<_> = template.split('/').collect();
        segments.len() == path_segments.len()
            && segments.iter().zip(&path_segments).all(|(segment, value)| {
                segment == value || (!literally && segment.starts_with('{') && !value.is_empty())
            })
    };
    let item = paths
        .iter()
        .find(|(template, _)| fits(template, true))
        .or_else(|| paths.iter().find(|(template, _)| fits(template, false)))?;
    item.1.get(method.as_str().to_lowercase())
}

fn is_documented(operation: &Value, answer: &Answer, context: &str) {
    let documented = &operation["responses"][answer.status.as_str()];
    assert!(documented.is_object(), "the status is not documented: {context}");
    if let Some(kind) = answer.json["type"].as_str() {
        let description = documented["description"].as_str().unwrap();
        assert!(
            description.contains(&format!("`{kind}`")),
            "the problem is not documented: {context}"
        );
    }
    for (name, _) in documented["headers"].as_object().into_iter().flatten() {
        assert!(answer.headers.contains_key(name), "{name} is documented and missing: {context}");
    }
}

//! Each small example of the folder `examples`, over a real socket.

mod example;
mod live;
mod nginx;

use std::path::Path;

use hallpass_servers::Postgres;
use sha2::Digest as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use self::example::Example;

/// The maximum number of lines of code of a small example, without comments and blank lines.
const LONGEST: usize = 79;

#[test]
fn each_example_is_short_and_has_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let tests = [include_str!("main.rs"), include_str!("live.rs"), include_str!("nginx.rs")];
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        let lines = text.lines().filter(is_code).count();
        assert!(lines <= LONGEST, "{name} has {lines} lines of code");
        let start = format!("Example::start(\"{name}\"");
        assert!(tests.iter().any(|test| test.contains(&start)), "{name} has no test");
        count += 1;
    }
    assert!(count >= 10, "{count} examples");
}

#[tokio::test]
async fn minimal_enforces_the_scope_of_its_route() {
    let example = Example::start("minimal", &[]).await;
    assert_eq!(example.text("GET /projects", &example.token).await, "the projects of alice\n");
    let by_query = format!("GET /projects?session={}", example.token);
    assert_eq!(example.status(&by_query, "").await, 200);
    assert_eq!(example.status("GET /projects", "").await, 401);
}

#[tokio::test]
async fn own_login_example_manages_tokens() {
    let example = Example::start("own_login", &[]).await;
    assert_eq!(example.status("GET /tokens", "").await, 401);
    let url = |path: &str| format!("http://{}{path}", example.address);
    let policy = reqwest::redirect::Policy::none();
    let client = reqwest::Client::builder().redirect(policy).build().unwrap();
    let sign_in = async |password: &str| {
        let form = [("name", "alice"), ("password", password)];
        client.post(url("/login")).form(&form).send().await.unwrap()
    };
    assert_eq!(sign_in("guess").await.status(), 401);
    let answer = sign_in("wonderland").await;
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    let issue = async |scope: &str| {
        let body = format!(r#"{{"name": "ci", "scopes": ["{scope}"]}}"#);
        let request = client.post(url("/tokens")).header("cookie", cookie);
        let request = request.header("content-type", "application/json").body(body);
        request.send().await.unwrap()
    };
    assert_eq!(issue("projects:delete").await.status(), 403, "she may not grant it");
    let issued = issue("projects:list").await;
    assert_eq!(issued.status(), 201);
    let issued: serde_json::Value = issued.json().await.unwrap();
    assert_eq!(issued["owner"], "alice");
    let page = client.get(url("/settings/tokens")).header("cookie", cookie).send().await.unwrap();
    assert_eq!(page.status(), 200);
}

#[tokio::test]
async fn session_or_token_accepts_both_on_one_route() {
    let example = Example::start("session_or_token", &[]).await;
    let text = example.text("GET /projects", &example.token).await;
    assert_eq!(text, "the projects of alice, by a token\n");
    assert_eq!(example.status("GET /projects", "").await, 401);

    let answer = example.send("POST /login/bob", "").await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    let url = format!("http://{}/projects", example.address);
    let client = reqwest::Client::new();
    let by_session = client.get(&url).header("cookie", cookie).send().await.unwrap();
    assert_eq!(by_session.text().await.unwrap(), "the projects of bob, by a session\n");
    let create = client.post(&url).header("cookie", cookie);
    let forged = create.header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!(forged.status(), 403, "a page of another site sent it");
}

#[tokio::test]
async fn postgres_pool_keeps_tokens_in_the_database_of_the_service() {
    let server = Postgres::start().expect("a PostgreSQL server");
    let example = Example::start("postgres_pool", &[server.url()]).await;
    let url = format!("http://{}/notes", example.address);
    let request = reqwest::Client::new().post(url).bearer_auth(&example.token).body("milk");
    assert_eq!(request.send().await.unwrap().status(), 201);
    assert_eq!(example.text("GET /notes", &example.token).await, "milk\n");
    let query = "SELECT t.name FROM notes n JOIN hallpass.tokens t ON t.id = n.token";
    assert_eq!(server.run(query).unwrap(), "first");
}

#[tokio::test]
async fn plain_hyper_serves_what_its_table_allows() {
    let example = Example::start("plain_hyper", &[]).await;
    assert_eq!(example.text("GET /health", "").await, "hello nobody\n");
    assert_eq!(example.text("GET /projects/atlas", &example.token).await, "hello alice\n");
    for (request, expected) in
        [("GET /projects/borealis", 403), ("DELETE /projects/atlas", 403), ("GET /other", 403)]
    {
        assert_eq!(example.status(request, &example.token).await, expected, "{request}");
    }
    assert_eq!(example.status("GET /projects/atlas", "").await, 401);
}

#[tokio::test]
async fn grpc_responses_have_grpc_statuses() {
    let example = Example::start("grpc", &[]).await;
    let url = format!("http://{}", example.address);
    let channel = Channel::from_shared(url).unwrap().connect().await.unwrap();
    let mut client = HealthClient::new(channel);
    let ask = || HealthCheckRequest { service: String::new() };
    client.check(ask()).await.expect("anybody may check");
    assert_eq!(client.watch(ask()).await.unwrap_err().code(), Code::Unauthenticated);
    let mut request = tonic::Request::new(ask());
    let bearer = format!("Bearer {}", example.token).parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    client.watch(request).await.expect("the token may watch");
}

#[tokio::test]
async fn old_keys_work_until_they_are_exchanged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.db");
    let example = Example::start("old_keys", &[file.to_str().unwrap()]).await;
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(&file)).await.unwrap();
    for key in ["old-key-of-alice", "old-key-of-bob"] {
        let hash = sha2::Sha256::digest(key).to_vec();
        let insert = sqlx::query("INSERT INTO api_keys VALUES (?, ?, 'projects:list')").bind(hash);
        let owner = key.rsplit('-').next().unwrap();
        insert.bind(owner).execute(&pool).await.unwrap();
    }
    pool.close().await;

    assert_eq!(example.status("GET /projects", "old-key-of-alice").await, 200);
    assert_eq!(example.status("GET /projects", "made-up").await, 401);
    let token = example.text("POST /exchange", "old-key-of-alice").await;
    assert!(token.starts_with("acme_"), "{token}");
    assert_eq!(example.status("GET /projects", &token).await, 200);
    assert_eq!(example.status("GET /projects", "old-key-of-alice").await, 401);
    assert_eq!(example.status("GET /projects", "old-key-of-bob").await, 200);
    assert_eq!(example.status("POST /exchange", &token).await, 409);
}

#[tokio::test]
async fn custom_store_returns_503_for_changes_during_maintenance() {
    let example = Example::start("custom_store", &[]).await;
    assert_eq!(example.status("POST /close", &example.token).await, 200);
    assert_eq!(example.status("DELETE /tokens/current", &example.token).await, 503);
    assert_eq!(example.status("GET /projects", &example.token).await, 200);
}

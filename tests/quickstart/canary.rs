//! Tests that a secret is only in the response that issues it.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Call, Issued, Protocol, TestDir, User};

/// The number of consecutive characters of a secret that count as a leak.
const LEAK: usize = 12;

/// All parts of `LEAK` characters of all secrets, each with its token.
#[derive(Default)]
struct Secrets {
    parts: HashMap<Vec<u8>, String>,
}

impl Secrets {
    /// Adds the secret of a token: the 43 characters between its id and its checksum.
    fn add(&mut self, token: &str) {
        let (_, rest) = token.split_once('_').expect("a prefix");
        let secret = &rest.as_bytes()[22..22 + 43];
        let parts = secret.windows(LEAK).map(|part| (part.to_vec(), token.to_owned()));
        self.parts.extend(parts);
    }

    /// Returns the tokens whose secrets have a part in the bytes.
    fn found_in(&self, bytes: &[u8]) -> BTreeSet<&str> {
        bytes.windows(LEAK).filter_map(|part| self.parts.get(part)).map(String::as_str).collect()
    }

    /// Checks that a response contains no part of a secret.
    #[track_caller]
    fn are_not_in(&self, answer: &Answer) {
        assert!(self.found_in(answer.body.as_bytes()).is_empty(), "{answer:?}");
        for (name, value) in &answer.headers {
            assert!(self.found_in(value.as_bytes()).is_empty(), "{name}: {value:?}");
        }
    }
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[tokio::test]
async fn no_secret_is_in_the_output_or_in_the_files() {
    let dir = TestDir::new();
    let mut server = dir.start(&["--limit", "6"]).await;
    let first = server.first_token().await;
    let mut tokens = vec![first.clone()];
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    for protocol in Protocol::BOTH {
        let alice = alice.through(server.client(protocol));
        alice.delete_all().await;
        let issued = alice.issue(&["projects:list"]).await;
        let old = alice.regenerate(&issued.id, json!({ "grace_period": "1h" })).await;
        let again = alice.regenerate(&issued.id, Value::Null).await;
        let copy =
            alice.post(&format!("/tokens/{}/copy", issued.id), Value::Null).await.expect(201);
        tokens.extend([issued, old, again, Issued::of(&copy)].map(|issued| issued.token));
    }
    let mut secrets = Secrets::default();
    for token in &tokens {
        secrets.add(token);
    }

    for protocol in Protocol::BOTH {
        let alice = alice.through(server.client(protocol));
        for token in &tokens {
            for call in uses_and_mistakes(&alice, token) {
                secrets.are_not_in(&call.answer().await);
            }
        }
        for path in ["/", "/tokens", "/tokens/scopes", "/tokens/openapi.json"] {
            secrets.are_not_in(&alice.get(path).await.expect(200));
        }
    }

    let database = dir.database();
    let beside = ["-wal", "-shm"].map(|end| format!("{}{end}", database.display()));
    let mut files: Vec<_> = beside.iter().map(|path| read(path.as_ref())).collect();
    files.push(read(&database));
    let output = server.stop().await;
    files.extend(dir.files().iter().map(|name| read(&dir.path().join(name))));

    let name = b"a token of the tests";
    let holds_name = |bytes: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    assert!(files.iter().any(|bytes| holds_name(bytes)), "no file contains the name of a token");
    for bytes in &files {
        assert_eq!(secrets.found_in(bytes), BTreeSet::new());
    }
    assert_eq!(secrets.found_in(output.stderr.as_bytes()), BTreeSet::new());
    assert_eq!(
        secrets.found_in(output.stdout.as_bytes()),
        BTreeSet::from([&*first]),
        "the output must contain only the first token"
    );
}

/// Returns requests with a token: valid uses, invalid uses, and mistakes with the token in a wrong
/// place.
fn uses_and_mistakes(alice: &User, token: &str) -> Vec<Call> {
    let client = &alice.client;
    let wrong = json!({ "name": 1, "token": token });
    let short = &token[..token.len() - 1];
    vec![
        client.get("/api/projects").bearer(token),
        client.get(&format!("/api/projects?session={token}")),
        client.get(&format!("/api/projects?session={token}&session={token}")),
        client.get("/api/projects").bearer(short),
        client.get("/api/projects").header("authorization", token),
        client.post("/api/projects/atlas/publish").bearer(token),
        client.get("/tokens/current").bearer(token),
        client.get("/tokens").bearer(token),
        client.get(&format!("/api/projects/{token}")),
        client.post("/login").form(&[("username", token)]),
        alice.call(Method::GET, &format!("/tokens?session={token}")),
        alice.call(Method::GET, &format!("/tokens/{token}")),
        alice.call(Method::POST, "/tokens").json(&wrong),
    ]
}

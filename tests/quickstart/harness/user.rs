use http::Method;
use serde_json::{Value, json};

use super::{Answer, Call, Client};

/// A signed-in user.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) client: Client,
    /// The session cookie as `name=value`.
    pub(crate) cookie: String,
}

/// An issued token with its secret.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) id: String,
    pub(crate) token: String,
}

impl User {
    pub(super) async fn sign_in(client: &Client, name: &str) -> Self {
        let password = match name {
            "alice" => "wonderland",
            "bob" => "builder",
            "root" => "toor",
            unknown => panic!("unknown user {unknown}"),
        };
        let answer = client.sign_in_with(name, password).answer().await.expect(303);
        Self { client: client.clone(), cookie: answer.cookie().0 }
    }

    /// Returns the same user and session with another client.
    pub(crate) fn through(&self, client: Client) -> Self {
        Self { client, cookie: self.cookie.clone() }
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        self.client.call(method, path).cookie(&self.cookie)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).answer().await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path).answer().await
    }

    /// Deletes all tokens of this user and returns their number.
    pub(crate) async fn delete_all(&self) -> u64 {
        let answer = self.post("/tokens/delete", json!({ "all": true })).await.expect(200);
        answer.json()["deleted"].as_u64().expect("a number")
    }

    /// Sends a POST request. If `body` is `null`, the request has no body.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        let call = self.call(Method::POST, path);
        let call = if body.is_null() { call } else { call.json(&body) };
        call.answer().await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path).json(&body).answer().await
    }

    /// Issues a token with these scopes.
    pub(crate) async fn issue(&self, scopes: &[&str]) -> Issued {
        let body = json!({ "name": "a token of the tests", "scopes": scopes });
        Issued::of(&self.post("/tokens", body).await.expect(201))
    }

    /// Regenerates a token.
    pub(crate) async fn regenerate(&self, id: &str, body: Value) -> Issued {
        Issued::of(&self.post(&format!("/tokens/{id}/regenerate"), body).await.expect(200))
    }

    pub(crate) async fn revoke(&self, id: &str) -> Value {
        self.post(&format!("/tokens/{id}/revoke"), Value::Null).await.expect(200).json()
    }

    /// Returns a token as the API shows it.
    pub(crate) async fn show(&self, id: &str) -> Value {
        self.get(&format!("/tokens/{id}")).await.expect(200).json()
    }

    /// Reads all pages of the token list and returns the tokens in the order of the API.
    pub(crate) async fn all(&self) -> Vec<Value> {
        let mut all = Vec::new();
        let mut path = "/tokens?limit=100".to_owned();
        loop {
            let mut page = self.get(&path).await.expect(200).json();
            all.append(page["items"].as_array_mut().expect("items"));
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("/tokens?limit=100&cursor={cursor}"),
                None => {
                    assert_eq!(
                        page["total"],
                        all.len(),
                        "the total differs from the number of listed tokens"
                    );
                    return all;
                }
            }
        }
    }
}

impl Issued {
    #[track_caller]
    pub(crate) fn of(answer: &Answer) -> Self {
        let token = answer.json();
        let text = |member: &str| token[member].as_str().expect(member).to_owned();
        Self { id: text("id"), token: text("token") }
    }
}

use http::Method;
use serde_json::{Value, json};

use super::{Answer, Call, Client};

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) client: Client,
    /// As a browser sends it: `name=value`.
    pub(crate) cookie: String,
}

/// A token with its secret.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) id: String,
    pub(crate) token: String,
}

impl Person {
    pub(super) async fn sign_in(client: &Client, name: &str) -> Self {
        let password = match name {
            "alice" => "wonderland",
            "bob" => "builder",
            "root" => "toor",
            nobody => panic!("nobody is called {nobody}"),
        };
        let answer = client.sign_in_with(name, password).answer().await.expect(303);
        Self { client: client.clone(), cookie: answer.cookie().0 }
    }

    /// The same person, through another client: a browser's other connection.
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

    /// Deletes all of this person's own tokens, and returns how many there were.
    pub(crate) async fn delete_all(&self) -> u64 {
        let answer = self.post("/tokens/delete", json!({ "all": true })).await.expect(200);
        answer.json()["deleted"].as_u64().expect("a number")
    }

    /// Without a body if it is `null`.
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

    /// Gives a token a new secret.
    pub(crate) async fn regenerate(&self, id: &str, body: Value) -> Issued {
        Issued::of(&self.post(&format!("/tokens/{id}/regenerate"), body).await.expect(200))
    }

    pub(crate) async fn revoke(&self, id: &str) -> Value {
        self.post(&format!("/tokens/{id}/revoke"), Value::Null).await.expect(200).json()
    }

    /// The token as the API shows it.
    pub(crate) async fn show(&self, id: &str) -> Value {
        self.get(&format!("/tokens/{id}")).await.expect(200).json()
    }

    /// All that the person sees, page by page, in the order that the API gives.
    pub(crate) async fn all(&self) -> Vec<Value> {
        let mut all = Vec::new();
        let mut path = "/tokens?limit=100".to_owned();
        loop {
            let mut page = self.get(&path).await.expect(200).json();
            all.append(page["items"].as_array_mut().expect("items"));
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("/tokens?limit=100&cursor={cursor}"),
                None => {
                    assert_eq!(page["total"], all.len(), "the total is what the pages hold");
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

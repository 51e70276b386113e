//! Tests the `hallpass` command with PostgreSQL and Redis. The tests of its crate cover SQLite.
//! [`incidents`] runs the commands of the page on incidents.

mod incidents;

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use hallpass_core::Hallpass;
use hallpass_core::store::TokenStore;
use hallpass_postgres::PostgresStore;
use hallpass_redis::RedisStore;
use hallpass_servers::{Postgres, Redis};
use serde_json::Value;

/// The command, with the URL of a store for `HALLPASS_STORE`.
struct Cli {
    store: String,
}

impl Cli {
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(program());
        command.args(arguments).env("HALLPASS_STORE", &self.store).env("HALLPASS_PREFIX", "hp");
        let output = command.output().expect("the command starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        let code = output.status.code().expect("a signal ended the command");
        (code, text(output.stdout), text(output.stderr))
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let (code, stdout, stderr) = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(code, 0, "{stderr}");
        serde_json::from_str(&stdout).expect("JSON")
    }

    #[track_caller]
    fn fails(&self, arguments: &[&str], code: i32) -> String {
        let (ended, stdout, stderr) = self.run(arguments);
        assert_eq!((ended, stdout.as_str()), (code, ""), "{stderr}");
        stderr
    }
}

/// Returns the path of the command.
fn program() -> &'static PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| hallpass_tests::built::program("--bin", "hallpass"))
}

/// Creates, changes and deletes tokens with the command, and checks them with a service on the same
/// store.
async fn manage_tokens(cli: &Cli, store: impl TokenStore) {
    let service = Hallpass::builder(store).build();
    let works = async |token: &str| service.authenticate(token.as_bytes()).await.is_ok();
    let issue = ["issue", "--owner", "alice", "--name", "ci", "--scope", "projects:read"];
    let issued = cli.json(&issue);
    let (id, first) = (issued["id"].as_str().unwrap(), issued["token"].as_str().unwrap());
    assert!(works(first).await);

    let updated = cli.json(&["update", id, "--name", "cd", "--add-scope", "projects:list"]);
    assert_eq!((updated["name"].as_str(), updated["revision"].as_u64()), (Some("cd"), Some(2)));
    assert!(cli.fails(&["update", id, "--name", "x", "--revision", "1"], 4).contains("revision 2"));
    let second = cli.json(&["regenerate", id])["token"].as_str().unwrap().to_owned();
    assert!(works(&second).await && !works(first).await);
    cli.json(&["copy", id, "--name", "copy"]);
    assert!(
        cli.fails(&[&issue[..], &["--tokens-per-owner", "2"]].concat(), 4).contains("2 tokens")
    );
    let listed = cli.json(&["list", "--sort", "name", "--search", "C"]);
    let names: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
    assert_eq!(names, ["cd", "copy"]);

    cli.json(&["revoke", id]);
    assert!(!works(&second).await);
    assert_eq!(cli.json(&["list", "--status", "revoked"])["items"][0]["id"], id);
    assert_eq!(cli.json(&["prune", "--yes"])["pruned"], 0);
    assert_eq!(cli.json(&["delete", "--yes", "--owner", "alice"])["deleted"], 2);
    cli.fails(&["show", id], 3);
    service.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_managed_in_postgresql() {
    let server = Postgres::start().expect("a PostgreSQL server");
    let cli = Cli { store: server.url().to_owned() };
    assert!(cli.fails(&["list"], 1).contains("`hallpass migrate`"));
    cli.json(&["migrate"]);
    cli.json(&["migrate"]);
    let store = PostgresStore::connect(server.url()).await.expect("the store opens");
    manage_tokens(&cli, store).await;
    server.stop().expect("the server stops");
    let error = cli.fails(&["list"], 1);
    assert!(error.starts_with("hallpass: ") && error.contains("cannot be reached"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_managed_in_redis() {
    let server = Redis::start().expect("a Redis server");
    let cli = Cli { store: server.url().to_owned() };
    assert!(cli.fails(&["list"], 1).contains("`hallpass migrate`"));
    cli.json(&["migrate"]);
    let store = RedisStore::connect(server.url()).await.expect("the store opens");
    manage_tokens(&cli, store).await;
    let other = ["--redis-namespace", "other"];
    let issue = [&["issue", "--owner", "alice", "--name", "ci"][..], &other].concat();
    assert!(cli.fails(&issue, 1).contains("check --redis-namespace"), "a typo creates no store");
    cli.json(&[&["migrate"][..], &other].concat());
    cli.json(&issue);
    assert_eq!(cli.json(&["list", "--redis-namespace", "other"])["total"], 1);
    assert_eq!(cli.json(&["list"])["total"], 0);
    server.stop().expect("the server stops");
    assert!(cli.fails(&["list"], 1).starts_with("hallpass: "));
}

//! Every command of `docs/incidents.md`, in the order of the page.

use std::path::Path;
use std::process::Command;

use hallpass_core::{Actor, Hallpass, NewToken};
use hallpass_sqlite::SqliteStore;
use tempfile::TempDir;

/// A folder with the store of a service, as the page assumes it.
struct Place(TempDir);

impl Place {
    async fn service(&self) -> Hallpass {
        let store = SqliteStore::open(self.0.path().join("tokens.db")).await.expect("it opens");
        Hallpass::builder(store).prefix("acme").build()
    }

    async fn works(&self, token: &str) -> bool {
        self.service().await.authenticate(token.as_bytes()).await.is_ok()
    }

    /// Runs a block of commands after those before it, as a person does in one shell.
    fn run(&self, commands: &str) {
        let folder = super::program().parent().expect("it is in a folder");
        let path = std::env::join_paths([folder, Path::new("/usr/bin"), Path::new("/bin")]);
        let mut shell = Command::new("sh");
        shell.args(["-euc", commands]).current_dir(self.0.path()).env("PATH", path.unwrap());
        let output = shell.output().expect("sh starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{commands}");
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.path().join(file)).expect(file)
    }
}

/// The blocks of commands of a page.
fn blocks(page: &str) -> Vec<&str> {
    let opened = page.split("```sh\n").skip(1);
    opened.map(|block| block.split("```").next().expect("its end")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_command_of_the_page_on_incidents_works() {
    let blocks = blocks(include_str!("../../docs/incidents.md"));
    let place = Place(tempfile::tempdir().unwrap());
    let service = place.service().await;
    let issue = async |owner: &str| {
        let issued = service.issue(&Actor::owner(owner), NewToken::named("ci")).await.unwrap();
        (issued.record.id, issued.token.reveal().to_owned())
    };
    let (id, leaked) = issue("alice").await;
    let (_, others) = issue("alice").await;
    let (_, bobs) = issue("bob").await;
    std::fs::write(place.0.path().join("leaked.txt"), &leaked).unwrap();

    let mut so_far = String::new();
    let mut run = |block: usize| {
        so_far += blocks[block];
        place.run(&so_far);
    };
    run(0);
    run(1);
    assert!(!place.works(&leaked).await && place.works(&others).await);
    run(2);
    let trail = place.read("leaked-token.jsonl");
    assert!(trail.contains(&id.to_string()) && trail.contains(r#""kind":"revoked""#), "{trail}");
    run(3);
    assert!(!place.works(&others).await && place.works(&bobs).await);
    run(4);
    assert!(place.read("gitleaks-rule.toml").contains("acme_"));
    run(5);
    assert!(!place.works(&bobs).await);
    assert!(place.read("tokens-before.json").contains("bob"));
    run(6);
    let pepper = place.read("pepper-2027");
    assert_eq!(pepper.len(), 64, "{pepper}");
    run(7);
    assert_eq!(place.read("moved.jsonl"), "");
    run(8);
    let check = place.read("check.txt");
    assert!(!place.works(check.trim()).await, "the service has no pepper yet");
    let store = SqliteStore::open(place.0.path().join("tokens.db")).await.unwrap();
    let peppered =
        Hallpass::builder(store).prefix("acme").pepper("2027", place.read("pepper-2027"));
    assert!(peppered.build().authenticate(check.trim().as_bytes()).await.is_ok());
    assert_eq!(blocks.len(), 9, "each block is run");
}

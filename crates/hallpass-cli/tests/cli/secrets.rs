//! Tests that secrets stay out of messages, output and the store.

use crate::harness::{Ended, Place};

#[test]
fn token_in_an_argument_is_rejected_and_never_repeated() {
    let place = Place::new();
    let token = place.issue(&[]).token;
    let equals = format!("--name={token}");
    let member = format!("--metadata=key={token}");
    // With a key, the checksum is another one.
    let keyed = format!("{}abcdef", &token[..token.len() - 6]);
    for arguments in [
        &["inspect", token.as_str()][..],
        &["show", &token],
        &[&token],
        &["revoke", &token],
        &["issue", "--owner", "alice", "--name", &token],
        &["issue", "--owner", "alice", &equals],
        &["issue", "--owner", "alice", "--name", "ci", &member],
        &["list", "--status", &token],
        &["--store", &token, "list"],
        &["inspect", &format!("Bearer {token}")],
        &["inspect", &format!("{token},")],
        &["inspect", &keyed],
        &["regenerate", "x", "--revision", &format!("x{token}")],
    ] {
        let ended = place.run(arguments);
        let message = ended.failed(2);
        assert!(message.contains("an argument contains a token"), "{message}");
        assert!(!ended.stderr.contains(&token[3..token.len() - 6]), "{arguments:?}");
    }
    assert!(place.works(&token), "the rejected command must change nothing");
}

#[test]
fn password_in_a_store_url_is_never_repeated() {
    let place = Place::empty();
    for url in [
        "postgres://user:hunter2@127.0.0.1:1/db",
        "postgres://user:hunter2@@@/db?nonsense=1",
        "redis://:hunter2@127.0.0.1:1/",
        "redis://:hunter2@",
        "mysql://user:hunter2@host/db",
        "sqlite:hunter2?x",
        "hunter2",
    ] {
        for arguments in
            [&["list"][..], &["migrate"], &["list", "--help"], &["--help"], &["nonsense"]]
        {
            let ended = Ended::of(place.command(arguments).env("HALLPASS_STORE", url));
            let text = format!("{}{}", ended.stdout, ended.stderr);
            // A file name is not a secret.
            assert!(
                url.starts_with("sqlite:") || !text.contains("hunter2"),
                "{url} {arguments:?}: {text}"
            );
        }
        let ended = place.run(&["list", "--store", url]);
        assert!((1..=2).contains(&ended.code), "{ended:?}");
        assert!(url.starts_with("sqlite:") || !ended.stderr.contains("hunter2"), "{ended:?}");
    }
}

#[test]
fn store_url_in_the_wrong_place_is_never_repeated() {
    let place = Place::new();
    for url in ["postgres://user:hunter2@host/db", "postgres://host/db?user=u&password=hunter2"] {
        let equals = format!("--limit={url}");
        for arguments in [
            &[url][..],
            &["migrate", url],
            &["list", url],
            &["list", "--stroe", url],
            &["list", "--limit", url],
            &["list", &equals],
            &["list", "--status", url],
        ] {
            let ended = place.run(arguments);
            assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
            assert!(!ended.stderr.contains("hunter2"), "{arguments:?}: {}", ended.stderr);
        }
    }
}

#[test]
fn no_secret_is_stored_or_printed_later() {
    let place = Place::new();
    let issued = place.issue(&["--scope", "a"]);
    let second = place.run(&["regenerate", &issued.id]).done().stdout.trim().to_owned();
    let mut later = String::new();
    for arguments in [
        &["show", issued.id.as_str()][..],
        &["show", &issued.id, "--json"],
        &["list"],
        &["list", "--json"],
        &["update", &issued.id, "--name", "x", "--json"],
        &["revoke", &issued.id],
    ] {
        let ended = place.run(arguments).done();
        later.push_str(&ended.stdout);
        later.push_str(&ended.stderr);
    }
    let files = std::fs::read_dir(place.path()).expect("cannot read the directory");
    let kept = files
        .map(|file| std::fs::read(file.expect("a file").path()).expect("cannot read the file"));
    let kept: Vec<u8> = kept.flatten().collect();
    for token in [&issued.token, &second] {
        let secret = &token[3 + 22..][..43];
        assert!(!later.contains(secret), "{later}");
        assert!(!kept.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}

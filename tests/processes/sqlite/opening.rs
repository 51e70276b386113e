use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use hallpass_core::store::TokenStore as _;
use hallpass_sqlite::{ConnectError, SqliteStore};
use hallpass_tests::tokens::{event, token};
use sqlx::Connection as _;

use super::{open, place, run, stranger};

/// Returns the contents of all files in the directory.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            (path.clone(), fs::read(path).unwrap_or_default())
        })
        .collect()
}

/// Fails unless opening returns an error with this sentence about the path and changes nothing.
async fn rejected(path: &Path, sentence: &str) -> ConnectError {
    let directory = path.parent().expect("a directory");
    let before = directory.exists().then(|| contents(directory));
    let error = SqliteStore::open(path).await.expect_err("the path must be rejected");
    let told = error.to_string();
    assert!(told.contains(sentence), "{told}");
    assert!(
        !told.contains('\n') && told.contains(": "),
        "the message must be one sentence that explains what to do: {told}"
    );
    let after = directory.exists().then(|| contents(directory));
    assert!(after == before, "files were changed: {:?}", after.map(BTreeMap::into_keys));
    error
}

#[tokio::test]
async fn path_without_a_directory_is_rejected() {
    let (directory, path) = place();
    let missing = directory.path().join("not/there/tokens.db");
    let error = rejected(&missing, "create it, or use another path").await;
    assert!(error.to_string().contains("not/there"), "{error}");
    fs::write(&path, "a file").unwrap();
    let below_a_file = path.join("tokens.db");
    let error =
        SqliteStore::open(&below_a_file).await.expect_err("a path below a file must be rejected");
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("cannot be opened"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"a file");
    for nothing in ["", "\0"] {
        assert!(SqliteStore::open(nothing).await.is_err(), "{nothing:?}");
    }
}

#[tokio::test]
async fn directory_is_rejected() {
    let (directory, _) = place();
    let path = directory.path().join("tokens.db");
    fs::create_dir(&path).unwrap();
    let error = rejected(&path, "is not a regular file").await;
    assert!(matches!(error, ConnectError::NotAFile { .. }), "{error:?}");
}

#[tokio::test]
async fn read_only_file_is_rejected() {
    let (_directory, path) = place();
    open(&path).await.close().await;
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    let error = rejected(&path, "is read-only").await;
    assert!(matches!(error, ConnectError::ReadOnly { .. }), "{error:?}");
}

#[tokio::test]
async fn file_that_is_not_a_database_is_rejected() {
    let (_directory, path) = place();
    for content in
        [&b"x"[..], b"SQLite format 4\0", &[0; 5_000], "no database ".repeat(9_000).as_bytes()]
    {
        fs::write(&path, content).unwrap();
        let error = rejected(&path, "is not a SQLite database").await;
        assert!(matches!(error, ConnectError::NotADatabase { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn database_of_another_application_is_rejected() {
    let strangers = [
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users (name) VALUES ('x')",
        "CREATE TABLE hallpass_tokens (id TEXT)",
        "PRAGMA application_id = 7",
        "PRAGMA user_version = 1",
        "PRAGMA journal_mode = wal; CREATE TABLE users (id INTEGER PRIMARY KEY)",
    ];
    for statements in strangers {
        let (_directory, path) = place();
        let mut connection = stranger(&path).await;
        run(&mut connection, statements).await;
        connection.close().await.unwrap();
        let error = rejected(&path, "is the database of another application").await;
        assert!(matches!(error, ConnectError::Foreign { .. }), "{statements}: {error:?}");
    }
}

#[tokio::test]
async fn database_of_another_application_in_use_is_rejected() {
    let (_directory, path) = place();
    let mut connection = stranger(&path).await;
    // All data is still in the write-ahead log.
    run(&mut connection, "PRAGMA journal_mode = wal; CREATE TABLE users (id INTEGER)").await;
    let before = fs::read(&path).unwrap();
    let error = SqliteStore::open(&path)
        .await
        .expect_err("another application's database must be rejected");
    assert!(matches!(error, ConnectError::Foreign { .. }), "{error:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
    run(&mut connection, "INSERT INTO users VALUES (1)").await;
}

#[tokio::test]
async fn newer_schema_is_rejected() {
    let (_directory, path) = place();
    open(&path).await.close().await;
    let mut connection = stranger(&path).await;
    run(
        &mut connection,
        "UPDATE hallpass_schema SET version = 99; ALTER TABLE hallpass_tokens ADD COLUMN new TEXT",
    )
    .await;
    connection.close().await.unwrap();
    let error = rejected(&path, "was written by a newer version of Hallpass (schema 99").await;
    assert!(matches!(error, ConnectError::Newer { found: 99, .. }), "{error:?}");
    // This also applies while the newer version runs and its changes are still in the write-ahead
    // log.
    let mut connection = stranger(&path).await;
    run(&mut connection, "UPDATE hallpass_schema SET version = 100").await;
    let error = SqliteStore::open(&path).await.expect_err("a newer schema must be rejected");
    assert!(matches!(error, ConnectError::Newer { found: 100, .. }), "{error:?}");
}

#[tokio::test]
async fn damaged_database_is_rejected() {
    let (_directory, path) = place();
    open(&path).await.close().await;
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..4_096].fill(0xA5);
    fs::write(&path, &bytes).unwrap();
    let error = SqliteStore::open(&path).await.expect_err("a damaged database must be rejected");
    assert!(matches!(error, ConnectError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("is damaged: restore it"), "{error}");
    assert!(fs::read(&path).unwrap() == bytes, "the file was changed");
}

#[tokio::test]
async fn locked_database_is_rejected_in_bounded_time() {
    let (_directory, path) = place();
    open(&path).await.close().await;
    let mut connection = stranger(&path).await;
    run(&mut connection, "BEGIN IMMEDIATE").await;
    let error = SqliteStore::open(&path).await.expect_err("a locked database must be rejected");
    assert!(matches!(error, ConnectError::Locked { .. }), "{error:?}");
    run(&mut connection, "ROLLBACK").await;
    open(&path).await;
}

#[tokio::test]
async fn empty_file_becomes_a_store() {
    let (_directory, path) = place();
    fs::write(&path, "").unwrap();
    let store = open(&path).await;
    store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn new_file_is_readable_only_by_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let (directory, path) = place();
    let store = open(&path).await;
    store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
    let mut files = 0;
    for entry in fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} is open to others", entry.path());
        files += 1;
    }
    assert_eq!(files, 3, "there must be the database, its log and the index of the log");
}

#[tokio::test]
async fn new_file_can_be_opened_concurrently() {
    let (_directory, path) = place();
    let opening: Vec<_> = (0..8).map(|_| tokio::spawn(SqliteStore::open(path.clone()))).collect();
    for (number, store) in opening.into_iter().enumerate() {
        let store = store.await.unwrap().unwrap_or_else(|error| panic!("{number}: {error:?}"));
        store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
    }
}

#[tokio::test]
async fn addresses_name_files() {
    let (directory, path) = place();
    let path = path.display();
    for address in [format!("sqlite:{path}"), format!("sqlite://{path}")] {
        SqliteStore::connect(&address).await.unwrap().close().await;
    }
    assert_eq!(contents(directory.path()).len(), 1);
    let url_as_path = SqliteStore::open("sqlite:tokens.db").await.expect_err("it is a URL");
    assert!(url_as_path.to_string().contains("`SqliteStore::connect`"), "{url_as_path}");
    let secret = "postgres://user:hunter2@host/db";
    for other in ["", "tokens.db", "sqlite:", secret] {
        let error = SqliteStore::connect(other).await.expect_err("the URL must be rejected");
        assert!(matches!(error, ConnectError::Address), "{other}: {error:?}");
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "the message must not repeat the URL"
        );
    }
}

#[tokio::test]
async fn closed_store_and_its_clones_are_unavailable() {
    let (_directory, path) = place();
    let store = open(&path).await;
    let clone = store.clone();
    store.close().await;
    for closed in [store, clone] {
        assert!(closed.ping().await.unwrap_err().is_unavailable());
    }
}

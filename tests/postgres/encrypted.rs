//! Tests without the TLS feature of the driver. `tests/tls` contains the tests with it.

use hallpass_postgres::PostgresStore;

use super::database;

#[tokio::test]
async fn required_tls_that_is_not_built_in_sends_nothing_in_plain_text() {
    let url = database();
    PostgresStore::connect(&format!("{url}?sslmode=prefer"))
        .await
        .expect("TLS is optional with `sslmode=prefer`");
    for mode in ["require", "verify-ca", "verify-full"] {
        let rejected = PostgresStore::connect(&format!("{url}?sslmode={mode}")).await.unwrap_err();
        let source = std::error::Error::source(&rejected).expect("why").to_string();
        assert!(source.contains("without TLS support"), "{mode}: {source}");
    }
}

//! The example `behind_nginx`, behind a real nginx with the example's own configuration.

use hallpass_servers::Nginx;

use crate::example::Example;

#[tokio::test]
async fn behind_nginx_sees_the_client_and_logs_no_token() {
    let mut example = Example::start("behind_nginx", &[]).await;
    let configuration = include_str!("../../examples/nginx.conf")
        .replace("127.0.0.1:8080", &example.address.to_string());
    let nginx = Nginx::start_with(|port| {
        configuration.replace("127.0.0.1:8081", &format!("127.0.0.1:{port}"))
    })
    .expect("nginx");

    let url = |path: &str| format!("http://{}/app{path}", nginx.address(0));
    // This client has another address than the proxy, and claims a third one.
    let client = reqwest::Client::builder().local_address(Some([127, 0, 0, 2].into()));
    let client = client.build().unwrap();
    let session = url(&format!("/projects?session={}", example.token));
    let answer = client.get(session).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["cache-control"], "private, no-store");
    let revoke = client.delete(url("/tokens/current")).bearer_auth(&example.token);
    let revoked = revoke.header("x-forwarded-for", "192.0.2.7").send().await.unwrap();
    assert_eq!(revoked.status(), 204);
    let event = loop {
        let line = example.line().await;
        if line.starts_with("event: revoked") {
            break line;
        }
    };
    assert_eq!(event, "event: revoked from Some(127.0.0.2)");

    nginx.stop().unwrap();
    let log = nginx.read("access.log").unwrap();
    assert!(log.contains("GET /app/projects") && log.contains("DELETE"), "{log}");
    assert!(!log.contains("session") && !log.contains(&example.token), "{log}");
}

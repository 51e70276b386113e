//! The forms of `expires`, which are the same wherever it is given.

use jiff::tz::{Offset, TimeZone};
use serde_json::json;

use crate::support::Api;

#[tokio::test]
async fn every_form_of_expiry_is_accepted() {
    let api = Api::new().await;
    for (expires, end) in [
        ("30d", "2026-12-22T04:44:57Z"),
        ("12h", "2026-11-22T16:44:57Z"),
        ("2w", "2026-12-06T04:44:57Z"),
        ("1y", "2027-11-22T04:44:57Z"),
        ("2027-03-31", "2027-04-01T00:00:00Z"),
        ("31-03-2027", "2027-04-01T00:00:00Z"),
        ("01-02-2027", "2027-02-02T00:00:00Z"),
        ("31-12-2026", "2027-01-01T00:00:00Z"),
        ("29-02-2028", "2028-03-01T00:00:00Z"),
        ("2026-11-22", "2026-11-23T00:00:00Z"),
        ("2026-11-22T04:45:57Z", "2026-11-22T04:45:57Z"),
        ("2027-03-31T12:00:00.123456789+02:00", "2027-03-31T10:00:00.123Z"),
        ("9999-12-30T00:00:00Z", "9999-12-30T00:00:00Z"),
    ] {
        let issued = api.issue(json!({ "name": "ci", "expires": expires })).await;
        assert_eq!(issued.json["expires_at"], end, "{expires}");
        let path = format!("/{}", issued.id());
        let changed = api.patch(&path).json(&json!({ "expires": expires })).await.ok();
        assert_eq!(changed.json["expires_at"], end, "{expires}");
        api.post("/delete").json(&json!({ "all": true })).await.ok();
    }
}

#[tokio::test]
async fn invalid_expiry_is_rejected_everywhere() {
    let api = Api::new().await;
    let id = api.issue_ci().await.id().to_owned();
    for expires in [
        "",
        "soon",
        "Never",
        "30",
        "d",
        "-30d",
        "+30d",
        "1.5d",
        "30m",
        "0d",
        "99999999999999999999d",
        "9223372036854775807d",
        "8000y",
        "31-04-2027",
        "29-02-2027",
        "00-01-2027",
        "1-1-2027",
        "2027-1-1",
        "01-01-2026",
        "2026-01-01",
        "0001-01-01",
        "٠١-٠١-٢٠٢٧",
        "2027-03-31 ",
        " 2027-03-31",
        "2027/03/31",
        "03/31/2027",
        "9999-12-31",
        "2026-11-22T04:45:56Z",
        "2026-11-22T04:44:57Z",
        "2027-03-31T12:00:60Z",
        "2027-03-31T12:00:00",
        "2027-03-31T25:00:00Z",
        "2027-02-30T12:00:00Z",
        "2027-03-31T12:00:00Z[UTC]",
    ] {
        let body = json!({ "expires": expires });
        let named = json!({ "name": "ci", "expires": expires });
        for answer in [
            api.post("").json(&named).await,
            api.patch(&format!("/{id}")).json(&body).await,
            api.post(&format!("/{id}/regenerate")).json(&body).await,
            api.post(&format!("/{id}/copy")).json(&body).await,
        ] {
            let answer = answer.invalid("expires");
            assert!(
                expires.len() < 3 || !answer.text.contains(&format!("{expires:?}")),
                "{}",
                answer.text
            );
        }
    }
    assert_eq!(api.get("").send().await.json["total"], 1);
}

#[tokio::test]
async fn expiry_day_ends_in_the_hosts_time_zone() {
    let zone = TimeZone::fixed(Offset::constant(2));
    let api = Api::with(|builder| builder.time_zone(zone)).await;
    let issued = api.issue(json!({ "name": "ci", "expires": "31-03-2027" })).await;
    assert_eq!(issued.json["expires_at"], "2027-03-31T22:00:00Z");
}

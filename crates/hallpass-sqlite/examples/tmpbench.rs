use hallpass_core::{store::*, *};
use hallpass_sqlite::SqliteStore;
use std::time::Instant;
#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir_in(".").unwrap();
    let s = SqliteStore::open(dir.path().join("t.db")).await.unwrap();
    let o = Owner::new("alice").unwrap();
    let mut ids = vec![];
    let t = Instant::now();
    for i in 0..500 {
        let now = jiff::Timestamp::now();
        let id = TokenId::generate(&o, now).unwrap();
        ids.push(id);
        let r = TokenRecord::new(id, o.clone(), format!("n{i}"), now);
        s.insert(
            &StoredToken {
                record: r,
                secrets: Secrets {
                    current: Digest::from_parts("sha256", &[1; 32]).unwrap(),
                    previous: None,
                },
            },
            Some(1000),
        )
        .await
        .unwrap();
    }
    println!("insert {:?}", t.elapsed() / 500);
    let t = Instant::now();
    for i in 0..20000 {
        s.find(ids[i % 500]).await.unwrap().value.unwrap();
    }
    println!("find {:?}", t.elapsed() / 20000);
    let t = Instant::now();
    for _ in 0..20000 {
        std::fs::metadata(dir.path().join("t.db")).unwrap();
    }
    println!("stat {:?}", t.elapsed() / 20000);
    let us: Vec<_> = ids
        .iter()
        .map(|id| Use { id: *id, revision: Revision::FIRST, at: jiff::Timestamp::now() })
        .collect();
    let t = Instant::now();
    s.touch(&us).await.unwrap();
    println!("touch 500 {:?}", t.elapsed());
    let t = Instant::now();
    let d = s.delete_many(None, &ids).await.unwrap();
    println!("delete_many {} {:?}", d.tokens.len(), t.elapsed());
}

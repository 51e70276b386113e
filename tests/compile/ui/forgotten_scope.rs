use hallpass_axum::{GuardedRouter, HandlerExt, routing::get};

async fn list() {}
async fn create() {}

fn main() {
    let _ = GuardedRouter::<()>::new()
        .routes("/projects", get(list.scoped("projects:list")).post(create));
}

use hallpass_axum::GuardedRouter;

async fn list() {}

fn main() {
    let _ = GuardedRouter::<()>::new().get("/projects", list);
}

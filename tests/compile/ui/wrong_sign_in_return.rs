use hallpass_axum::{HallpassExt, TokenApi, TokenLayerExt, hallpass_core::Hallpass};

async fn name() -> Option<String> {
    Some("alice".to_owned())
}

fn main() {
    let hallpass = Hallpass::builder(hallpass_memory::MemoryStore::new()).build();
    let _: axum::Router = TokenApi::new(&hallpass, name).into_router_at("/tokens");
    let _ = hallpass.layer().fallback_with_state((), name);
}

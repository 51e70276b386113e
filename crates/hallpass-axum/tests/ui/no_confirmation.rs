use hallpass_axum::{
    TokenApi,
    core::{Caller, Hallpass},
};

async fn by_password(_: Caller, password: String) -> bool {
    password == "wonderland"
}

fn main() {
    let passes = Hallpass::builder(hallpass_memory::MemoryStore::new()).build();
    let api = TokenApi::new(&passes, async || None::<Caller>).confirm(by_password);
    let _: axum::Router = api.at("/tokens");
}

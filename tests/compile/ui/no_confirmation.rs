use hallpass_axum::{Confirmation, HallpassBuilderExt, hallpass_core::{Actor, Hallpass}};

async fn by_password(_: Actor, password: Confirmation) -> Option<bool> {
    Some(password.reveal() == "wonderland")
}

fn main() {
    let builder = Hallpass::builder(hallpass_memory::MemoryStore::new());
    let _ = builder.step_up(by_password).build();
}

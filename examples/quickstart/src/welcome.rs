//! What is printed when the service is ready: lines that work when pasted.

use std::net::SocketAddr;

use hallpass::{Caller, Error, Hallpass, Listing, NewToken};

pub(crate) async fn print(passes: &Hallpass, address: SocketAddr) -> Result<(), Error> {
    let nobody = Caller::operator("quickstart");
    let is_empty = passes.list(&nobody, &Listing::new().limit(1)).await?.total == 0;
    println!("listening on http://{address}");
    println!();
    if is_empty {
        let alice = Caller::owner("alice");
        let new = NewToken::named("first token")
            .description("made by the quickstart")
            .preset("read-only");
        let issued = passes.issue(&alice, new).await?;
        println!("A first token of alice's, shown this once:");
        println!();
        println!("  {}", issued.token.reveal());
        println!();
        println!("What it may do, and what not:");
        println!();
        println!(
            "  curl -i -H \"Authorization: Bearer {}\" http://{address}/api/projects",
            issued.token.reveal()
        );
        println!(
            "  curl -i 'http://{address}/api/projects/atlas?session={}'",
            issued.token.reveal()
        );
        println!(
            "  curl -i -X DELETE -H \"Authorization: Bearer {}\" http://{address}/api/projects/atlas",
            issued.token.reveal()
        );
    }
    println!();
    println!(
        "Sign in as alice (or bob: builder; root, an admin: toor), and issue a token of your own:"
    );
    println!();
    println!("  curl -c cookies -d username=alice -d password=wonderland http://{address}/login");
    println!(
        "  curl -b cookies -H 'Content-Type: application/json' -d '{{\"name\": \"ci\", \"preset\": \"full\", \"expires\": \"30d\"}}' \
         http://{address}/tokens"
    );
    println!("  curl -b cookies http://{address}/tokens");
    Ok(())
}

//! The message that the service prints when it is ready, with commands to try.

use std::io::Write as _;
use std::net::SocketAddr;

use hallpass::{Actor, Error, Hallpass, ListOptions, NewToken};

pub(crate) async fn print(
    hallpass: &Hallpass,
    address: SocketAddr,
    confirm: bool,
) -> Result<(), Error> {
    let first = first_token(hallpass, address).await?.unwrap_or_default();
    // The header contains the password `wonderland` in base64url.
    let confirmation = if confirm { "-H 'Hallpass-Confirmation: d29uZGVybGFuZA' " } else { "" };
    let text = format!(
        r#"listening on http://{address}
{first}
In a browser, sign in at http://{address}/settings/tokens as alice with the password wonderland. The other users are bob with builder, and the admin root with toor.

With curl, sign in as alice and issue a token:

  curl -i -c cookies -d username=alice -d password=wonderland http://{address}/login
  curl -b cookies {confirmation}-H 'Content-Type: application/json' -d '{{"name": "ci", "preset": "full", "expires": "30d"}}' http://{address}/tokens
  curl -b cookies http://{address}/tokens
"#
    );
    // The service runs even if the message cannot be written.
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Ok(())
}

/// Issues a token if the store has none, and returns commands that use it.
async fn first_token(hallpass: &Hallpass, address: SocketAddr) -> Result<Option<String>, Error> {
    let all = hallpass.list(&Actor::system("quickstart"), &ListOptions::new().limit(1)).await?;
    if all.total > 0 {
        return Ok(None);
    }
    let new =
        NewToken::named("first token").description("made by the quickstart").preset("read-only");
    let issued = hallpass.issue(&Actor::owner("alice"), new).await?;
    let token = issued.token.reveal();
    Ok(Some(format!(
        r#"
The first token of alice, which is shown only once:

  {token}

Two requests that it is allowed to make, and one that it is not:

  curl -i -H "Authorization: Bearer {token}" http://{address}/api/projects
  curl -i "http://{address}/api/projects/atlas?session={token}"
  curl -i -X DELETE -H "Authorization: Bearer {token}" http://{address}/api/projects/atlas
"#
    )))
}

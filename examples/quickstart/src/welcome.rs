//! The message when the service is ready, with commands that can be pasted.

use std::io::Write as _;
use std::net::SocketAddr;

use hallpass::{Actor, Error, Hallpass, ListOptions, NewToken};

pub(crate) async fn print(
    hallpass: &Hallpass,
    address: SocketAddr,
    confirm: bool,
) -> Result<(), Error> {
    let first = first_token(hallpass, address).await?.unwrap_or_default();
    // `wonderland`, in base64url.
    let confirmation = if confirm { "-H 'Hallpass-Confirmation: d29uZGVybGFuZA' " } else { "" };
    let text = format!(
        r#"listening on http://{address}
{first}
Sign in as alice (or bob: builder; root, an admin: toor), and issue a token of your own:

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

/// Issues a first token if there is none yet, and returns commands that use it.
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
A first token of alice's, shown this once:

  {token}

What it may do, and what not:

  curl -i -H "Authorization: Bearer {token}" http://{address}/api/projects
  curl -i "http://{address}/api/projects/atlas?session={token}"
  curl -i -X DELETE -H "Authorization: Bearer {token}" http://{address}/api/projects/atlas
"#
    )))
}

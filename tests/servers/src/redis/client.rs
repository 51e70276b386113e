//! A minimal client for the Redis protocol (RESP2). It sends one command and reads its reply.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// The time limit for connecting and for a reply.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs one command on a new connection.
pub(super) fn run(server: SocketAddr, command: &[&str]) -> Result<String> {
    let mut connection = TcpStream::connect_timeout(&server, PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    let mut request = format!("*{}\r\n", command.len());
    for word in command {
        request += &format!("${}\r\n{word}\r\n", word.len());
    }
    connection.write_all(request.as_bytes())?;
    let mut lines = Vec::new();
    read(&mut BufReader::new(connection), &mut lines)?;
    Ok(lines.join("\n"))
}

/// Reads one reply. The elements of nested lists are appended to one flat list of lines.
fn read(from: &mut impl BufRead, lines: &mut Vec<String>) -> Result<()> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let line = line.trim_end();
    let (kind, rest) = line.split_at_checked(1).context("the server closed the connection")?;
    match kind {
        "+" | ":" => lines.push(rest.to_owned()),
        "-" => bail!("{rest}"),
        "$" => match rest.parse::<i64>()? {
            ..0 => {}
            length => {
                let mut text = vec![0; length as usize + 2];
                from.read_exact(&mut text)?;
                text.truncate(length as usize);
                lines.push(String::from_utf8_lossy(&text).into_owned());
            }
        },
        "*" => {
            for _ in 0..rest.parse::<i64>()? {
                read(from, lines)?;
            }
        }
        _ => bail!("unexpected reply: {line}"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(mut bytes: &[u8]) -> Result<String> {
        let mut lines = Vec::new();
        read(&mut bytes, &mut lines)?;
        assert!(bytes.is_empty(), "bytes were left unread");
        Ok(lines.join("\n"))
    }

    #[test]
    fn replies_are_formatted_like_redis_cli() {
        assert_eq!(answer(b"+OK\r\n").unwrap(), "OK");
        assert_eq!(answer(b":12\r\n").unwrap(), "12");
        assert_eq!(answer(b"$4\r\na\r\nb\r\n").unwrap(), "a\r\nb");
        assert_eq!(answer(b"$-1\r\n").unwrap(), "");
        assert_eq!(answer(b"*2\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n").unwrap(), "a\n1");
        let error = answer(b"-ERR no such command\r\n").unwrap_err();
        assert_eq!(error.to_string(), "ERR no such command");
        assert!(answer(b"").is_err());
    }
}

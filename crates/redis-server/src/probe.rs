//! Asks a server whether it is ready.

use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use super::Password;

/// How long one question may take. A server that loads a big value answers late.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a server says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It serves.
    Ready,
    /// It is there, and loads its data.
    Loading,
    /// Nothing; or the port is another server's.
    None,
}

/// Asks the server on this port, which must be the process `pid` and have this password.
pub(super) fn ask(port: u16, pid: u32, password: Option<&Password>) -> Answer {
    try_ask(port, pid, password).unwrap_or(Answer::None)
}

fn try_ask(port: u16, pid: u32, password: Option<&Password>) -> Result<Answer> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // INFO is answered while data is loaded, PING is not.
    let mut questions = String::from("INFO server\r\nPING\r\n");
    if let Some(password) = password {
        questions.insert_str(0, &format!("AUTH {}\r\n", password.quoted()));
    }
    stream.write_all(questions.as_bytes())?;
    let mut reader = BufReader::new(stream);
    if password.is_some() {
        let mut answer = String::new();
        reader.read_line(&mut answer)?;
        if answer.trim_end() != "+OK" {
            return Ok(Answer::None);
        }
    }
    let owner = format!("process_id:{pid}");
    if !bulk(&mut reader)?.lines().any(|line| line == owner) {
        return Ok(Answer::None);
    }
    let mut pong = String::new();
    reader.read_line(&mut pong)?;
    Ok(match pong.trim_end() {
        "+PONG" => Answer::Ready,
        loading if loading.starts_with("-LOADING") => Answer::Loading,
        _ => Answer::None,
    })
}

/// Reads a bulk string: `$LENGTH`, and so many bytes. Anything else is the empty string.
fn bulk(reader: &mut impl BufRead) -> Result<String> {
    let mut head = String::new();
    reader.read_line(&mut head)?;
    let Some(length) = head
        .trim_end()
        .strip_prefix('$')
        .and_then(|length| length.parse::<u64>().ok())
    else {
        return Ok(String::new());
    };
    let mut body = Vec::new();
    // With its line end.
    reader.take(length.saturating_add(2)).read_to_end(&mut body)?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

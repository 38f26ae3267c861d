//! Asks a server whether it is ready.

use std::io::{BufRead, BufReader, Result, Write};
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
    /// Nothing that can be understood.
    None,
}

/// Connects to whoever listens on this port, and sends nothing.
pub(super) fn connect(port: u16) -> Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, PATIENCE)
}

/// Asks the server at the other end, which is sent the password: who that is must be known before.
pub(super) fn ask(stream: TcpStream, password: Option<&Password>) -> Answer {
    try_ask(stream, password).unwrap_or(Answer::None)
}

fn try_ask(mut stream: TcpStream, password: Option<&Password>) -> Result<Answer> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let auth = password
        .map(|password| format!("AUTH {}\r\n", password.quoted()))
        .unwrap_or_default();
    stream.write_all(format!("{auth}PING\r\n").as_bytes())?;
    let mut lines = BufReader::new(stream).lines();
    let mut line = || lines.next().unwrap_or_else(|| Ok(String::new()));
    if password.is_some() && line()? != "+OK" {
        return Ok(Answer::None);
    }
    Ok(match line()?.as_str() {
        "+PONG" => Answer::Ready,
        loading if loading.starts_with("-LOADING") => Answer::Loading,
        _ => Answer::None,
    })
}

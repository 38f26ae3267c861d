use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, getpgid, kill_process, test_kill_process};

use super::*;

mod parts;

/// Where the helper process of these tests keeps its server.
const HELPER_DIR: &str = "PRESQUE_TEST_REDIS_DIR";
/// Whether that server is temporary.
const HELPER_IS_TEMPORARY: &str = "PRESQUE_TEST_REDIS_IS_TEMPORARY";

/// Sends a command and returns the first line of the answer.
fn command(port: u16, command: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// The value of a setting.
fn setting(port: u16, name: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(format!("CONFIG GET {name}\r\n").as_bytes()).unwrap();
    // *2, $n, name, $n, value
    BufReader::new(stream).lines().nth(4).unwrap().unwrap()
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).unwrap()).unwrap()
}

fn runs(id: u32) -> bool {
    test_kill_process(pid(id)).is_ok()
}

#[test]
fn a_server_answers_and_keeps_every_write() {
    let dir = tempfile::tempdir().unwrap();
    let server = RedisServer::start(dir.path()).unwrap();
    assert_eq!(server.url(), format!("redis://127.0.0.1:{}", server.port()));
    assert_eq!(command(server.port(), "PING"), "+PONG");
    for (name, value) in [
        ("appendonly", "yes"),
        ("appendfsync", "always"),
        ("save", ""),
        ("bind", "127.0.0.1"),
    ] {
        assert_eq!(setting(server.port(), name), value, "{name}");
    }
    server.stop().unwrap();
}

#[test]
fn lines_of_the_settings_win() {
    let dir = tempfile::tempdir().unwrap();
    let lines = vec!["appendfsync no".to_owned(), "maxclients 100".to_owned()];
    let settings = Settings {
        lines,
        ..Settings::default()
    };
    let mut server = RedisServer::start_with(dir.path(), settings).unwrap();
    for _ in 0..2 {
        assert_eq!(setting(server.port(), "appendfsync"), "no");
        assert_eq!(setting(server.port(), "maxclients"), "100");
        server.restart().unwrap();
    }
    assert_eq!(server.bus_port(), None);
}

#[test]
fn a_node_of_a_cluster_listens_for_the_others_too() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        is_cluster_node: true,
        ..Settings::default()
    };
    let mut server = RedisServer::start_with(dir.path(), settings).unwrap();
    for _ in 0..2 {
        let bus = server.bus_port().unwrap();
        assert_eq!(setting(server.port(), "cluster-port"), bus.to_string());
        TcpStream::connect(("127.0.0.1", bus)).unwrap();
        server.restart().unwrap();
    }
}

#[test]
fn a_paused_server_does_nothing_until_it_is_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = RedisServer::start(dir.path()).unwrap();
    server.pause().unwrap();
    // The system takes the connection and the command.
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.write_all(b"PING\r\n").unwrap();
    stream.set_nonblocking(true).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    server.resume().unwrap();
    stream.set_nonblocking(false).unwrap();
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+PONG\r\n");
    server.kill().unwrap();
    assert!(server.pause().is_err());
}

#[test]
fn a_paused_server_ends_with_its_value() {
    let dir = tempfile::tempdir().unwrap();
    let server = RedisServer::start(dir.path()).unwrap();
    server.pause().unwrap();
    server.stop().unwrap();
}

#[test]
fn data_outlives_a_stop_a_kill_and_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = RedisServer::start(dir.path()).unwrap();
    let (port, first) = (server.port(), server.pid());
    assert_eq!(command(port, "INCR n"), ":1");
    server.kill().unwrap();
    assert!(!runs(first));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    server.restart().unwrap();
    assert_eq!(server.port(), port);
    assert_ne!(server.pid(), first);
    assert_eq!(command(port, "INCR n"), ":2");
    server.restart().unwrap();
    assert_eq!(command(port, "INCR n"), ":3");
    server.stop().unwrap();
    let server = RedisServer::start(dir.path()).unwrap();
    assert_eq!(command(server.port(), "INCR n"), ":4");
}

#[test]
fn a_dropped_server_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let server = RedisServer::start(dir.path()).unwrap();
    let id = server.pid();
    drop(server);
    assert!(!runs(id));
}

#[test]
fn a_new_directory_is_its_owner_s_only() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("a").join("data of 'redis' \"é\"");
    let server = RedisServer::start(&dir).unwrap();
    assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(command(server.port(), "INCR n"), ":1");
    assert!(
        fs::read_to_string(dir.join("redis.log"))
            .unwrap()
            .contains("Ready to accept connections")
    );
    assert!(dir.join("appendonlydir").is_dir());
}

#[test]
fn a_directory_that_was_open_to_others_is_its_owner_s_only_from_then_on() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let _server = RedisServer::start(dir.path()).unwrap();
    assert_eq!(fs::metadata(dir.path()).unwrap().permissions().mode() & 0o777, 0o700);
}

/// The first lines of the answers to commands that are sent on one connection.
fn conversation(port: u16, commands: &str) -> Vec<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(format!("{commands}\r\nQUIT\r\n").as_bytes()).unwrap();
    BufReader::new(stream).lines().map(Result::unwrap).collect()
}

#[test]
fn a_server_with_a_password_serves_nobody_without_it() {
    let dir = tempfile::tempdir().unwrap();
    let password = Password::random().unwrap();
    assert_ne!(password, Password::random().unwrap());
    assert!(password.as_str().len() >= 32, "it could be guessed");
    let mut server = RedisServer::start_with_password(dir.path(), password.clone()).unwrap();
    for _ in 0..2 {
        // In this order: Redis 8 does not answer a wrong password after a command that it has refused.
        let answers = conversation(server.port(), "AUTH wrong\r\nPING");
        assert!(answers[0].starts_with("-WRONGPASS"), "{answers:?}");
        assert!(answers[1].starts_with("-NOAUTH"), "{answers:?}");
        let answers = conversation(server.port(), &format!("AUTH {}\r\nPING", password.as_str()));
        assert_eq!(answers[..2], ["+OK", "+PONG"]);
        server.restart().unwrap();
    }
}

#[test]
fn a_password_may_have_any_characters() {
    let dir = tempfile::tempdir().unwrap();
    let text = "a b\"c'd\\e#f%g@h:i/j\nk\tü";
    let server = RedisServer::start_with_password(dir.path(), text.to_owned().into()).unwrap();
    let auth = format!("*2\r\n$4\r\nAUTH\r\n${}\r\n{text}", text.len());
    assert_eq!(
        conversation(server.port(), &format!("{auth}\r\nPING"))[..2],
        ["+OK", "+PONG"]
    );
}

#[test]
fn a_password_is_in_a_file_of_the_owner_and_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("redis.password");
    fs::write(&file, "an older one").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let password = Password::random().unwrap();
    let server = RedisServer::start_with_password(dir.path(), password.clone()).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap().trim_end(), password.as_str());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    for shown in [
        format!("{server:?} {password:?}"),
        fs::read_to_string(server.log()).unwrap(),
        fs::read_to_string(format!("/proc/{}/cmdline", server.pid())).unwrap_or_default(),
        fs::read_to_string(format!("/proc/{}/environ", server.pid())).unwrap_or_default(),
    ] {
        assert!(!shown.contains(password.as_str()), "{shown}");
    }
}

#[test]
fn a_server_belongs_to_whoever_starts_it() {
    let dir = tempfile::tempdir().unwrap();
    let server = RedisServer::start(dir.path()).unwrap();
    let data = fs::metadata(dir.path().join("appendonlydir")).unwrap();
    assert_eq!(data.uid(), rustix::process::geteuid().as_raw());
    assert!(runs(server.pid()));
}

#[test]
fn a_server_that_was_killed_by_others_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = RedisServer::start(dir.path()).unwrap();
    assert_eq!(server.has_ended().unwrap(), None);
    kill_process(pid(server.pid()), Signal::KILL).unwrap();
    let mut pauses = Pauses::new();
    let status = loop {
        match server.has_ended().unwrap() {
            Some(status) => break status,
            None => pauses.pause(),
        }
    };
    assert_eq!(status.signal(), Some(9));
}

#[test]
fn a_directory_has_one_server() {
    let dir = tempfile::tempdir().unwrap();
    let server = RedisServer::start(dir.path()).unwrap();
    let start = Instant::now();
    let error = RedisServer::start(dir.path()).unwrap_err().to_string();
    assert!(start.elapsed() > Duration::from_secs(4), "it did not wait");
    let expected = format!(
        "{} is in use by another server (pid {}); stop it, or use another directory",
        dir.path().canonicalize().unwrap().display(),
        server.pid()
    );
    assert_eq!(error, expected);
    assert_eq!(command(server.port(), "PING"), "+PONG");
}

#[test]
fn a_start_waits_for_a_directory_that_is_about_to_be_free() {
    let dir = tempfile::tempdir().unwrap();
    let server = RedisServer::start(dir.path()).unwrap();
    let path = dir.path().to_owned();
    let second = thread::spawn(move || RedisServer::start(&path));
    thread::sleep(Duration::from_millis(300));
    server.stop().unwrap();
    assert_eq!(command(second.join().unwrap().unwrap().port(), "PING"), "+PONG");
}

#[test]
fn a_server_outlives_the_thread_that_started_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    let server = thread::spawn(move || RedisServer::start(&path))
        .join()
        .unwrap()
        .unwrap();
    thread::sleep(Duration::from_millis(200));
    assert_eq!(command(server.port(), "PING"), "+PONG");
}

#[test]
fn a_signal_to_our_group_does_not_reach_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let server = RedisServer::start(dir.path()).unwrap();
    let group = getpgid(Some(pid(server.pid()))).unwrap();
    assert_eq!(group, pid(server.pid()));
    assert_ne!(group, getpgid(None).unwrap());
}

#[test]
fn a_server_that_loads_its_data_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = RedisServer::start(dir.path()).unwrap();
    let fill = "EVAL \"for i=1,400000 do redis.call('SET','key:'..i,string.rep('x',100)) end return 1\" 0";
    assert_eq!(command(server.port(), fill), ":1");
    server.restart().unwrap();
    assert_eq!(command(server.port(), "DBSIZE"), ":400000");
}

#[test]
fn a_restart_that_is_told_to_stop_leaves_no_server() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = RedisServer::start(dir.path()).unwrap();
    assert_eq!(command(server.port(), "INCR n"), ":1");
    assert!(!server.restart_unless(|| true).unwrap());
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err());
    assert!(server.restart_unless(|| false).unwrap());
    assert_eq!(command(server.port(), "INCR n"), ":2");
}

#[test]
fn a_server_that_can_not_start_says_why() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("appendonlydir")).unwrap();
    fs::write(dir.path().join("appendonlydir/appendonly.aof.manifest"), "nonsense\n").unwrap();
    let error = RedisServer::start(dir.path()).unwrap_err().to_string();
    assert!(
        error.starts_with("the Redis server ended before it answered (exit status: 1); the end of /"),
        "{error}"
    );
    assert!(error.contains("AOF manifest"), "{error}");
}

/// Not a test: the test below runs it in a process of its own, and kills that.
#[test]
fn hold_a_server() {
    let Some(dir) = std::env::var_os(HELPER_DIR) else {
        return;
    };
    let settings = Settings {
        is_temporary: true,
        ..Settings::default()
    };
    let server = match std::env::var_os(HELPER_IS_TEMPORARY) {
        Some(_) => RedisServer::start_with(Path::new(&dir), settings),
        None => RedisServer::start(Path::new(&dir)),
    };
    let server = server.unwrap();
    println!("server {} {}", server.pid(), server.port());
    thread::sleep(Duration::from_secs(60));
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_ends_when_its_host_is_killed() {
    kill_the_host_of_a_server(false);
}

#[test]
#[cfg(target_os = "linux")]
fn a_temporary_server_ends_when_its_host_is_killed_even_while_paused() {
    kill_the_host_of_a_server(true);
}

#[cfg(target_os = "linux")]
fn kill_the_host_of_a_server(is_temporary: bool) {
    let dir = tempfile::tempdir().unwrap();
    let (_, module) = module_path!().split_once("::").unwrap();
    let mut host = Command::new(std::env::current_exe().unwrap())
        .args(["--nocapture", "--exact", &format!("{module}::hold_a_server")])
        .env(HELPER_DIR, dir.path())
        .envs(is_temporary.then_some((HELPER_IS_TEMPORARY, "yes")))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(host.stdout.take().unwrap()).lines();
    let line = lines.map(Result::unwrap).find(|line| line.contains("server ")).unwrap();
    let numbers: Vec<u32> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let (server, port) = (numbers[0], u16::try_from(numbers[1]).unwrap());
    assert_eq!(command(port, "INCR n"), ":1");

    if is_temporary {
        kill_process(pid(server), Signal::STOP).unwrap();
    }
    kill_process(pid(host.id()), Signal::KILL).unwrap();
    // At once: the lock makes this wait until the old server is really gone.
    let next = RedisServer::start(dir.path()).unwrap();
    let state = fs::read_to_string(format!("/proc/{server}/stat")).unwrap_or_default();
    assert!(
        state.is_empty() || state.contains(") Z "),
        "the old server still runs: {state}"
    );
    assert_eq!(command(next.port(), "INCR n"), ":2");
    host.wait().unwrap();
}

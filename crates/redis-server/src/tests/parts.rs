//! The parts of a start, each alone.

use super::*;

#[test]
fn a_taken_port_is_told_from_other_failures() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let program = process::find_program().unwrap();
    let lock = directory::lock(dir.path()).unwrap();
    let failure = run(&program, dir.path(), &lock, taken.local_addr().unwrap().port(), None).unwrap_err();
    assert!(matches!(failure, Failure::PortTaken(_)));
}

#[test]
fn another_server_s_answer_does_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let server = RedisServer::start(dir.path()).unwrap();
    assert_eq!(probe::ask(server.port(), server.pid(), None), Answer::Ready);
    assert_eq!(probe::ask(server.port(), server.pid() + 1, None), Answer::None);
}

#[test]
fn a_server_that_loads_is_told_from_one_that_serves() {
    let answer = |ping: &'static str| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let info = "# Server\r\nprocess_id:7\r\nuptime:1\r\n";
            stream
                .write_all(format!("${}\r\n{info}\r\n{ping}\r\n", info.len()).as_bytes())
                .unwrap();
            // Until the other side has read all and hangs up.
            let _ = BufReader::new(stream).lines().count();
        });
        let answer = probe::ask(port, 7, None);
        server.join().unwrap();
        answer
    };
    assert_eq!(answer("+PONG"), Answer::Ready);
    assert_eq!(
        answer("-LOADING Redis is loading the dataset in memory"),
        Answer::Loading
    );
    assert_eq!(answer("-NOAUTH Authentication required."), Answer::None);
}

#[test]
fn a_program_is_found_on_the_path() {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str, mode| {
        fs::File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(dir.path().join(name))
            .unwrap();
    };
    let find = || process::find_program_in(dir.path().as_os_str());
    let error = find().unwrap_err().to_string();
    assert!(
        error.starts_with("neither redis-server nor valkey-server is on the PATH; install Redis"),
        "{error}"
    );
    make("redis-server", 0o600);
    assert!(find().is_err(), "not executable");
    make("valkey-server", 0o700);
    assert!(find().unwrap().ends_with("valkey-server"));
    fs::remove_file(dir.path().join("redis-server")).unwrap();
    make("redis-server", 0o700);
    assert!(find().unwrap().ends_with("redis-server"));
}

//! The parts of a start, each alone.

use super::*;

#[test]
fn a_taken_port_is_told_from_other_failures() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let program = process::find_program().unwrap();
    let lock = directory::lock(dir.path()).unwrap();
    let settings = Settings {
        is_cluster_node: true,
        ..Settings::default()
    };
    let (taken, free) = (taken.local_addr().unwrap().port(), settings.free_ports().unwrap());
    for ports in [
        Ports { port: taken, ..free },
        Ports {
            bus: Some(taken),
            ..free
        },
    ] {
        let failure = run(&program, dir.path(), &lock, ports, &settings, || false).unwrap_err();
        assert!(matches!(failure, Failure::PortTaken(_)), "{ports:?}");
    }
}

#[test]
fn another_process_on_the_server_s_port_is_sent_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = RedisServer::start_with_password(dir.path(), Password::random().unwrap()).unwrap();
    server.kill().unwrap();
    let other = TcpListener::bind(("127.0.0.1", server.port())).unwrap();
    other.set_nonblocking(true).unwrap();
    let error = server.restart().unwrap_err().to_string();
    assert!(error.contains("Address already in use"), "{error}");
    assert_eq!(other.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    drop(other);
    server.restart().unwrap();
}

#[test]
fn another_process_that_gets_the_port_later_does_not_learn_the_password() {
    let dir = tempfile::tempdir().unwrap();
    let password = Password::random().unwrap();
    let mut server = RedisServer::start_with_password(dir.path(), password.clone()).unwrap();
    let (log, port) = (Log::near_end(dir.path()).unwrap(), server.port());
    let ask = |process: &mut Process| ask(process, port, Some(&password), &log).unwrap();
    assert_eq!(ask(&mut server.process), Answer::Ready);
    server.kill().unwrap();
    let other = TcpListener::bind(("127.0.0.1", port)).unwrap();
    assert_eq!(ask(&mut server.process), Answer::None);
    let (mut stream, _) = other.accept().unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_server_that_loads_is_told_from_one_that_serves() {
    let answer = |ping: &'static str| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(format!("{ping}\r\n").as_bytes()).unwrap();
            // Until the other side has read all and hangs up.
            let _ = BufReader::new(stream).lines().count();
        });
        let answer = probe::ask(probe::connect(port).unwrap(), None);
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

#[test]
fn a_program_that_was_chosen_must_be_one() {
    let dir = tempfile::tempdir().unwrap();
    let error = process::chosen_program(dir.path()).unwrap_err().to_string();
    let expected = format!(
        "PRESQUE_REDIS_SERVER is {}, which is not a program; it must be the path of a Redis or Valkey server, or empty",
        dir.path().display()
    );
    assert_eq!(error, expected);
    assert_eq!(
        process::chosen_program(Path::new("/bin/sh")).unwrap(),
        Path::new("/bin/sh")
    );
}

use super::reply::{Failure, Info, failure, no_database, not_logged_in};
use redis::{RedisError, Value, parse_redis_value};

/// The error that the client makes of a server's reply.
fn error(reply: &str) -> RedisError {
    let value = parse_redis_value(format!("-{reply}\r\n").as_bytes());
    match value {
        Ok(Value::ServerError(error)) => error.into(),
        Ok(value) => panic!("{value:?}"),
        Err(error) => error,
    }
}

fn forbidden(command: &str) -> Failure {
    Failure::Forbidden(command.to_owned())
}

#[test]
fn a_command_that_an_acl_forbids_is_named_as_the_server_names_it() {
    for (reply, command) in [
        // Redis 6.2, 7.0 and 7.2.
        (
            "NOPERM this user has no permissions to run the 'hset' command or its subcommand",
            "hset",
        ),
        (
            "NOPERM User presque has no permissions to run the 'hset' command",
            "hset",
        ),
        (
            "NOPERM this user has no permissions to run the 'set' command script: 9a, on @user_script:1.",
            "set",
        ),
    ] {
        assert_eq!(failure("EVAL", &error(reply)), forbidden(command), "{reply}");
    }
    for reply in [
        "NOPERM this user has no permissions to access one of the keys used as arguments",
        "NOPERM No permissions to access a key",
    ] {
        let told = failure("HSET", &error(reply));
        assert!(
            matches!(&told, Failure::Error(text) if text.contains("~presque:*")),
            "{told:?}"
        );
    }
}

#[test]
fn what_passes_is_told_from_what_stays() {
    for reply in [
        "LOADING Redis is loading the dataset in memory",
        "READONLY You can't write against a read only replica.",
        "OOM command not allowed when used memory > 'maxmemory'.",
        "NOREPLICAS Not enough good replicas to write.",
        "MOVED 1 127.0.0.1:7001",
    ] {
        let told = failure("HSET", &error(reply));
        assert!(matches!(told, Failure::NotNow(_)), "{reply}: {told:?}");
    }
    for (reply, part) in [
        ("NOAUTH Authentication required.", "redis_password"),
        ("CROSSSLOT Keys in request don't hash to the same slot", "several slots"),
        (
            "ERR Error running script: Write commands not allowed after non deterministic commands.",
            "lua-replicate-commands to yes",
        ),
        (
            "ERR unknown command 'HSET', with args beginning with: ",
            "no command HSET",
        ),
    ] {
        let told = failure("HSET", &error(reply));
        assert!(
            matches!(&told, Failure::Error(text) if text.contains(part)),
            "{reply}: {told:?}"
        );
    }
    for reply in [
        "WRONGTYPE Operation against a key holding the wrong kind of value",
        "NOSCRIPT No matching script. Please use EVAL.",
        "ERR The user executing the script can't run this command or subcommand script: 9a, on @user_script:1.",
    ] {
        assert_eq!(failure("HSET", &error(reply)), Failure::Harmless, "{reply}");
    }
}

#[test]
fn a_login_that_fails_names_the_variable() {
    let wrong = error("WRONGPASS invalid username-password pair or user is disabled.");
    assert_eq!(
        not_logged_in("", &wrong),
        Failure::Error("redis_password is wrong".into())
    );
    let told = not_logged_in("ann", &wrong);
    assert!(
        matches!(&told, Failure::Error(text) if text.contains("'ann' (redis_user)")),
        "{told:?}"
    );
    let none = error("ERR AUTH <password> called without any password configured for the default user.");
    let told = not_logged_in("", &none);
    assert!(
        matches!(&told, Failure::Error(text) if text.contains("has no password")),
        "{told:?}"
    );
    let told = no_database(99, &error("ERR DB index is out of range"));
    assert_eq!(
        told,
        Failure::Error("redis_database is 99: DB index is out of range".into())
    );
}

#[test]
fn a_redis_before_6_2_is_too_old_and_valkey_is_not() {
    for (info, too_old) in [
        ("redis_version:6.0.16\r\n", true),
        ("redis_version:5.0.14\r\n", true),
        ("redis_version:6.2.0\r\n", false),
        ("redis_version:10.0.1\r\n", false),
        (
            "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.0\r\n",
            false,
        ),
        ("# Server\r\n", false),
    ] {
        assert_eq!(Info::new(info).too_old().is_some(), too_old, "{info}");
    }
}

//! What the linker accepts, refuses, and leaves out.

use super::*;

/// The files of presque's store.
fn store() -> Files {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/store")).unwrap()
}

/// A script beside these shared files, made.
fn make(script: &str, shared: &[(&str, &str)]) -> Result<Script, String> {
    let script = ("jobs/test.lua", script);
    let files = shared.iter().chain([&script]);
    let files = files
        .map(|(name, text)| ((*name).to_owned(), File::parse(text)))
        .collect();
    link("jobs/test.lua", &files).map_err(|error| format!("{error:#}"))
}

#[test]
fn every_script_of_the_store_can_be_made_and_has_keys() {
    let files = store();
    assert!(
        scripts(&files).count() > 30,
        "{} scripts were found",
        scripts(&files).count()
    );
    for path in scripts(&files) {
        let script = link(path, &files).unwrap_or_else(|error| panic!("{error:#}"));
        assert!(!script.keys.is_empty(), "{path} has no keys");
    }
}

#[test]
fn a_script_gets_the_definitions_that_it_uses_and_their_keys_and_no_others() {
    let Script { source, keys, .. } = make(
        "-- Says a word.\n-- @keys META\n-- @include word\nreturn say(META)",
        &[
            (
                "lua/word.lua",
                "-- @keys JOBS, RATES\n-- @include base\nlocal function say(key)\n  return loud(key, JOBS)\nend\n\n\
                 -- Left out.\nlocal function count()\n  return RATES\nend\n",
            ),
            (
                "lua/base.lua",
                "local function loud(key)\n  -- A reason.\n  return key .. '-- @keys DEAD'\nend\nlocal QUIET = 1\n",
            ),
        ],
    )
    .unwrap();
    assert_eq!(keys, ["JOBS", "META"]);
    let expected = "local JOBS, META = unpack(KEYS)\nlocal function loud(key)\nreturn key .. '-- @keys DEAD'\nend\n\
                    local function say(key)\nreturn loud(key, JOBS)\nend\nreturn say(META)\n";
    assert_eq!(source, expected);
}

#[test]
fn rare_functions_and_what_they_alone_need_are_defined_inside_one_function() {
    let shared = [(
        "lua/word.lua",
        "-- @keys JOBS\nlocal function plain()\n  return 1\nend\nlocal function loud()\n  return JOBS .. plain()\nend\n\
         -- Seldom.\n-- @rare\nlocal function say(word)\n  return loud() .. plain() .. word\nend\n\
         -- @rare\nlocal function shout()\n  return say('it')\nend\n",
    )];
    let script =
        "-- @include word\nlocal function some()\n  return 'say('\nend\nreturn plain() or say(some()) or shout()";
    let Script { source, keys, .. } = make(script, &shared).unwrap();
    assert_eq!(keys, ["JOBS"]);
    let expected = "local JOBS = unpack(KEYS)\nlocal rare\nlocal function plain()\nreturn 1\nend\n\
                    rare = function(name, ...)\nlocal JOBS = unpack(KEYS)\n\
                    local function loud()\nreturn JOBS .. plain()\nend\n\
                    local function say(word)\nreturn loud() .. plain() .. word\nend\n\
                    local function shout()\nreturn say('it')\nend\n\
                    return ({say = say, shout = shout})[name](...)\nend\n\
                    local function some()\nreturn 'say('\nend\n\
                    return plain() or rare('say', some()) or rare('shout')\n";
    assert_eq!(source, expected);
}

#[test]
fn a_key_that_may_be_absent_comes_last() {
    let Script { source, keys, .. } = make("-- @keys ANSWER?, ZONE\nreturn {ANSWER, ZONE}", &[]).unwrap();
    assert_eq!(keys, ["ZONE", "ANSWER"]);
    assert_eq!(source, "local ZONE, ANSWER = unpack(KEYS)\nreturn {ANSWER, ZONE}\n");
}

#[test]
fn a_list_of_keys_is_all_that_a_script_gets() {
    let Script { source, keys, .. } = make("-- @keys ALL...\nreturn ALL", &[]).unwrap();
    assert_eq!(keys, ["ALL"]);
    assert_eq!(source, "local ALL = KEYS\nreturn ALL\n");
    let error = make("-- @keys ALL..., ZONE\nreturn {ALL, ZONE}", &[]).unwrap_err();
    assert_eq!(error, "jobs/test.lua: a list of keys must be the only key");
}

#[test]
fn a_header_that_does_not_fit_its_code_is_refused_by_name() {
    let shared = [(
        "lua/job.lua",
        "-- @keys JOBS\nlocal function load(id)\n  return redis.call('HGET', JOBS, id)\nend\n",
    )];
    for (script, error) in [
        (
            "-- @keys META\nreturn 1",
            "jobs/test.lua: the key META is declared and not used",
        ),
        (
            "return META",
            "jobs/test.lua: META is used, and neither defined nor declared as a key",
        ),
        (
            "-- @include job\nreturn 1",
            "jobs/test.lua: lua/job.lua is included and not used",
        ),
        (
            "return load(1)",
            "jobs/test.lua: load is used, and lua/job.lua is not included",
        ),
        (
            "-- @include jbo\nreturn 1",
            "jobs/test.lua: there is no lua/jbo.lua to include",
        ),
    ] {
        assert_eq!(make(script, &shared).unwrap_err(), error);
    }
    let wrong = [(
        "lua/job.lua",
        "-- @keys JOBS\nlocal function load(id)\n  return id\nend\n",
    )];
    let error = make("-- @include job\nreturn load(1)", &wrong).unwrap_err();
    assert_eq!(error, "lua/job.lua: the key JOBS is declared and not used");
}

#[test]
fn files_that_include_each_other_are_refused_with_the_circle() {
    let shared = [
        ("lua/a.lua", "-- @include b\nlocal function a()\n  return b()\nend\n"),
        ("lua/b.lua", "-- @include a\nlocal function b()\n  return a()\nend\n"),
    ];
    let error = make("-- @include a\nreturn a()", &shared).unwrap_err();
    assert_eq!(
        error,
        "jobs/test.lua -> lua/a.lua -> lua/b.lua -> lua/a.lua: files include each other"
    );
}

#[test]
fn what_would_silently_be_wrong_in_a_script_is_refused_by_name() {
    for (word, error) in [
        (
            "local function loud()\n  return word()\nend\nlocal function word()\n  return loud()\nend\n",
            "lua/word.lua: word is used above its definition",
        ),
        (
            "local function word()\n  return LOUD\nend\nlocal LOUD = 1\n",
            "lua/word.lua: LOUD is used above its definition",
        ),
        (
            "-- @rare\nlocal word = 1\n",
            "lua/word.lua: @rare stands above word, which is no function",
        ),
        (
            "redis.call('PING')\nlocal word = 1\n",
            "lua/word.lua: the code before the first definition would be left out",
        ),
        (
            "local said = 0\n-- @rare\nlocal function once()\n  said = said + 1\nend\n\
             -- @rare\nlocal function word()\n  said = said + 1\nend\n",
            "jobs/test.lua: each rare call would make its own said",
        ),
        (
            "-- @rare\nlocal function loud()\n  return 1\nend\nlocal function word()\n  return {loud}\nend\n",
            "jobs/test.lua: loud is rare, so all that can be done with it is to call it",
        ),
    ] {
        let script = if word.contains("once") {
            "word()\nonce()"
        } else {
            "word()"
        };
        let script = format!("-- @include word\nreturn {script}");
        assert_eq!(make(&script, &[("lua/word.lua", word)]).unwrap_err(), error);
    }
}

#[test]
fn a_shared_file_that_nothing_includes_is_found() {
    let mut files = store();
    assert_eq!(find_unused(&files), None);
    files.insert("lua/spare.lua".to_owned(), File::parse("local function spare()\nend\n"));
    assert_eq!(find_unused(&files), Some(&"lua/spare.lua".to_owned()));
}

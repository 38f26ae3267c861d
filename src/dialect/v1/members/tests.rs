use super::*;

type Taken<T> = Result<Option<T>, Problem>;

/// Takes `x` out of `{"x":<value>}`.
fn take<T>(value: &str, take: impl FnOnce(&mut Members<'_>) -> Taken<T>) -> Taken<T> {
    let body = format!("{{\"x\":{value}}}");
    let mut members = Members::of_body(body.as_bytes())?;
    let taken = take(&mut members)?;
    members.reject_unknown()?;
    Ok(taken)
}

fn taken<T>(value: &str, how: impl FnOnce(&mut Members<'_>) -> Taken<T>) -> T {
    take(value, how).unwrap().unwrap()
}

/// What is said of a wrong value.
fn wrong<T>(value: &str, how: impl FnOnce(&mut Members<'_>) -> Taken<T>) -> String {
    let problem = take(value, how).err().expect(value);
    assert_eq!(problem.pointer(), Some("/x"), "{value}");
    problem.detail().to_owned()
}

#[test]
fn a_body_that_is_no_json_is_told_from_one_that_is_no_object() {
    let problem = |body: &[u8]| Members::of_body(body).err().unwrap();
    for body in [
        &b"{"[..],
        b"{\"a\":1}x",
        b"[1,",
        b"{\"a\":\"\xe9\"}",
        b"nul",
        b"[\"\xe9\"]",
    ] {
        let problem = problem(body);
        assert!(
            problem.detail().starts_with("The body must be JSON in UTF-8: "),
            "{problem:?}"
        );
        assert_eq!(problem.pointer(), None);
    }
    for body in [&b"[]"[..], b"42", b"null", b"\"x\""] {
        assert_eq!(problem(body).pointer(), Some(""));
    }
    for body in [&b""[..], b" \n", b"{}"] {
        Members::of_body(body).unwrap().reject_unknown().unwrap();
    }
}

#[test]
fn values_keep_their_bytes_and_of_two_equal_names_the_last_counts() {
    let mut members = Members::of_body(br#" { "x":1, "\u0078" : { "b":1.50,  "b":2 } } "#).unwrap();
    assert_eq!(members.any("x").unwrap().get(), r#"{ "b":1.50,  "b":2 }"#);
    members.reject_unknown().unwrap();
}

#[test]
fn json_may_be_nested_deep_and_a_wrong_value_is_not_told_in_full() {
    let deep = ["[".repeat(100_000), "]".repeat(100_000)].concat();
    assert_eq!(
        taken(&deep, |m| m.json("x", deep.len()).map(|x| x.map(str::len))),
        deep.len()
    );
    assert!(wrong(&deep, |m| m.whole("x", 0..=9)).ends_with("not [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[…."));
}

#[test]
fn a_whole_number_may_be_written_in_any_way() {
    for value in ["4", "4.0", "0.4e1"] {
        assert_eq!(taken(value, |m| m.whole("x", 0..=9)), 4, "{value}");
    }
    for value in ["12", "-1", "4.5", "\"4\"", "null", "1e999", "[]", "true"] {
        let said = wrong(value, |m| m.whole("x", 0..=9));
        assert_eq!(said, format!("`x` must be a whole number from 0 to 9, not {value}."));
    }
}

#[test]
fn seconds_are_kept_to_the_millisecond_rounded_up() {
    for (value, millis) in [
        ("0", 0),
        ("0.07", 70),
        ("1.0001", 1001),
        ("1e-3", 1),
        ("0.0000004", 1),
        ("315360000", 315_360_000_000),
        ("-0.0", 0),
    ] {
        let seconds = taken(value, |m| m.seconds("x", 0.0..=315_360_000.0));
        assert_eq!(seconds.as_millis(), millis, "{value}");
    }
    for value in ["-0.001", "86401", "1e999", "\"5\"", "null"] {
        let said = wrong(value, |m| m.seconds("x", 0.1..=86_400.0));
        assert_eq!(
            said,
            format!("`x` must be a number of seconds from 0.1 to 86400, not {value}.")
        );
    }
}

#[test]
fn texts_words_flags_times_and_json_are_checked() {
    assert_eq!(taken(r#""\u00e9""#, |m| m.text("x", 1..=2)), "é");
    assert_eq!(
        wrong("\"\"", |m| m.text("x", 1..=2)),
        "`x` must be a string of 1 to 2 bytes, not \"\"."
    );
    assert_eq!(
        wrong("\"é€\"", |m| m.text("x", 1..=2)),
        "`x` must be a string of 1 to 2 bytes, not \"é€\"."
    );
    let words = [("now", 1), ("later", 2)];
    assert_eq!(taken("\"later\"", |m| m.word("x", &words)), 2);
    assert_eq!(
        wrong("\"Now\"", |m| m.word("x", &words)),
        "`x` must be \"now\" or \"later\", not \"Now\"."
    );
    assert!(taken("true", |m| m.flag("x")));
    assert_eq!(wrong("1", |m| m.flag("x")), "`x` must be true or false, not 1.");
    assert_eq!(taken("\"1970-01-01T00:00:01Z\"", |m| m.time("x")).as_millis(), 1000);
    assert!(wrong("\"soon\"", |m| m.time("x")).ends_with("(RFC 3339), not \"soon\"."));
    assert_eq!(
        wrong("[1]", |m| m.json("x", 2).map(|_| Some(()))),
        "`x` must be JSON of at most 2 bytes, not [1]."
    );
}

#[test]
fn elements_and_inner_members_are_pointed_to() {
    let mut members = Members::of_body(br#"{"jobs":[{},{"a/b":1}],"u":{"k":0}}"#).unwrap();
    let jobs = members.list("jobs", 1..=2).unwrap().unwrap();
    let (value, pointer) = jobs.into_iter().nth(1).unwrap();
    let job = Members::of(value, pointer).unwrap();
    assert_eq!(job.reject_unknown().unwrap_err().pointer(), Some("/jobs/1/a~1b"));
    let mut inner = members.object("u").unwrap().unwrap();
    assert_eq!(inner.flag("k").unwrap_err().pointer(), Some("/u/k"));
    assert_eq!(
        wrong("[]", |m| m.list("x", 1..=2).map(|_| Some(()))),
        "`x` must be an array of 1 to 2 elements, not []."
    );
    assert_eq!(
        wrong("7", |m| m.object("x").map(|_| Some(()))),
        "This must be a JSON object."
    );
}

#[test]
fn a_member_that_nobody_asked_for_is_refused_with_those_that_there_are() {
    let mut members = Members::of_body(br#"{"prio":1}"#).unwrap();
    members.any("payload");
    members.any("priority");
    let problem = members.reject_unknown().unwrap_err();
    assert_eq!(problem.pointer(), Some("/prio"));
    assert_eq!(
        problem.detail(),
        "The member \"prio\" is not known. Known members: `payload`, `priority`."
    );
    let missing = members.required("payload", None::<()>).unwrap_err();
    assert_eq!(
        (missing.pointer(), missing.detail()),
        (Some("/payload"), "`payload` is missing.")
    );
}

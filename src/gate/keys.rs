//! The list of keys: who has one, and what it is for.
//!
//! A key is any text; its holder sends it with each request. The list has the SHA-256 of each, so whoever reads the list cannot
//! use it. A key must be long and random: then nobody can find it from its digest.

use super::operation::{Operation, Scope};
use crate::queue::{QueueName, Timestamp, rfc3339};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use subtle::ConstantTimeEq;

const DIGEST_BYTES: usize = 32;

/// All keys. None means that everybody may do everything.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<Arc<Key>>);

/// One key.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    name: String,
    digest: [u8; DIGEST_BYTES],
    /// For each of [`Scope::ALL`].
    scopes: [bool; Scope::ALL.len()],
    /// Patterns of the names that its queues have in the store. Of these one must match.
    queues: Vec<Pattern>,
    /// What its queues' names in the store begin with. Its holder does not see that.
    root: String,
    /// When it ends.
    expires: Option<Timestamp>,
}

impl Keys {
    /// Reads a list: one key a line, or separated by `;`. Empty lines and those that begin with `#` say nothing. A key is a name,
    /// its digest, and further words in any order:
    ///
    /// ```text
    /// mailer sha256:9f86d0...0f00a08 scopes=insert,work queues=mail*,report-? expires=2027-06-30
    /// acme   sha256:60303a...8a8cdd2 scopes=insert,work,read root=acme/
    /// ```
    ///
    /// - `scopes`: of `insert`, `work`, `read` and `admin`, at least one;
    /// - `queues`: patterns of the queues that it is for, all unless given. `*` stands for any characters, `?` for one;
    /// - `root`: what its queues' names begin with, up to a `/`. Its holder does not see that ([`QueueName::below`]), but
    ///   `queues` has it: the names there are those in the store;
    /// - `expires`: a date or a time as in RFC 3339, from which on it is not valid. A date is its beginning in UTC.
    ///
    /// # Errors
    /// The number of the first line that is wrong, and what is wrong with it, without what could be a secret. A list that is not
    /// empty and has no key is wrong: whoever wrote it did not want to open everything to everybody.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut keys: Vec<Arc<Key>> = Vec::new();
        for (index, line) in list.split(['\n', ';']).enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |error: &str| format!("line {}: {error}", index + 1);
            let key = Key::parse(line).map_err(|error| wrong(&error))?;
            if keys.iter().any(|other| other.digest == key.digest) {
                return Err(wrong("another line has the same digest"));
            }
            keys.push(Arc::new(key));
        }
        if keys.is_empty() && !list.trim().is_empty() {
            return Err("line 1: there is no key in the list. An empty list opens everything".into());
        }
        Ok(Self(keys))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that somebody sent, when it is in the list. How long it takes depends on the number of keys alone.
    pub(super) fn find(&self, sent: &[u8]) -> Option<Arc<Key>> {
        let digest: [u8; DIGEST_BYTES] = Sha256::digest(sent).into();
        let mut found = None;
        for key in &self.0 {
            if bool::from(key.digest.ct_eq(&digest)) {
                found = Some(key.clone());
            }
        }
        found
    }
}

impl Key {
    fn parse(line: &str) -> Result<Self, String> {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default();
        if name.contains(['=', ':']) {
            return Err("it must begin with a name, in which neither = nor : is".into());
        }
        let digest = words.next().and_then(parse_digest);
        let digest = digest
            .ok_or("behind the name must be sha256: and 64 hexadecimal digits, those of a key that is not empty")?;
        let (mut scopes, mut queues, mut root, mut expires) = (None, None, None, None);
        for word in words {
            let (member, value) = word
                .split_once('=')
                .ok_or("behind the digest are only scopes=, queues=, root= and expires=")?;
            let is_new = match member {
                "scopes" => scopes.replace(parse_scopes(value)?).is_none(),
                "queues" => queues.replace(parse_queues(value)?).is_none(),
                "root" => root.replace(parse_root(value)?).is_none(),
                "expires" => expires.replace(parse_expires(value)?).is_none(),
                _ => return Err("behind the digest are only scopes=, queues=, root= and expires=".into()),
            };
            if !is_new {
                return Err(format!("{member}= is there twice"));
            }
        }
        Ok(Self {
            name: name.to_owned(),
            digest,
            scopes: scopes.ok_or("scopes= is missing: give at least one of insert, work, read, admin")?,
            queues: queues.unwrap_or_else(|| vec![Pattern::new("*")]),
            root: root.unwrap_or_default(),
            expires,
        })
    }

    /// What it is called in the log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has ended by this time.
    pub(super) fn has_expired(&self, now: &impl Fn() -> Timestamp) -> bool {
        self.expires.is_some_and(|end| now() >= end)
    }

    /// Whether it is for this operation, on some queue.
    pub(super) fn may(&self, operation: Operation) -> bool {
        self.has(operation.scope())
    }

    /// Whether it is for the queue that has this name in the store.
    pub(super) fn is_for(&self, stored: &str) -> bool {
        stored.starts_with(&self.root) && self.queues.iter().any(|pattern| pattern.matches(stored))
    }

    /// Whether it is for every queue there may be, and sees each by its name in the store.
    pub(super) fn is_for_all_queues(&self) -> bool {
        self.root.is_empty() && self.queues.contains(&Pattern::Prefix(String::new()))
    }

    pub(super) fn root(&self) -> &str {
        &self.root
    }

    pub(super) fn has(&self, scope: Scope) -> bool {
        Scope::ALL
            .iter()
            .zip(self.scopes)
            .any(|(known, is_given)| *known == scope && is_given)
    }

    /// The patterns of its queues' names, as its holder sees those: below its root.
    pub(super) fn patterns(&self) -> impl Iterator<Item = String> {
        self.queues.iter().filter_map(|pattern| pattern.below(&self.root))
    }
}

/// Shows no digest.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("name", &self.name).finish_non_exhaustive()
    }
}

fn parse_digest(word: &str) -> Option<[u8; DIGEST_BYTES]> {
    /// That of no text, which is what a shell gives whose variable is not set.
    const OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let digits = word.strip_prefix("sha256:")?;
    if digits.eq_ignore_ascii_case(OF_NOTHING) {
        return None;
    }
    let digits = digits.as_bytes();
    if digits.len() != 2 * DIGEST_BYTES || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut digest = [0; DIGEST_BYTES];
    for (byte, digits) in digest.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(digest)
}

fn parse_scopes(value: &str) -> Result<[bool; Scope::ALL.len()], String> {
    let mut scopes = [false; Scope::ALL.len()];
    for name in value.split(',') {
        let place = Scope::ALL
            .iter()
            .zip(&mut scopes)
            .find(|(scope, _)| scope.name() == name);
        let (_, is_given) = place.ok_or("scopes= must be some of insert, work, read, admin, separated by commas")?;
        *is_given = true;
    }
    Ok(scopes)
}

fn parse_queues(value: &str) -> Result<Vec<Pattern>, String> {
    let patterns = value.split(',');
    if patterns.clone().any(str::is_empty) {
        return Err("queues= must be patterns, separated by commas, none of them empty".into());
    }
    Ok(patterns.map(Pattern::new).collect())
}

fn parse_root(value: &str) -> Result<String, String> {
    // So that there is room behind it for a name of half the longest length at least.
    const MAX_BYTES: usize = QueueName::MAX_BYTES / 2;
    // Else the root `acme` would have the queues of the root `acmecorp/` in it.
    if !value.ends_with('/') || value.len() > MAX_BYTES || value.chars().any(char::is_control) {
        return Err(format!(
            "root= must be 1 to {MAX_BYTES} bytes without control characters, and end in /"
        ));
    }
    Ok(value.to_owned())
}

fn parse_expires(value: &str) -> Result<Timestamp, String> {
    let time = rfc3339::parse(value).or_else(|| rfc3339::parse(&format!("{value}T00:00:00Z")));
    time.ok_or_else(|| "expires= must be a date such as 2027-06-30, or a time such as 2027-06-30T12:00:00Z".into())
}

/// A pattern of names, in which `*` stands for any characters and `?` for one.
#[derive(Clone, PartialEq, Eq)]
enum Pattern {
    Exact(String),
    /// With a `*` at its end, and no other. Most patterns are like that, and matched quickly.
    Prefix(String),
    Any(Vec<char>),
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(exact) => f.write_str(exact),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
            Self::Any(pattern) => pattern.iter().try_for_each(|c| write!(f, "{c}")),
        }
    }
}

impl Pattern {
    fn new(pattern: &str) -> Self {
        let is_plain = |text: &str| !text.contains(['*', '?']);
        match pattern.strip_suffix('*') {
            Some(prefix) if is_plain(prefix) => Self::Prefix(prefix.to_owned()),
            None if is_plain(pattern) => Self::Exact(pattern.to_owned()),
            _ => Self::Any(pattern.chars().collect()),
        }
    }

    /// What is left of the pattern for names that begin with this root. `None` when none of them matches. One that may match in
    /// more ways than one pattern can say is told as all names: who goes beyond it is refused.
    fn below(&self, root: &str) -> Option<String> {
        let all = || "*".to_owned();
        match self {
            _ if root.is_empty() => Some(self.to_string()),
            Self::Exact(exact) => exact.strip_prefix(root).map(str::to_owned),
            Self::Prefix(prefix) if root.starts_with(prefix) => Some(all()),
            Self::Prefix(prefix) => prefix.strip_prefix(root).map(|rest| format!("{rest}*")),
            Self::Any(_) => self
                .to_string()
                .strip_prefix(root)
                .map(str::to_owned)
                .or_else(|| Some(all())),
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => name == exact,
            Self::Prefix(prefix) => name.starts_with(prefix),
            Self::Any(pattern) => matches(pattern, &name.chars().collect::<Vec<_>>()),
        }
    }
}

/// Whether a name matches a pattern. Takes at most the product of their lengths.
fn matches(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n) = (0, 0);
    // Behind the last `*`, and where what it stands for ends.
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = name.get(n) {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                star = Some((p, n));
            }
            Some(wanted) if *wanted == '?' || wanted == c => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((behind, end)) = star else { return false };
                (p, n) = (behind, end + 1);
                star = Some((behind, n));
            }
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"; // secret
    const OTHER: &str = "sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa"; // other

    fn key(more: &str) -> Arc<Key> {
        let keys = Keys::parse(&format!("k {DIGEST} scopes=read {more}")).unwrap();
        keys.find(b"secret").unwrap()
    }

    #[test]
    fn a_key_is_found_by_its_text_and_by_nothing_else() {
        let keys = Keys::parse(&format!("# keys\n\na {OTHER} scopes=insert;b {DIGEST} scopes=work;;")).unwrap();
        assert_eq!(keys.find(b"secret").unwrap().name(), "b");
        for wrong in [&b""[..], b"Secret", b"secret ", DIGEST.as_bytes(), b"a", b"b"] {
            assert!(keys.find(wrong).is_none(), "{wrong:?}");
        }
        assert!(Keys::parse(" \n ").unwrap().is_empty());
    }

    #[test]
    fn a_key_is_for_its_scopes_alone() {
        for (index, scope) in Scope::ALL.into_iter().enumerate() {
            let keys = Keys::parse(&format!("k {DIGEST} scopes={scope}")).unwrap();
            for operation in Operation::ALL {
                let is_given = operation.scope() == Scope::ALL[index];
                assert_eq!(keys.find(b"secret").unwrap().may(*operation), is_given, "{operation:?}");
            }
        }
    }

    #[test]
    fn a_pattern_matches_as_in_a_shell_but_for_slashes_which_are_as_other_characters() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "mail/new", true),
            ("mail*", "mail", true),
            ("mail*", "mailer", true),
            ("mail*", "email", false),
            ("*mail", "email", true),
            ("report-?", "report-1", true),
            ("report-?", "report-é", true),
            ("report-?", "report-", false),
            ("report-?", "report-12", false),
            ("a*b*c", "a--b--b--c", true),
            ("a*b*c", "a--b--b--", false),
            ("**", "x", true),
            ("a", "A", false),
            ("a", "a/b", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_is_matched_in_a_short_time() {
        assert!(!Pattern::new(&"*a".repeat(200)).matches(&"a".repeat(199)));
        assert!(!Pattern::new(&format!("{}b", "*a".repeat(250))).matches(&"a".repeat(512)));
    }

    #[test]
    fn a_root_and_patterns_must_both_fit() {
        let tenant = key("root=acme/ queues=acme/m*");
        assert!(
            tenant.is_for("acme/mail") && !tenant.is_for("acme/x") && !tenant.is_for("mail") && !tenant.is_for("acme")
        );
        assert!(
            !tenant.is_for_all_queues() && !key("root=a/").is_for_all_queues() && !key("queues=a*").is_for_all_queues()
        );
        assert!(key("").is_for_all_queues() && key("queues=a,*").is_for_all_queues());
        assert!(key("queues=a,b").is_for("b"));
    }

    #[test]
    fn a_key_ends_when_it_says() {
        let at = |text| rfc3339::parse(text).unwrap();
        let key_of = |expires: &str| key(&format!("expires={expires}"));
        let date = key_of("2027-06-30");
        assert!(
            !date.has_expired(&|| at("2027-06-29T23:59:59.999Z")) && date.has_expired(&|| at("2027-06-30T00:00:00Z"))
        );
        let time = key_of("2027-06-30T12:00:00+02:00");
        assert!(!time.has_expired(&|| at("2027-06-30T09:59:59Z")) && time.has_expired(&|| at("2027-06-30T10:00:00Z")));
        assert!(!key("").has_expired(&|| at("9999-12-31T00:00:00Z")));
    }

    #[test]
    fn what_is_wrong_with_a_list_is_told_with_its_line_and_without_what_may_be_a_secret() {
        let good = format!("k {DIGEST} scopes=read");
        for (line, why) in [
            ("k", "64 hexadecimal digits"),
            ("k secret scopes=read", "64 hexadecimal digits"),
            ("k sha256:2bb8 scopes=read", "64 hexadecimal digits"),
            (&format!("k {}", DIGEST.replace('b', "g")), "64 hexadecimal digits"),
            (&format!("{DIGEST} scopes=read"), "begin with a name"),
            (&format!("k {DIGEST}"), "scopes= is missing"),
            (&format!("k {DIGEST} scopes="), "scopes= must be"),
            (&format!("k {DIGEST} scopes=Read"), "scopes= must be"),
            (&format!("k {DIGEST} scopes=read,"), "scopes= must be"),
            (&format!("{good} scopes=work"), "scopes= is there twice"),
            (&format!("{good} queues=a,,b"), "queues= must be"),
            (&format!("{good} root="), "end in /"),
            (&format!("{good} root=acme"), "end in /"),
            (&format!("{good} root={}/", "r".repeat(256)), "root= must be 1 to 256"),
            (&good, "the same digest"),
            (
                "k sha256:E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 scopes=read",
                "not empty",
            ),
            (&format!("{good} expires=soon"), "expires= must be"),
            (&format!("{good} expires=2027-02-30"), "expires= must be"),
            (&format!("{good} secret"), "behind the digest"),
            (&format!("{good} secret=1"), "behind the digest"),
        ] {
            let error = Keys::parse(&format!("{good};# x\n{line}")).unwrap_err();
            assert!(error.starts_with("line 3: ") && error.contains(why), "{line}: {error}");
            assert!(!error.contains("secret") && !error.contains("2bb8"), "{error}");
        }
        for list in ["# none yet", ";", "\n;\n# a\n"] {
            assert!(Keys::parse(list).unwrap_err().contains("no key"), "{list:?}");
        }
    }
}

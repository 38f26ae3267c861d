//! The name of a queue.

use std::fmt;

/// The name of a queue: 1 to 512 bytes of UTF-8 without control characters, but not `.` or `..`.
///
/// These two mean a place in a path. Clients take them out of a URL before they send it (RFC 3986, section 5.2.4), also when
/// they are percent-encoded, so nobody could reach such a queue.
///
/// Case matters, and so does every other byte: `foo/` is not `foo`.
///
/// In the store a name may stand below a root, which whoever uses the name does not see: see [`QueueName::below`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QueueName {
    stored: String,
    /// How many bytes of that are the root.
    root: usize,
}

/// Why some bytes are not the name of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// There was nothing.
    Missing,
    /// Longer than [`QueueName::MAX_BYTES`], not UTF-8, with a control character, or `.` or `..`.
    Invalid,
}

impl QueueName {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 512;

    /// Takes a name as it was sent, after percent-decoding.
    ///
    /// # Errors
    /// [`NameError`] says what is wrong with it.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, NameError> {
        let bytes = bytes.into();
        if bytes.is_empty() {
            return Err(NameError::Missing);
        }
        if bytes.len() > Self::MAX_BYTES {
            return Err(NameError::Invalid);
        }
        let name = String::from_utf8(bytes).map_err(|_| NameError::Invalid)?;
        if name == "." || name == ".." || name.chars().any(char::is_control) {
            return Err(NameError::Invalid);
        }
        Ok(Self { stored: name, root: 0 })
    }

    /// The queue of this name below a root: in the store its name is the root and the name.
    ///
    /// # Errors
    /// [`NameError::Invalid`] when both together are longer than [`QueueName::MAX_BYTES`], or are no name.
    pub fn below(self, root: &str) -> Result<Self, NameError> {
        if root.is_empty() {
            return Ok(self);
        }
        let below = Self::new([root, self.as_str()].concat())?;
        Ok(Self {
            root: root.len(),
            ..below
        })
    }

    /// The queue of this name in the store, as it is seen below a root. `None` when it is not there, or has no name that could
    /// be sent.
    #[must_use]
    pub fn seen_below(self, root: &str) -> Option<Self> {
        let name = self.stored.strip_prefix(root)?;
        Self::new(name).ok()?.below(root).ok()
    }

    /// The name as it came, for answers.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.stored.get(self.root..).unwrap_or_default()
    }

    /// The root. Empty for a queue below none.
    #[must_use]
    pub fn root(&self) -> &str {
        self.stored.get(..self.root).unwrap_or_default()
    }

    /// The name in the store: the root, and the name as it came.
    #[must_use]
    pub fn stored(&self) -> &str {
        &self.stored
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_printable_utf8_up_to_512_bytes_is_a_name() {
        for name in [
            "foo",
            "0",
            ".a",
            "...",
            "a/..",
            "a/b",
            "foo/",
            " ",
            "é€😀",
            "{x}",
            &"n".repeat(512),
        ] {
            assert_eq!(QueueName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn no_bytes_are_no_name() {
        assert_eq!(QueueName::new(""), Err(NameError::Missing));
    }

    #[test]
    fn too_long_not_utf8_a_control_character_or_a_place_in_a_path_is_invalid() {
        let long = "n".repeat(513);
        for bytes in [
            long.as_bytes(),
            b"\xff",
            b"a\nb",
            b"a\0",
            "\u{85}".as_bytes(),
            b".",
            b"..",
        ] {
            assert_eq!(QueueName::new(bytes), Err(NameError::Invalid), "{bytes:?}");
        }
    }

    #[test]
    fn a_name_below_a_root_is_stored_with_it_and_shown_without() {
        let name = |text: &str| QueueName::new(text).unwrap();
        let mail = name("mail").below("acme/").unwrap();
        assert_eq!((mail.as_str(), mail.stored()), ("mail", "acme/mail"));
        assert_eq!(mail.to_string(), "mail");
        assert_ne!(mail, name("mail"));
        assert_eq!(name("acme/mail").seen_below("acme/"), Some(mail));
        assert_eq!(name("mail").below("").unwrap(), name("mail"));
        for unseen in ["acme/", "acme", "acm", "other/mail", "acme/.", "acme/.."] {
            assert_eq!(name(unseen).seen_below("acme/"), None, "{unseen}");
        }
        assert_eq!(
            QueueName::new("n".repeat(508)).unwrap().below("acme/"),
            Err(NameError::Invalid)
        );
        assert!(QueueName::new("n".repeat(507)).unwrap().below("acme/").is_ok());
    }
}

//! The password of a server.

use std::fmt::{self, Write};

use anyhow::{Context, Result};

/// How many random bytes a password is made of.
const BYTES: usize = 24;

/// A password, of any characters. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub(super) String);

impl Password {
    /// One that nobody can guess, of hexadecimal digits.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn random() -> Result<Self> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).context("the system gives no random numbers")?;
        let mut text = String::new();
        for byte in bytes {
            write!(text, "{byte:02x}")?;
        }
        Ok(Self(text))
    }

    /// The password itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As Redis reads it in its configuration and in commands that are typed in: in quotes, the bytes as `\xHH`.
    pub(super) fn quoted(&self) -> String {
        let bytes: String = self.0.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
        format!("\"{bytes}\"")
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

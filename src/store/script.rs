//! A Lua script that Redis knows by its hash.

use super::redis::{Redis, RedisError, Reply};
use sha1_smol::Sha1;
use std::sync::OnceLock;

/// A script and its hash. Made with [`script!`](super::script::script).
pub(super) struct Script {
    source: &'static str,
    sha1: OnceLock<String>,
}

/// Joins the named pieces of `shared/`, in this order, and a script's own file into one [`Script`].
///
/// Each script has just the pieces that it uses: Redis makes all their functions anew each time it runs.
macro_rules! script {
    ($file:literal $(, $piece:ident)*) => {
        $crate::store::script::Script::new(concat!(
            $(include_str!(concat!("shared/", stringify!($piece), ".lua")), "\n",)*
            include_str!($file)
        ))
    };
}
pub(super) use script;

impl Script {
    pub(super) const fn new(source: &'static str) -> Self {
        Self {
            source,
            sha1: OnceLock::new(),
        }
    }

    /// Runs the script by its hash. A server that does not know it (a new one, or after `SCRIPT FLUSH`) is sent the
    /// text, and knows it from then on.
    pub(super) async fn run(
        &self,
        redis: &impl Redis,
        keys: &[String],
        args: &[&[u8]],
    ) -> Result<Vec<Reply>, RedisError> {
        let sha1 = self.sha1.get_or_init(|| Sha1::from(self.source).digest().to_string());
        let count = keys.len().to_string();
        let mut all: Vec<&[u8]> = Vec::with_capacity(2 + keys.len() + args.len());
        all.push(sha1.as_bytes());
        all.push(count.as_bytes());
        all.extend(keys.iter().map(String::as_bytes));
        all.extend(args);
        match redis.command("EVALSHA", &all).await {
            Err(RedisError::NoScript) => {
                if let Some(first) = all.first_mut() {
                    *first = self.source.as_bytes();
                }
                redis.command("EVAL", &all).await
            }
            result => result,
        }
    }
}

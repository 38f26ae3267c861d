//! Taking paths apart, and writing parts of them.

use crate::queue::{NameError, QueueName};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What is written as `%XX` in a segment: all but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The queue that a path names: all that follows the prefix and its slash, percent-decoded. `+` stays a plus.
///
/// # Errors
/// [`NameError::Missing`] when nothing follows, [`NameError::Invalid`] when it cannot be a name.
pub fn name_after(prefix: &str, path: &str) -> Result<QueueName, NameError> {
    let rest = path.strip_prefix(prefix).unwrap_or_default();
    let name = rest.strip_prefix('/').unwrap_or_default();
    QueueName::new(percent_decode_str(name).collect::<Vec<u8>>())
}

/// The segments of a path, as they were sent. A slash at the end makes none.
#[must_use]
pub fn segments(path: &str) -> Vec<&str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.strip_suffix('/').unwrap_or(path).split('/').collect()
}

/// The bytes that a segment stands for. `+` stays a plus.
#[must_use]
pub fn decode_segment(segment: &str) -> Vec<u8> {
    percent_decode_str(segment).collect()
}

/// A text as one segment of a path.
#[must_use]
pub fn encode_segment(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_all_that_follows_the_prefix() {
        let cases = [
            ("/q/foo", "foo"),
            ("/q/a/b", "a/b"),
            ("/q/a%2Fb", "a/b"),
            ("/q/a+b", "a+b"),
            ("/q/foo/", "foo/"),
            ("/q//", "/"),
            ("/q/%C3%A9", "é"),
            ("/q/é", "é"),
            ("/q/100%", "100%"),
        ];
        for (path, name) in cases {
            assert_eq!(name_after("/q", path).unwrap().as_str(), name, "{path}");
        }
    }

    #[test]
    fn without_more_than_the_prefix_there_is_no_name() {
        for path in ["/q", "/q/", "/other"] {
            assert_eq!(name_after("/q", path), Err(NameError::Missing), "{path}");
        }
        assert_eq!(name_after("/q", "/q/%ff"), Err(NameError::Invalid));
    }

    #[test]
    fn a_path_has_its_segments_and_one_slash_at_its_end_is_none() {
        assert_eq!(segments("/v1/queues/a%2Fb/"), ["v1", "queues", "a%2Fb"]);
        assert_eq!(segments("/v1//jobs"), ["v1", "", "jobs"]);
        assert_eq!(segments("/v1/queues//"), ["v1", "queues", ""]);
        assert_eq!(segments("/"), [""]);
    }

    #[test]
    fn a_segment_reads_back_as_it_was() {
        for text in ["foo", "a/b", "100%", "a+b c", "é€😀", "?#&", "-._~"] {
            let segment = encode_segment(text);
            assert!(
                segment.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/'),
                "{segment}"
            );
            assert_eq!(decode_segment(&segment), text.as_bytes());
        }
    }
}

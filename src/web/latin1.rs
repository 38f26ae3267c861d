//! Bytes as text, as clients that know no UTF-8 mean them.

/// The characters of a text. A byte that is not UTF-8 stands for the character of that number in Latin-1: that is what the
/// clients meant that send such bytes.
pub fn latin1_chars(bytes: &[u8]) -> impl Iterator<Item = char> {
    bytes.utf8_chunks().flat_map(|chunk| {
        let invalid = chunk.invalid().iter().map(|&byte| char::from(byte));
        chunk.valid().chars().chain(invalid)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_stays_and_other_bytes_are_latin1() {
        let text: String = latin1_chars(b"caf\xe9 \xc3\xa9\xff").collect();
        assert_eq!(text, "café éÿ");
    }
}

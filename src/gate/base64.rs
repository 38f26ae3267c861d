//! Base64 as clients write it for logins.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The bytes that a text stands for, with padding or without. `None` when it is not base64.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    const PLAIN: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    PLAIN.decode(text).ok()
}

//! Base64 as clients write it: with padding or without.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// The bytes that a text stands for. `None` when it is not base64.
pub(super) fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    const PLAIN: GeneralPurpose = GeneralPurpose::new(&STANDARD, CONFIG);
    PLAIN.decode(text).ok()
}

/// The same, for data: bits that are left over at the end do no harm.
pub(super) fn decode_leniently(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(&STANDARD, CONFIG.with_decode_allow_trailing_bits(true));
    LENIENT.decode(text).ok()
}

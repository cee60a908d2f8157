//! Encoded values: whatever is accepted is written again as it was read.

use caraway_plugin::Value;

/// Checks one input.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(value) = Value::decode(bytes) else {
        return;
    };
    // Not the same bytes, since the keys of maps are sorted, but as many. NaN is not equal to itself: the encodings
    // are compared.
    let encoded = value.encode();
    assert_eq!(encoded.len(), bytes.len());
    let again =
        Value::decode(&encoded).unwrap_or_else(|error| panic!("{value:?} is not read again: {error}"));
    assert_eq!(again.encode(), encoded);
    for len in 0..encoded.len().min(64) {
        assert!(Value::decode(&encoded[..len]).is_err(), "{value:?} cut to {len} bytes is a value");
    }
}

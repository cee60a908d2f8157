//! Values that cross a plugin's boundary, and their compact encoding.

use std::collections::BTreeMap;
use std::fmt;

/// Deepest nesting of arrays and maps that an encoding may have.
pub const MAX_DEPTH: usize = 128;

/// A value of a script, as plugins see it.
///
/// Scalars, strings and arrays of numbers cross a native boundary as machine words and slices; everything
/// else is encoded with [`Value::encode`], so that what a broken plugin sends is checked, not trusted.
///
/// ```
/// use caraway_plugin::Value;
///
/// let value = Value::Array(vec![Value::Int(1), Value::String("two".into())]);
/// assert_eq!(Value::decode(&value.encode())?, value);
/// # Ok::<(), caraway_plugin::DecodeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// `()`.
    #[default]
    Unit,
    /// A bool.
    Bool(bool),
    /// An int.
    Int(i64),
    /// A float.
    Float(f64),
    /// A char.
    Char(char),
    /// A string.
    String(String),
    /// A blob.
    Bytes(Vec<u8>),
    /// An array.
    Array(Vec<Value>),
    /// A map.
    Map(BTreeMap<String, Value>),
}

/// An encoding that is not one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// It ends in the middle of a value.
    Truncated,
    /// It goes on after the value.
    TrailingBytes,
    /// No value begins with this byte.
    UnknownTag(u8),
    /// A string or key is not UTF-8.
    InvalidUtf8,
    /// A char is not a Unicode scalar value.
    InvalidChar(u32),
    /// A map has the same key twice.
    DuplicateKey(String),
    /// Arrays and maps nest deeper than [`MAX_DEPTH`].
    TooDeep,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the encoded value ends too early"),
            Self::TrailingBytes => f.write_str("bytes follow the encoded value"),
            Self::UnknownTag(tag) => write!(f, "no value has the tag {tag}"),
            Self::InvalidUtf8 => f.write_str("a string is not UTF-8"),
            Self::InvalidChar(code) => write!(f, "{code:#x} is not a char"),
            Self::DuplicateKey(key) => write!(f, "the key {key:?} stands twice"),
            Self::TooDeep => write!(f, "values nest deeper than {MAX_DEPTH}"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// The first byte of each encoded value. Part of the native contract: numbers are never reused.
mod tag {
    pub(super) const UNIT: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    pub(super) const INT: u8 = 3;
    pub(super) const FLOAT: u8 = 4;
    pub(super) const CHAR: u8 = 5;
    pub(super) const STRING: u8 = 6;
    pub(super) const BYTES: u8 = 7;
    pub(super) const ARRAY: u8 = 8;
    pub(super) const MAP: u8 = 9;
}

impl Value {
    /// The value's encoding: a tag byte, then its content, all numbers little-endian, lengths as `u32`.
    ///
    /// | value | tag | content |
    /// | --- | --- | --- |
    /// | `()`, `false`, `true` | 0, 1, 2 | none |
    /// | int, float | 3, 4 | 8 bytes |
    /// | char | 5 | 4 bytes |
    /// | string, bytes | 6, 7 | length, then the bytes |
    /// | array | 8 | count, then the values |
    /// | map | 9 | count, then key (length, bytes) and value in turn |
    ///
    /// What nests deeper than [`MAX_DEPTH`] is left out, and [`decode`](Value::decode) refuses the rest as too
    /// deep.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_at(0, &mut out);
        out
    }

    /// Appends the value's encoding to `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        self.encode_at(0, out);
    }

    /// The value's encoding, if it has one.
    #[cfg(feature = "export")]
    pub(crate) fn into_encoded(self) -> Result<Vec<u8>, DecodeError> {
        let mut out = Vec::new();
        if self.encode_at(0, &mut out) {
            return Ok(out);
        }
        self.take_apart();
        Err(DecodeError::TooDeep)
    }

    /// Whether all of the value was appended.
    fn encode_at(&self, depth: usize, out: &mut Vec<u8>) -> bool {
        match self {
            Value::Unit => out.push(tag::UNIT),
            Value::Bool(false) => out.push(tag::FALSE),
            Value::Bool(true) => out.push(tag::TRUE),
            Value::Int(int) => {
                out.push(tag::INT);
                out.extend_from_slice(&int.to_le_bytes());
            }
            Value::Float(float) => {
                out.push(tag::FLOAT);
                out.extend_from_slice(&float.to_le_bytes());
            }
            Value::Char(char) => {
                out.push(tag::CHAR);
                out.extend_from_slice(&u32::from(*char).to_le_bytes());
            }
            Value::String(text) => {
                out.push(tag::STRING);
                encode_bytes(out, text.as_bytes());
            }
            Value::Bytes(bytes) => {
                out.push(tag::BYTES);
                encode_bytes(out, bytes);
            }
            Value::Array(items) => {
                out.push(tag::ARRAY);
                if depth >= MAX_DEPTH {
                    return false;
                }
                encode_len(out, items.len());
                return items.iter().all(|item| item.encode_at(depth + 1, out));
            }
            Value::Map(entries) => {
                out.push(tag::MAP);
                if depth >= MAX_DEPTH {
                    return false;
                }
                encode_len(out, entries.len());
                return entries.iter().all(|(key, value)| {
                    encode_bytes(out, key.as_bytes());
                    value.encode_at(depth + 1, out)
                });
            }
        }
        true
    }

    /// Drops the value level by level: dropped as a whole, one that nests deep overflows the stack.
    #[cfg(feature = "export")]
    fn take_apart(self) {
        let mut values = vec![self];
        while let Some(value) = values.pop() {
            match value {
                Value::Array(items) => values.extend(items),
                Value::Map(entries) => values.extend(entries.into_values()),
                _ => {}
            }
        }
    }

    /// The value that `bytes` encode, all of them.
    ///
    /// # Errors
    ///
    /// Everything that [`encode`](Value::encode) does not write is refused; memory is never allocated for
    /// more than the bytes that are there.
    pub fn decode(bytes: &[u8]) -> Result<Value, DecodeError> {
        let mut reader = Reader { bytes };
        let value = reader.value(0)?;
        if reader.bytes.is_empty() { Ok(value) } else { Err(DecodeError::TrailingBytes) }
    }

    /// What the value is called in messages: `int`, `array`, ...
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Unit => "()",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Char(_) => "char",
            Value::String(_) => "string",
            Value::Bytes(_) => "bytes",
            Value::Array(_) => "array",
            Value::Map(_) => "map",
        }
    }
}

/// The content of a value of one type; `None` for others.
impl Value {
    /// The bool that it is.
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(bool) = self { Some(*bool) } else { None }
    }

    /// The int that it is.
    pub fn as_int(&self) -> Option<i64> {
        if let Value::Int(int) = self { Some(*int) } else { None }
    }

    /// The float that it is, or that its int is.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Value::Float(float) => Some(*float),
            Value::Int(int) => Some(*int as f64),
            _ => None,
        }
    }

    /// The string that it is.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    /// The blob that it is.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Value::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// The items of the array that it is.
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Value::Array(items) = self { Some(items) } else { None }
    }

    /// The entries of the map that it is.
    pub fn as_map(&self) -> Option<&BTreeMap<String, Value>> {
        if let Value::Map(entries) = self { Some(entries) } else { None }
    }

    /// The value at `key` of the map that it is.
    ///
    /// ```
    /// use caraway_plugin::Value;
    ///
    /// let point = Value::from([("x", Value::from(1)), ("y", Value::from(2.5))]);
    /// assert_eq!(point.get("y").and_then(Value::as_float), Some(2.5));
    /// assert_eq!(point.get("z"), None);
    /// ```
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }
}

macro_rules! from {
    ($($ty:ty => |$value:pat_param| $convert:expr),* $(,)?) => {$(
        impl From<$ty> for Value {
            fn from(value: $ty) -> Self {
                let $value = value;
                $convert
            }
        }
    )*};
}

from!(
    () => |()| Value::Unit,
    bool => |bool| Value::Bool(bool),
    i64 => |int| Value::Int(int),
    f64 => |float| Value::Float(float),
    char => |char| Value::Char(char),
    &str => |text| Value::String(text.to_owned()),
    String => |text| Value::String(text),
    Vec<u8> => |bytes| Value::Bytes(bytes),
    Vec<Value> => |items| Value::Array(items),
    BTreeMap<String, Value> => |entries| Value::Map(entries),
);

impl<const N: usize> From<[(&str, Value); N]> for Value {
    fn from(entries: [(&str, Value); N]) -> Self {
        Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
}

fn encode_len(out: &mut Vec<u8>, len: usize) {
    // A value of over 4 GiB cannot be built under any host's limits; a saturated length fails to decode.
    out.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
}

fn encode_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    encode_len(out, bytes.len());
    out.extend_from_slice(bytes);
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self.bytes.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        self.bytes = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, tail) = self.bytes.split_first_chunk::<N>().ok_or(DecodeError::Truncated)?;
        self.bytes = tail;
        Ok(*head)
    }

    fn len(&mut self) -> Result<usize, DecodeError> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    fn text(&mut self) -> Result<String, DecodeError> {
        let len = self.len()?;
        let text = std::str::from_utf8(self.take(len)?).map_err(|_| DecodeError::InvalidUtf8)?;
        Ok(text.to_owned())
    }

    fn value(&mut self, depth: usize) -> Result<Value, DecodeError> {
        let [tag] = self.array()?;
        if depth >= MAX_DEPTH && (tag == tag::ARRAY || tag == tag::MAP) {
            return Err(DecodeError::TooDeep);
        }
        Ok(match tag {
            tag::UNIT => Value::Unit,
            tag::FALSE => Value::Bool(false),
            tag::TRUE => Value::Bool(true),
            tag::INT => Value::Int(i64::from_le_bytes(self.array()?)),
            tag::FLOAT => Value::Float(f64::from_le_bytes(self.array()?)),
            tag::CHAR => {
                let code = u32::from_le_bytes(self.array()?);
                Value::Char(char::from_u32(code).ok_or(DecodeError::InvalidChar(code))?)
            }
            tag::STRING => Value::String(self.text()?),
            tag::BYTES => {
                let len = self.len()?;
                Value::Bytes(self.take(len)?.to_vec())
            }
            tag::ARRAY => {
                let len = self.len()?;
                // A false count reserves next to nothing.
                let mut items = Vec::with_capacity(len.min(1024));
                for _ in 0..len {
                    items.push(self.value(depth + 1)?);
                }
                Value::Array(items)
            }
            tag::MAP => {
                let len = self.len()?;
                let mut entries = BTreeMap::new();
                for _ in 0..len {
                    let key = self.text()?;
                    let value = self.value(depth + 1)?;
                    if entries.contains_key(&key) {
                        return Err(DecodeError::DuplicateKey(key));
                    }
                    entries.insert(key, value);
                }
                Value::Map(entries)
            }
            other => return Err(DecodeError::UnknownTag(other)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Value {
        let mut map = BTreeMap::new();
        map.insert("k\0".to_owned(), Value::Float(-0.5));
        map.insert("ü".to_owned(), Value::Bytes(vec![0, 255]));
        Value::Array(vec![
            Value::Unit,
            Value::Bool(true),
            Value::Bool(false),
            Value::Int(i64::MIN),
            Value::Char('\u{10ffff}'),
            Value::String(String::new()),
            Value::Map(map),
        ])
    }

    #[test]
    fn every_value_survives() {
        assert_eq!(Value::decode(&sample().encode()).unwrap(), sample());
    }

    #[test]
    fn every_cut_is_refused() {
        let bytes = sample().encode();
        for len in 0..bytes.len() {
            assert!(Value::decode(&bytes[..len]).is_err(), "cut at {len}");
        }
    }

    #[test]
    fn lies_are_refused() {
        for (bytes, error) in [
            (vec![200], DecodeError::UnknownTag(200)),
            (vec![0, 0], DecodeError::TrailingBytes),
            (vec![8, 255, 255, 255, 255], DecodeError::Truncated),
            (vec![6, 1, 0, 0, 0, 255], DecodeError::InvalidUtf8),
            (vec![5, 0, 0xd8, 0, 0], DecodeError::InvalidChar(0xd800)),
            (vec![9, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], DecodeError::DuplicateKey(String::new())),
            ([8, 1, 0, 0, 0].repeat(100_000), DecodeError::TooDeep),
        ] {
            assert_eq!(Value::decode(&bytes).unwrap_err(), error);
        }
    }
}

//! Values of scripts as bytes.

use super::{LARGE, Malformed, Reader, Writer};
use caraway_loaders_core::bind::conform::{MAX_DEPTH, type_name};
use caraway_loaders_core::buffer::{Buffer, Floats, Ints, Number};
use caraway_loaders_core::{Code, Error};
use rhai::{Array, Blob, Dynamic, Map};

const UNIT: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const FLOAT: u8 = 4;
const CHAR: u8 = 5;
const STRING: u8 = 6;
const BYTES: u8 = 7;
const ARRAY: u8 = 8;
const MAP: u8 = 9;
const INTS: u8 = 10;
const FLOATS: u8 = 11;
const FUNCTION: u8 = 12;
const LENT: u8 = 13;
const RETURNED: u8 = 14;
/// A buffer that both sides have.
const SHARED: u8 = 15;
/// The same as their namesakes, in memory that both sides have.
const STRING_THERE: u8 = 16;
const BYTES_THERE: u8 = 17;

/// A value that is not copied, because it is somebody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// A function of the sender's, for as long as the call lasts.
    Function(u32),
    /// A handle of the sender's.
    Lent { id: u64, class: String, plugin: String },
    /// A handle of the receiver's, which the sender was lent.
    Returned(u64),
}

/// Who knows what values that are not copied stand for.
pub(crate) trait References {
    /// What stands for a function or a handle.
    fn refer(&self, value: &Dynamic) -> Result<Foreign, Error>;

    /// What something stands for.
    fn resolve(&self, foreign: Foreign) -> Result<Dynamic, Malformed>;

    /// Puts something large where the receiver finds it.
    fn store(&self, bytes: &[u8]) -> Option<u64> {
        let _ = bytes;
        None
    }

    /// A copy of what the sender has put there.
    fn fetch(&self, place: u64, len: usize) -> Option<Vec<u8>> {
        let _ = (place, len);
        None
    }

    /// The number of a buffer, and whether the receiver has it already.
    fn share(&self, buffer: &Dynamic) -> Result<Option<(u32, bool)>, Error> {
        let _ = buffer;
        Ok(None)
    }

    /// A buffer that the sender has given a number.
    fn shared(&self, id: u32, buffer: &Dynamic) {
        let _ = (id, buffer);
    }

    /// The buffer that the sender means.
    fn known(&self, id: u32) -> Result<Dynamic, Malformed> {
        let _ = id;
        Err(Malformed("a value is no data"))
    }
}

/// Writes a value.
///
/// # Errors
///
/// [`Code::ValueRefused`] for what nests too deep or is of a type of the host's own; and what `references` refuses.
pub(crate) fn write_value(
    out: &mut Writer,
    value: &Dynamic,
    references: &dyn References,
) -> Result<(), Error> {
    write(out, value, references, 0)
}

fn write(out: &mut Writer, value: &Dynamic, references: &dyn References, depth: usize) -> Result<(), Error> {
    if value.is_unit() {
        out.u8(UNIT);
    } else if let Ok(int) = value.as_int() {
        out.u8(INT);
        out.u64(int.cast_unsigned());
    } else if let Ok(float) = value.as_float() {
        out.u8(FLOAT);
        out.u64(float.to_bits());
    } else if let Ok(yes) = value.as_bool() {
        out.u8(if yes { TRUE } else { FALSE });
    } else if let Ok(char) = value.as_char() {
        out.u8(CHAR);
        out.u32(char.into());
    } else if let Ok(text) = value.as_immutable_string_ref() {
        write_bytes(out, [STRING, STRING_THERE], text.as_bytes(), references);
    } else if let Ok(blob) = value.as_blob_ref() {
        write_bytes(out, [BYTES, BYTES_THERE], &blob, references);
    } else if let Ok(items) = value.as_array_ref() {
        out.u8(ARRAY);
        nested(depth)?;
        out.count(items.len());
        items.iter().try_for_each(|item| write(out, item, references, depth + 1))?;
    } else if let Ok(entries) = value.as_map_ref() {
        out.u8(MAP);
        nested(depth)?;
        out.count(entries.len());
        for (key, item) in &*entries {
            out.text(key);
            write(out, item, references, depth + 1)?;
        }
    } else if let Some(buffer) = Ints::of(value) {
        write_buffer(out, INTS, value, &buffer, references)?;
    } else if let Some(buffer) = Floats::of(value) {
        write_buffer(out, FLOATS, value, &buffer, references)?;
    } else {
        match references.refer(value)? {
            Foreign::Function(id) => {
                out.u8(FUNCTION);
                out.u32(id);
            }
            Foreign::Lent { id, class, plugin } => {
                out.u8(LENT);
                out.u64(id);
                out.text(&class);
                out.text(&plugin);
            }
            Foreign::Returned(id) => {
                out.u8(RETURNED);
                out.u64(id);
            }
        }
    }
    Ok(())
}

fn write_bytes(out: &mut Writer, [here, there]: [u8; 2], bytes: &[u8], references: &dyn References) {
    if bytes.len() >= LARGE
        && let Some(place) = references.store(bytes)
    {
        out.u8(there);
        out.u64(place);
        out.count(bytes.len());
        return;
    }
    out.u8(here);
    out.bytes(bytes);
}

fn read_there(from: &mut Reader<'_>, references: &dyn References) -> Result<Vec<u8>, Malformed> {
    let (place, len) = (from.u64()?, from.u32()? as usize);
    references.fetch(place, len).ok_or(Malformed("something is not where it should be"))
}

fn nested(depth: usize) -> Result<(), Error> {
    if depth < MAX_DEPTH {
        return Ok(());
    }
    let message = format!("nests deeper than {MAX_DEPTH} levels, which cannot cross a plugin's boundary");
    Err(Error::new(Code::ValueRefused, message))
}

/// A number as eight bytes.
pub(crate) trait Word: Number {
    fn to_word(self) -> [u8; 8];
    fn from_word(word: [u8; 8]) -> Self;
}

impl Word for i64 {
    fn to_word(self) -> [u8; 8] {
        self.to_le_bytes()
    }
    fn from_word(word: [u8; 8]) -> Self {
        Self::from_le_bytes(word)
    }
}

impl Word for f64 {
    fn to_word(self) -> [u8; 8] {
        self.to_le_bytes()
    }
    fn from_word(word: [u8; 8]) -> Self {
        Self::from_le_bytes(word)
    }
}

fn write_buffer<T: Word>(
    out: &mut Writer,
    tag: u8,
    value: &Dynamic,
    buffer: &Buffer<T>,
    references: &dyn References,
) -> Result<(), Error> {
    let shared = references.share(value)?;
    if let Some((id, true)) = shared {
        out.u8(SHARED);
        out.u32(id);
        return Ok(());
    }
    let numbers = buffer.read()?;
    out.u8(tag);
    out.option(shared, |out, (id, _)| out.u32(id));
    out.count(numbers.len());
    out.words(numbers.iter().map(|number| number.to_word()));
    Ok(())
}

fn read_buffer<T: Word>(from: &mut Reader<'_>, references: &dyn References) -> Result<Dynamic, Malformed> {
    let id = from.option(Reader::u32)?;
    let buffer = Dynamic::from(Buffer::<T>::from(from.words(T::from_word)?));
    if let Some(id) = id {
        references.shared(id, &buffer);
    }
    Ok(buffer)
}

/// Reads a value.
pub(crate) fn read_value(from: &mut Reader<'_>, references: &dyn References) -> Result<Dynamic, Malformed> {
    read(from, references, 0)
}

fn read(from: &mut Reader<'_>, references: &dyn References, depth: usize) -> Result<Dynamic, Malformed> {
    Ok(match from.u8()? {
        UNIT => Dynamic::UNIT,
        FALSE => false.into(),
        TRUE => true.into(),
        INT => from.u64()?.cast_signed().into(),
        FLOAT => f64::from_bits(from.u64()?).into(),
        CHAR => char::from_u32(from.u32()?).ok_or(Malformed("a char is none"))?.into(),
        STRING => {
            let text = from.text()?;
            from.room::<u8>(text.len())?;
            text.into()
        }
        BYTES => {
            let bytes = from.bytes()?;
            from.room::<u8>(bytes.len())?;
            Dynamic::from_blob(Blob::from(bytes))
        }
        STRING_THERE => {
            let text = String::from_utf8(read_there(from, references)?);
            text.map_err(|_| Malformed("a text is not UTF-8"))?.into()
        }
        BYTES_THERE => Dynamic::from_blob(read_there(from, references)?),
        ARRAY => {
            let count = counted(from, depth)?;
            from.room::<Dynamic>(count)?;
            let mut items = Array::with_capacity(count);
            for _ in 0..count {
                items.push(read(from, references, depth + 1)?);
            }
            items.into()
        }
        MAP => {
            let count = counted(from, depth)?;
            let mut entries = Map::new();
            for _ in 0..count {
                let key = from.text()?;
                from.room::<[usize; 4]>(1)?;
                entries.insert(key.into(), read(from, references, depth + 1)?);
            }
            entries.into()
        }
        INTS => read_buffer::<i64>(from, references)?,
        FLOATS => read_buffer::<f64>(from, references)?,
        SHARED => references.known(from.u32()?)?,
        FUNCTION => references.resolve(Foreign::Function(from.u32()?))?,
        LENT => {
            let (id, class, plugin) = (from.u64()?, from.string()?, from.string()?);
            references.resolve(Foreign::Lent { id, class, plugin })?
        }
        RETURNED => references.resolve(Foreign::Returned(from.u64()?))?,
        _ => return Err(Malformed("no value begins like this")),
    })
}

fn counted(from: &mut Reader<'_>, depth: usize) -> Result<usize, Malformed> {
    if depth >= MAX_DEPTH {
        return Err(Malformed("a value nests too deep"));
    }
    from.count(1)
}

/// For what may hold nothing but data, such as settings and thrown values.
pub(crate) struct DataOnly;

impl References for DataOnly {
    fn refer(&self, value: &Dynamic) -> Result<Foreign, Error> {
        let message = format!("holds {}, which is no data", type_name(value));
        Err(Error::new(Code::ValueRefused, message))
    }

    fn resolve(&self, _: Foreign) -> Result<Dynamic, Malformed> {
        Err(Malformed("a value is no data"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rhai::Engine;

    #[track_caller]
    fn written(script: &str) -> (Dynamic, Vec<u8>) {
        let value: Dynamic = Engine::new().eval(script).unwrap();
        let mut out = Writer::new(0);
        write_value(&mut out, &value, &DataOnly).unwrap();
        (value, out.as_bytes()[1..].to_vec())
    }

    const VALUES: &[&str] = &[
        "()",
        "true",
        "-1",
        "0.5",
        "'\\u00e9'",
        r#""text""#,
        "blob(3, 7)",
        r#"[1, [2.5, "x"], #{}]"#,
        r#"#{a: (), b: #{c: [true, 'x']}}"#,
    ];

    #[test]
    fn values_come_back() {
        for script in VALUES {
            let (value, bytes) = written(script);
            let mut reader = Reader::new(&bytes);
            let back = read_value(&mut reader, &DataOnly).unwrap();
            reader.end().unwrap();
            assert_eq!(format!("{back:?}"), format!("{value:?}"));
        }
    }

    #[test]
    fn buffers_come_back() {
        let mut out = Writer::new(0);
        let floats = Floats::from(vec![0.5, -0.0]);
        write_value(&mut out, &Dynamic::from(floats), &DataOnly).unwrap();
        let back = read_value(&mut Reader::new(&out.as_bytes()[1..]), &DataOnly).unwrap();
        assert_eq!(&Floats::of(&back).unwrap().read().unwrap()[..], [0.5, -0.0]);
    }

    #[test]
    fn what_is_cut_or_changed_does_no_harm() {
        for script in VALUES {
            let (_, bytes) = written(script);
            for end in 0..bytes.len() {
                assert!(read_value(&mut Reader::new(&bytes[..end]), &DataOnly).is_err());
            }
            for index in 0..bytes.len() {
                for byte in [0, 8, 9, 12, 31, 128, 255] {
                    let mut changed = bytes.clone();
                    changed[index] = byte;
                    let _ = read_value(&mut Reader::new(&changed), &DataOnly);
                }
            }
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth| (0..depth).fold(Dynamic::UNIT, |value, _| Array::from([value]).into());
        let mut out = Writer::new(0);
        assert!(write_value(&mut out, &nested(MAX_DEPTH), &DataOnly).is_ok());
        assert!(read_value(&mut Reader::new(&out.as_bytes()[1..]), &DataOnly).is_ok());
        let error = write_value(&mut Writer::new(0), &nested(MAX_DEPTH + 1), &DataOnly).unwrap_err();
        assert_eq!(error.code(), Code::ValueRefused);
        let bomb: Vec<u8> = [8, 1, 0, 0, 0].repeat(100_000);
        assert!(read_value(&mut Reader::new(&bomb), &DataOnly).is_err());
    }
}

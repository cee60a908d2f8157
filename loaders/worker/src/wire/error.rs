//! Errors as bytes.

use super::value::DataOnly;
use super::{Malformed, Reader, Writer, read_value, write_value};

use caraway_loaders_core::{Code, Error, Frame, Location};
use std::path::{Path, PathBuf};

/// How many errors may hang on one.
const MAX_OTHERS: usize = 1000;

/// Writes an error with all that belongs to it. What is in the file `here`, the sender's own, has no place for the
/// receiver.
pub(crate) fn write_error(out: &mut Writer, error: &Error, here: &Path) {
    let elsewhere = |location: &&Location| location.file != here;
    out.text(error.code().as_str());
    out.text(error.message());
    out.option(error.location().filter(elsewhere), write_location);
    out.option(error.hint_text(), Writer::text);
    let frames: Vec<&Frame> = error.frames().iter().filter(|frame| elsewhere(&&frame.location)).collect();
    out.list(frames.into_iter(), |out, frame| {
        out.text(&frame.function);
        write_location(out, &frame.location);
    });
    out.option(error.argument(), |out, index| out.u32(u32::try_from(index).unwrap_or(u32::MAX)));
    let thrown = error.thrown().and_then(|value| {
        let mut bytes = Writer::default();
        write_value(&mut bytes, value, &DataOnly).is_ok().then_some(bytes)
    });
    out.option(thrown, |out, bytes| out.bytes(bytes.as_bytes()));
    out.list(error.others().iter().take(MAX_OTHERS), |out, other| write_error(out, other, here));
}

fn write_location(out: &mut Writer, location: &Location) {
    out.text(&location.file.to_string_lossy());
    out.count(location.line);
    out.count(location.column);
}

/// Reads an error.
pub(crate) fn read_error(from: &mut Reader<'_>) -> Result<Error, Malformed> {
    read(from, true)
}

fn read(from: &mut Reader<'_>, outermost: bool) -> Result<Error, Malformed> {
    let code = from.text()?;
    let code = Code::ALL.iter().find(|known| known.as_str() == code).ok_or(Malformed("a code is unknown"))?;
    let mut error = Error::new(*code, from.text()?);
    if let Some(location) = from.option(read_location)? {
        error = error.at(location);
    }
    if let Some(hint) = from.option(Reader::text)? {
        error = error.hint(hint);
    }
    for (function, location) in from.list(|from| Ok((from.string()?, read_location(from)?)))? {
        error = error.through(function, location);
    }
    if let Some(index) = from.option(Reader::u32)? {
        error = error.about_argument(index as usize);
    }
    if let Some(bytes) = from.option(Reader::bytes)? {
        let mut thrown = Reader::new(bytes);
        error = error.throwing(read_value(&mut thrown, &DataOnly)?);
        thrown.end()?;
    }
    // Errors hang on the first one, and nothing hangs on them.
    let others =
        from.list(|from| if outermost { read(from, false) } else { Err(Malformed("errors nest")) })?;
    Ok(Error::from_many(std::iter::once(error.clone()).chain(others)).unwrap_or(error))
}

fn read_location(from: &mut Reader<'_>) -> Result<Location, Malformed> {
    let file = PathBuf::from(from.text()?);
    Ok(Location { file, line: from.u32()? as usize, column: from.u32()? as usize })
}

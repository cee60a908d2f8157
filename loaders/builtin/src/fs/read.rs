//! Reading, within bounds.

use super::target::{Failure, Target};
use cap_std::fs::{File, Metadata, OpenOptions};
use caraway_loaders_core::bind::CallError;
use caraway_loaders_core::{Code, Error, budget};
use std::io::Read;

/// Between two looks at the budget.
const CHUNK: u64 = 1 << 20;

/// The budget is looked at once in this many names.
const NAMES_PER_LOOK: usize = 1024;

/// A regular file's contents, if they are no more than `most` bytes. What it says of its size is checked
/// first, and then what it gives.
pub(super) fn all(target: &Target, path: &str, most: u64) -> Result<Vec<u8>, CallError> {
    let failed = |failure: Failure| failure.doing("read", path);
    // Looked at before it is opened too: opening a device may have effects.
    regular(&target.metadata().map_err(failed)?, path)?;
    let mut file = target.open_file(OpenOptions::new().read(true)).map_err(failed)?;
    let metadata = file.metadata().map_err(|error| failed(error.into()))?;
    regular(&metadata, path)?;
    no_process(&file, path)?;
    if metadata.len() > most {
        return Err(too_large(path, most).into());
    }
    within(&mut file, metadata.len(), most, path)
}

/// What a reader gives, if it ends within `most` bytes. `expected` is how much it may be.
fn within(reader: &mut impl Read, expected: u64, most: u64, path: &str) -> Result<Vec<u8>, CallError> {
    let mut bytes = Vec::with_capacity(usize::try_from(expected.min(most)).unwrap_or(0));
    loop {
        budget::check()?;
        let read = reader
            .take(CHUNK.min(most - bytes.len() as u64 + 1))
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::Io(error).doing("read", path))?;
        if bytes.len() as u64 > most {
            return Err(too_large(path, most).into());
        }
        if read == 0 {
            return Ok(bytes);
        }
    }
}

pub(super) fn regular(metadata: &Metadata, path: &str) -> Result<(), Error> {
    if metadata.is_file() {
        return Ok(());
    }
    let what = if metadata.is_dir() { "a folder" } else { "neither a file nor a folder" };
    Err(Error::new(Code::Io, format!("`{path}` is {what}")))
}

/// Refuses what the kernel shows of processes.
pub(super) fn no_process(file: &File, path: &str) -> Result<(), Error> {
    #[cfg(target_os = "linux")]
    {
        let system =
            rustix::fs::fstatfs(file).map_err(|error| Failure::Io(error.into()).doing("read", path))?;
        if system.f_type == rustix::fs::PROC_SUPER_MAGIC {
            return Err(Error::new(
                Code::Denied,
                format!("cannot open `{path}`: it shows a process from within, and is never granted"),
            )
            .hint("copy what the program needs to a file first"));
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, path);
    Ok(())
}

fn too_large(path: &str, most: u64) -> Error {
    Error::new(Code::Memory, format!("`{path}` is larger than {most} bytes, the most that may be read"))
}

/// The names in a folder, sorted, if there are no more than `most`.
pub(super) fn names(target: &Target, path: &str, most: usize) -> Result<Vec<String>, CallError> {
    let failed = |failure: Failure| failure.doing("list", path);
    let entries = target.open_dir().and_then(|dir| Ok(dir.entries()?)).map_err(failed)?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| failed(error.into()))?.file_name();
        let name = name.into_string().map_err(|name| {
            let shown = name.to_string_lossy();
            Error::new(Code::Io, format!("cannot list `{path}`: the name `{shown}` in it is not UTF-8"))
        })?;
        if names.len() >= most {
            return Err(Error::new(
                Code::Memory,
                format!("`{path}` holds more than {most} names, the limit for one array"),
            )
            .into());
        }
        names.push(name);
        if names.len().is_multiple_of(NAMES_PER_LOOK) {
            budget::check()?;
        }
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_grows_is_not_read_on_and_on() {
        for (size, most, expected) in [
            (0, 0, Some(0)),
            (5, 5, Some(5)),
            (6, 5, None),
            (3 * CHUNK, 3 * CHUNK, Some(3 * CHUNK)),
            (3 * CHUNK + 1, 3 * CHUNK, None),
            (u64::MAX, 2 * CHUNK, None),
        ] {
            let read = within(&mut std::io::repeat(7).take(size), 0, most, "f");
            match (read, expected) {
                (Ok(bytes), Some(expected)) => assert_eq!(bytes.len() as u64, expected),
                (Err(CallError::Error(error)), None) => assert_eq!(error.code(), Code::Memory),
                (read, _) => panic!("{size} {most}: {:?}", read.map(|bytes| bytes.len())),
            }
        }
    }
}

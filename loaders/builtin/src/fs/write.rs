//! Writing: whole files at once, or at the end.

use super::read::{no_process, regular};
use super::target::{Failure, Target};
use cap_fs_ext::MetadataExt;
use cap_std::fs::OpenOptions;
use cap_tempfile::TempFile;
use caraway_loaders_core::bind::CallError;
use caraway_loaders_core::{Code, Error, budget};
use std::io::{self, Write};

/// Between two looks at the budget.
const CHUNK: usize = 1 << 20;

/// Writes a file beside the old one and puts it in its place. A link is replaced, not followed.
pub(super) fn replace(target: &Target, path: &str, bytes: &[u8]) -> Result<(), CallError> {
    let failed = |failure: Failure| failure.doing("write", path);
    let (dir, name) = target.parent().map_err(failed)?;
    let old = match dir.symlink_metadata(&name) {
        Ok(old) if old.is_symlink() => None,
        Ok(old) => {
            regular(&old, path)?;
            Some(old)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error.into()).into()),
    };
    let mut new = TempFile::new(&dir).map_err(|error| failed(error.into()))?;
    write_all(new.as_file_mut(), path, bytes)?;
    if let Some(old) = old {
        new.as_file().set_permissions(old.permissions()).map_err(|error| failed(error.into()))?;
    }
    new.replace(&name).map_err(|error| failed(error.into()))?;
    Ok(())
}

/// Writes at the end of a regular file that has no other name.
pub(super) fn append(target: &Target, path: &str, bytes: &[u8]) -> Result<(), CallError> {
    let failed = |failure: Failure| failure.doing("write", path);
    match target.metadata() {
        Ok(old) => regular(&old, path)?,
        Err(failure) if failure.is_absence() => {}
        Err(failure) => return Err(failed(failure).into()),
    }
    let mut file = target.open_file(OpenOptions::new().append(true).create(true)).map_err(failed)?;
    let metadata = file.metadata().map_err(|error| failed(error.into()))?;
    regular(&metadata, path)?;
    no_process(&file, path)?;
    if MetadataExt::nlink(&metadata) > 1 {
        let message = format!("cannot append to `{path}`: the file has other names, which may lie elsewhere");
        return Err(Error::new(Code::Denied, message)
            .hint("read it and write it whole, which makes it a file of its own")
            .into());
    }
    write_all(&mut file, path, bytes)
}

fn write_all(file: &mut impl Write, path: &str, bytes: &[u8]) -> Result<(), CallError> {
    for chunk in bytes.chunks(CHUNK) {
        budget::check()?;
        file.write_all(chunk).map_err(|error| Failure::Io(error).doing("write", path))?;
    }
    Ok(())
}

//! `trust.toml`, read and changed.

use super::Trust;
use caraway_loaders_core::{Code, Error, Location};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The file's name, in `caraway` in the user's configuration directory.
const FILE_NAME: &str = "trust.toml";

/// Largest file, in bytes.
const MAX_BYTES: u64 = 16 << 20;

fn path() -> Option<PathBuf> {
    dirs::config_dir().map(|folder| folder.join("caraway").join(FILE_NAME))
}

pub(super) fn read() -> Result<Trust, Error> {
    match path() {
        Some(file) => read_from(&file),
        None => Ok(Trust::default()),
    }
}

fn read_from(file: &Path) -> Result<Trust, Error> {
    let wrong = |what: &str, place: Location| {
        Error::new(Code::Config, format!("what you have trusted cannot be read: {what}"))
            .at(place)
            .hint("mend the file, or remove it and answer again")
    };
    match std::fs::metadata(file) {
        Ok(metadata) if metadata.is_file() && metadata.len() <= MAX_BYTES => {}
        Ok(_) => return Err(wrong("it is no regular file, or too large", Location::file(file))),
        // A home that cannot be entered trusts nothing, and runs go on.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied
            ) =>
        {
            return Ok(Trust::default());
        }
        Err(error) => return Err(Error::io(file, "read", &error)),
    }
    let text = std::fs::read_to_string(file).map_err(|error| Error::io(file, "read", &error))?;
    toml::from_str(&text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        wrong(error.message(), Location::at_offset(file, &text, offset))
    })
}

/// Removes what killed processes have left beside the file.
#[cfg(feature = "install")]
pub(super) fn tidy() {
    if let Some(folder) = path().as_deref().and_then(Path::parent) {
        crate::replace::remove_leftovers(folder);
    }
}

#[cfg(feature = "cli")]
pub(super) fn change(work: impl FnOnce(&mut Trust)) -> Result<(), Error> {
    let Some(file) = path() else {
        return Err(Error::new(Code::Io, "there is no home folder to remember the answer in")
            .hint("set HOME or XDG_CONFIG_HOME; or grant with `--allow` each time"));
    };
    let failed = |error: std::io::Error| {
        Error::io(&file, "write", &error)
            .hint("without it nothing can be remembered; grant with `--allow` each time")
    };
    let folder = file.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let guard = std::fs::File::create(folder.join(".trust.lock")).map_err(failed)?;
    guard.lock().map_err(failed)?;
    let mut trust = read_from(&file)?;
    work(&mut trust);
    let text = toml::to_string(&trust)
        .map_err(|error| Error::new(Code::Internal, format!("the answer cannot be written: {error}")))?;
    let head = "# What you have allowed, by content. Made by caraway: `caraway trust --list` shows it.\n";
    crate::replace::replace(&file, format!("{head}{text}").as_bytes())
}

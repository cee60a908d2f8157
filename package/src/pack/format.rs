//! The formats that archives are written in.

use caraway_loaders_core::{Code, Error};
use std::path::Path;

/// A format, chosen by a file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackFormat {
    Zip,
    Tar,
    TarGz,
    TarZst,
}

/// What names end with.
const ENDINGS: &[(&str, PackFormat)] = &[
    (".tar.gz", PackFormat::TarGz),
    (".tgz", PackFormat::TarGz),
    (".tar.zst", PackFormat::TarZst),
    (".tar", PackFormat::Tar),
    (".zip", PackFormat::Zip),
];

impl PackFormat {
    /// A name without its ending, and the format that this stands for.
    pub(crate) fn split(name: &str) -> Option<(&str, Self)> {
        ENDINGS.iter().find_map(|(ending, format)| Some((name.strip_suffix(ending)?, *format)))
    }

    /// The format for an archive of this name.
    pub(crate) fn of(path: &Path) -> Result<Self, Error> {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let known = || {
            let endings: Vec<&str> = ENDINGS.iter().map(|(ending, _)| *ending).collect();
            format!("known are {}", endings.join(", "))
        };
        Self::split(&name).map(|(_, format)| format).ok_or_else(|| {
            Error::new(Code::Usage, format!("{} does not say what kind of archive it is", path.display()))
                .hint(known())
        })
    }
}

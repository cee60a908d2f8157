//! Writing archives of which equal contents give equal bytes.

use super::format::PackFormat;
use super::listing::{PackedFile, changed, open};
use caraway_loaders_core::Error;
use flate2::{Compression, GzBuilder};
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use tar::{EntryType, Header};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// When everything was changed last: 1980-01-01, before which a zip knows no time.
const TIME: u64 = 315_532_800;

/// How hard zstd tries, of 22.
const ZSTD_LEVEL: i32 = 12;

/// What a gzip's header says of the system that made it: unknown.
const UNKNOWN_SYSTEM: u8 = 255;

/// An archive that is being written.
pub(super) struct Archive<'a> {
    /// The plugin's folder.
    pub(super) root: &'a Path,
    /// The folder in the archive.
    pub(super) top: &'a str,
    pub(super) files: &'a [PackedFile],
    /// What the archive is called in messages.
    pub(super) name: &'a Path,
}

impl Archive<'_> {
    /// Writes it.
    pub(super) fn write(&self, to: &File, format: PackFormat) -> Result<(), Error> {
        let failed = |error: io::Error| self.failed(error);
        let to = BufWriter::new(to);
        match format {
            PackFormat::Zip => self.zip(to),
            PackFormat::Tar => self.tar(to)?.flush().map_err(failed),
            PackFormat::TarGz => {
                let header = GzBuilder::new().mtime(0).operating_system(UNKNOWN_SYSTEM);
                let written = self.tar(header.write(to, Compression::best()))?;
                written.finish().and_then(|mut to| to.flush()).map_err(failed)
            }
            PackFormat::TarZst => {
                let mut encoder = zstd::Encoder::new(to, ZSTD_LEVEL).map_err(failed)?;
                encoder.include_checksum(true).map_err(failed)?;
                let written = self.tar(encoder)?;
                written.finish().and_then(|mut to| to.flush()).map_err(failed)
            }
        }
    }

    fn tar<W: Write>(&self, to: W) -> Result<W, Error> {
        let mut tar = tar::Builder::new(to);
        for file in self.files {
            let mut header = Header::new_gnu();
            header.set_entry_type(EntryType::Regular);
            header.set_size(file.size);
            header.set_mode(mode(file));
            header.set_mtime(TIME);
            header.set_uid(0);
            header.set_gid(0);
            let mut content = self.content(file)?;
            tar.append_data(&mut header, self.inside(file), &mut content)
                .map_err(|error| self.failed(error))?;
            self.complete(file, content)?;
        }
        tar.into_inner().map_err(|error| self.failed(error))
    }

    fn zip<W: Write + io::Seek>(&self, to: W) -> Result<(), Error> {
        let mut zip = ZipWriter::new(to);
        for file in self.files {
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Deflated)
                .compression_level(Some(9))
                .last_modified_time(DateTime::default())
                .unix_permissions(mode(file));
            zip.start_file(self.inside(file), options).map_err(|error| self.failed(error.into()))?;
            let mut content = self.content(file)?;
            io::copy(&mut content, &mut zip).map_err(|error| self.failed(error))?;
            self.complete(file, content)?;
        }
        let mut to = zip.finish().map_err(|error| self.failed(error.into()))?;
        to.flush().map_err(|error| self.failed(error))
    }

    fn inside(&self, file: &PackedFile) -> String {
        format!("{}/{}", self.top, file.path)
    }

    fn content(&self, file: &PackedFile) -> Result<io::Take<File>, Error> {
        Ok(open(self.root, file)?.take(file.size))
    }

    /// Checks that a file was not shorter than listed.
    fn complete(&self, file: &PackedFile, content: io::Take<File>) -> Result<(), Error> {
        match content.limit() {
            0 => Ok(()),
            _ => Err(changed(&self.root.join(&file.path))),
        }
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::io(self.name, "write", &error).hint("is there room on the disk?")
    }
}

fn mode(file: &PackedFile) -> u32 {
    if file.executable { 0o755 } else { 0o644 }
}

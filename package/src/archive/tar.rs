//! Walking a tar: ustar, with the long names of pax and GNU.

use super::refusal::Refusal;
use super::tree::{Entry, Tree};
use std::io::{self, Read};
use std::path::Path;
use tar::{EntryType, Header, PaxExtensions};

/// The unit of a tar, in bytes.
const BLOCK: usize = 512;

/// Largest block of long names or pax records, in bytes.
const MAX_EXTENSION: u64 = 64 << 10;

/// Names of pax records that change nothing that is kept of an entry.
const HARMLESS: &[&str] = &["atime", "comment", "ctime", "gid", "gname", "mtime", "uid", "uname"];

/// Unpacks a tar into a tree, to its very end.
pub(super) fn walk(mut tar: impl Read, archive: &Path, tree: &mut Tree<'_>) -> Result<(), Refusal> {
    let mut walk = Walk { tar: &mut tar, archive };
    let mut next = Extensions::default();
    loop {
        let block = walk.block()?;
        if block.iter().all(|byte| *byte == 0) {
            next.none()?;
            return walk.end();
        }
        tree.count()?;
        let mut header = Header::new_old();
        header.as_mut_bytes().copy_from_slice(&block);
        let named = header.path_bytes().into_owned();
        walk.entry(&header, &named, &mut next, tree).map_err(|refusal| refusal.of(&named))?;
    }
}

/// What entries before one say of it.
#[derive(Default)]
struct Extensions {
    gnu_name: Option<Vec<u8>>,
    pax: Option<Pax>,
}

#[derive(Default)]
struct Pax {
    path: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Extensions {
    /// Checks that there are none, as there is no entry that they could belong to.
    fn none(&self) -> Result<(), Refusal> {
        match self.gnu_name.is_some() || self.pax.is_some() {
            true => Err(Refusal::new("it ends with a long name that belongs to no entry")),
            false => Ok(()),
        }
    }

    /// The name of an entry whose header says `named`.
    fn name(&mut self, named: &[u8], size: u64) -> Result<Vec<u8>, Refusal> {
        let pax = self.pax.take().unwrap_or_default();
        if pax.size.is_some_and(|other| other != size) {
            return Err(Refusal::new("has two sizes that differ"));
        }
        match (self.gnu_name.take(), pax.path) {
            (Some(gnu), Some(pax)) if gnu != pax => Err(Refusal::new("has two names that differ")),
            (Some(name), _) | (None, Some(name)) => Ok(name),
            (None, None) => Ok(named.to_vec()),
        }
    }
}

struct Walk<'a, R> {
    tar: &'a mut R,
    archive: &'a Path,
}

impl<R: Read> Walk<'_, R> {
    fn entry(
        &mut self,
        header: &Header,
        named: &[u8],
        next: &mut Extensions,
        tree: &mut Tree<'_>,
    ) -> Result<(), Refusal> {
        let wrong = |_: io::Error| Refusal::new("has a header that is damaged");
        check_sum(header)?;
        let size = header.entry_size().map_err(wrong)?;
        let mode = header.mode().map_err(wrong)?;
        match header.entry_type() {
            EntryType::GNULongName => {
                let name = self.extension(size)?;
                let name = name.strip_suffix(b"\0").unwrap_or(&name).to_vec();
                if next.gnu_name.replace(name).is_some() {
                    return Err(Refusal::new("has two long names"));
                }
                Ok(())
            }
            EntryType::XHeader => {
                let pax = pax(&self.extension(size)?)?;
                if next.pax.replace(pax).is_some() {
                    return Err(Refusal::new("has two pax headers"));
                }
                Ok(())
            }
            EntryType::XGlobalHeader => {
                let pax = pax(&self.extension(size)?)?;
                match pax.path.is_some() || pax.size.is_some() {
                    true => Err(Refusal::new("gives all entries one name or size")),
                    false => Ok(()),
                }
            }
            EntryType::Regular => {
                let name = next.name(named, size)?;
                let of_name = |refusal: Refusal| refusal.of(&name);
                special_bits(mode).map_err(of_name)?;
                if name.ends_with(b"/") {
                    return Err(Refusal::new("is a file with the name of a folder").of(&name));
                }
                let content = &mut *self.tar;
                let entry = Entry { content, size, executable: mode & 0o100 != 0 };
                tree.file(&name, entry).map_err(of_name)?;
                self.padding(size).map_err(of_name)
            }
            EntryType::Directory => {
                let name = next.name(named, size)?;
                let of_name = |refusal: Refusal| refusal.of(&name);
                special_bits(mode).map_err(of_name)?;
                if size != 0 {
                    return Err(Refusal::new("is a folder with content").of(&name));
                }
                tree.folder(&name).map_err(of_name)
            }
            other => {
                let name = next.name(named, size)?;
                Err(Refusal::new(refused_type(other)).of(&name))
            }
        }
    }

    fn block(&mut self) -> Result<[u8; BLOCK], Refusal> {
        let mut block = [0; BLOCK];
        self.fill(&mut block)?;
        Ok(block)
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Refusal> {
        self.tar.read_exact(buffer).map_err(|error| Refusal::reading(error, self.archive))
    }

    /// The content of an entry that describes the next one.
    fn extension(&mut self, size: u64) -> Result<Vec<u8>, Refusal> {
        if size > MAX_EXTENSION {
            return Err(Refusal::new(format!("has a name or pax header of more than {MAX_EXTENSION} bytes")));
        }
        let mut content = vec![0; usize::try_from(size).unwrap_or(0)];
        self.fill(&mut content)?;
        self.padding(size)?;
        Ok(content)
    }

    /// What follows content up to the next block.
    fn padding(&mut self, size: u64) -> Result<(), Refusal> {
        let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
        if over == 0 {
            return Ok(());
        }
        self.fill(&mut [0; BLOCK][over..])
    }

    /// The second block of zeros, and zeros after it.
    fn end(&mut self) -> Result<(), Refusal> {
        if self.block()?.iter().any(|byte| *byte != 0) {
            return Err(Refusal::new("it goes on after its end"));
        }
        let mut rest = [0; 4096];
        loop {
            match self.tar.read(&mut rest) {
                Ok(0) => return Ok(()),
                Ok(read) if rest[..read].iter().all(|byte| *byte == 0) => {}
                Ok(_) => return Err(Refusal::new("it goes on after its end")),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Refusal::reading(error, self.archive)),
            }
        }
    }
}

/// The sum of a header's bytes, with those of the sum itself as spaces.
fn check_sum(header: &Header) -> Result<(), Refusal> {
    let bytes = header.as_bytes();
    let sum: u32 = bytes[..148].iter().chain(&bytes[156..]).map(|byte| u32::from(*byte)).sum();
    match header.cksum() {
        Ok(said) if said == sum + 8 * u32::from(b' ') => Ok(()),
        _ => Err(Refusal::new("has a header whose checksum is wrong")),
    }
}

/// Refuses setuid, setgid and sticky.
pub(super) fn special_bits(mode: u32) -> Result<(), Refusal> {
    match mode & 0o7000 {
        0 => Ok(()),
        _ => Err(Refusal::new("has a setuid, setgid or sticky bit")),
    }
}

fn refused_type(found: EntryType) -> String {
    let what = match found {
        EntryType::Symlink => "is a symbolic link",
        EntryType::Link => "is a hard link",
        EntryType::Char | EntryType::Block => "is a device",
        EntryType::Fifo => "is a pipe",
        EntryType::GNUSparse => "is a sparse file",
        EntryType::GNULongLink => "is a link with a long name",
        other => return format!("is of the unknown type {:?}", char::from(other.as_byte())),
    };
    what.to_owned()
}

/// What pax records say, of which each may be there once.
fn pax(records: &[u8]) -> Result<Pax, Refusal> {
    let mut pax = Pax::default();
    let mut length = 0;
    for record in PaxExtensions::new(records) {
        let malformed = || Refusal::new("has a pax header that is malformed");
        let record = record.map_err(|_| malformed())?;
        let key = record.key().map_err(|_| malformed())?;
        let value = record.value_bytes();
        length += record_length(key, value);
        let twice = match key {
            "path" => {
                if value.contains(&0) {
                    return Err(malformed());
                }
                pax.path.replace(value.to_vec()).is_some()
            }
            "size" => {
                let size = record.value().ok().filter(|size| size.bytes().all(|b| b.is_ascii_digit()));
                let size = size.and_then(|size| size.parse().ok()).ok_or_else(malformed)?;
                pax.size.replace(size).is_some()
            }
            "linkpath" => return Err(Refusal::new("is a link")),
            key if key.starts_with("GNU.sparse") => return Err(Refusal::new("is a sparse file")),
            key if HARMLESS.contains(&key) => false,
            // Records of vendors, such as `SCHILY.xattr`.
            key if key.starts_with(|c: char| c.is_ascii_uppercase()) && key.contains('.') => false,
            key => return Err(Refusal::new(format!("has the unknown pax record `{key}`"))),
        };
        if twice {
            return Err(Refusal::new(format!("has the pax record `{key}` twice")));
        }
    }
    match length == records.len() {
        true => Ok(pax),
        false => Err(Refusal::new("has a pax header that is malformed")),
    }
}

/// The bytes of a record: its own length in digits, a space, `key=value`, a newline.
fn record_length(key: &str, value: &[u8]) -> usize {
    let rest = key.len() + value.len() + 3;
    let digits = |number: usize| number.to_string().len();
    let length = rest + digits(rest);
    rest + digits(length)
}

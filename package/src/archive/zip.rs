//! Walking a zip: each entry's own header must say what the central directory says.
//!
//! Entries lie one after the other from the first byte up to the central directory, so that nothing is hidden between
//! them and none is there for two names. The format is APPNOTE.TXT 6.3.10 of PKWARE.

use super::meter::{Meter, Packed, Unpacked};
use super::refusal::Refusal;
use super::tar::special_bits;
use super::tree::{Entry, Tree};
use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Signatures of the records.
const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

/// Bytes of the records before their names.
const LOCAL_BYTES: u64 = 30;
const CENTRAL_BYTES: usize = 46;
const END_BYTES: usize = 22;

/// Largest central directory, in bytes.
const MAX_DIRECTORY: u64 = 32 << 20;

/// Flags: how hard it was compressed, sizes follow the content, names are UTF-8.
const KNOWN_FLAGS: u16 = 0b110 | SIZES_FOLLOW | UTF8;
const SIZES_FOLLOW: u16 = 1 << 3;
const UTF8: u16 = 1 << 11;
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;

/// Systems that an entry was made on.
const UNIX: u8 = 3;
const MACOS: u8 = 19;

/// Extra fields: sizes of 64 bits, a name in UTF-8.
const ZIP64: u16 = 0x0001;
const UNICODE_PATH: u16 = 0x7075;

/// What the central directory says of an entry.
struct Record {
    name: Vec<u8>,
    /// Whether it was made on a system whose names are bytes, which are UTF-8 there without being marked as that.
    unix: bool,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u32,
    size: u32,
    /// Unix's mode, with the type of the file.
    mode: u32,
    offset: u32,
}

/// Unpacks a zip into a tree. `file` is `length` bytes long.
pub(super) fn walk<R: Read + Seek>(
    file: &mut R,
    length: u64,
    archive: &Path,
    meter: &Meter<'_>,
    tree: &mut Tree<'_>,
) -> Result<(), Refusal> {
    let mut walk = Walk { file: BufReader::new(file), archive };
    let (records, end) = walk.directory(length, tree)?;
    let mut position = 0;
    for (index, record) in records.iter().enumerate() {
        let next = records.get(index + 1).map_or(end, |record| u64::from(record.offset));
        position =
            walk.entry(record, position, next, meter, tree).map_err(|refusal| refusal.of(&record.name))?;
    }
    match position == end {
        true => Ok(()),
        false => Err(Refusal::new("it has bytes that belong to no entry")),
    }
}

struct Walk<'a, R> {
    file: R,
    archive: &'a Path,
}

impl<R: Read + Seek> Walk<'_, R> {
    fn bytes(&mut self, length: u64) -> Result<Vec<u8>, Refusal> {
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        self.file.read_exact(&mut bytes).map_err(|error| Refusal::reading(error, self.archive))?;
        Ok(bytes)
    }

    fn seek(&mut self, position: u64) -> Result<(), Refusal> {
        self.file
            .seek(SeekFrom::Start(position))
            .map(|_| ())
            .map_err(|error| Refusal::reading(error, self.archive))
    }

    /// The entries by where they lie, and where the central directory begins.
    fn directory(&mut self, length: u64, tree: &mut Tree<'_>) -> Result<(Vec<Record>, u64), Refusal> {
        let tail = length.min(END_BYTES as u64 + u64::from(u16::MAX));
        self.seek(length - tail)?;
        let tail = self.bytes(tail)?;
        let ends: Vec<usize> = tail
            .windows(END_BYTES)
            .enumerate()
            .filter(|(at, end)| {
                end.starts_with(&END) && at + END_BYTES + usize::from(u16_at(end, 20)) == tail.len()
            })
            .map(|(at, _)| at)
            .collect();
        let [at] = ends.as_slice() else {
            return Err(Refusal::new(match ends.is_empty() {
                true => "it is truncated, or has something after its end",
                false => "it has two ends",
            }));
        };
        let end = &tail[*at..];
        if [4, 6].iter().any(|at| u16_at(end, *at) != 0) || u16_at(end, 8) != u16_at(end, 10) {
            return Err(Refusal::new("it is a part of an archive"));
        }
        let (entries, size, offset) = (u16_at(end, 10), u32_at(end, 12), u32_at(end, 16));
        if entries == u16::MAX || size == u32::MAX || offset == u32::MAX {
            return Err(Refusal::new("it is a zip64, which is for larger archives"));
        }
        let (size, offset) = (u64::from(size), u64::from(offset));
        let end_at = length - tail.len() as u64 + *at as u64;
        if size > MAX_DIRECTORY || offset + size != end_at {
            return Err(Refusal::new("its directory is not where it should be"));
        }
        self.seek(offset)?;
        let directory = self.bytes(size)?;
        let mut rest = directory.as_slice();
        let mut records = Vec::new();
        for _ in 0..entries {
            tree.count()?;
            records.push(record(&mut rest)?);
        }
        if !rest.is_empty() {
            return Err(Refusal::new("its directory has more than it says"));
        }
        records.sort_by_key(|record| record.offset);
        Ok((records, offset))
    }

    /// Unpacks the entry that begins at `position`, and gives where it ends, which must be `next`.
    fn entry(
        &mut self,
        record: &Record,
        position: u64,
        next: u64,
        meter: &Meter<'_>,
        tree: &mut Tree<'_>,
    ) -> Result<u64, Refusal> {
        if u64::from(record.offset) != position {
            return Err(Refusal::new(match u64::from(record.offset) < position {
                true => "overlaps another entry",
                false => "has bytes before it that belong to no entry",
            }));
        }
        let folder = allowed(record)?;
        self.seek(position)?;
        let header = self.bytes(LOCAL_BYTES)?;
        if !header.starts_with(&LOCAL) {
            return Err(Refusal::new("is not where the directory says"));
        }
        let (name, extra) = (u64::from(u16_at(&header, 26)), u64::from(u16_at(&header, 28)));
        let content = position + LOCAL_BYTES + name + extra;
        let after = content + u64::from(record.packed);
        if after > next {
            return Err(Refusal::new("overlaps another entry"));
        }
        if name != record.name.len() as u64 || self.bytes(name)? != record.name {
            return Err(Refusal::new("has two names that differ"));
        }
        let extra = self.bytes(extra)?;
        check_extra(&extra, &record.name)?;
        agree(&header, record)?;
        if folder {
            if record.size != 0 {
                return Err(Refusal::new("is a folder with content"));
            }
            tree.folder(&record.name)?;
        }
        self.content(record, folder, meter, tree)?;
        meter.read(usize::try_from(content - position).unwrap_or(0));
        if record.flags & SIZES_FOLLOW == 0 {
            return Ok(after);
        }
        self.seek(after)?;
        let descriptor = self.bytes((next - after).min(16))?;
        let values = [record.crc, record.packed, record.size];
        let values: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        match descriptor == values || descriptor.strip_prefix(&DESCRIPTOR) == Some(&values) {
            true => Ok(after + descriptor.len() as u64),
            false => Err(Refusal::new("has sizes after it that differ from the directory's")),
        }
    }

    fn content(
        &mut self,
        record: &Record,
        folder: bool,
        meter: &Meter<'_>,
        tree: &mut Tree<'_>,
    ) -> Result<(), Refusal> {
        let packed = Packed(meter, self.file.by_ref().take(u64::from(record.packed)));
        let mut crc = Crc::new();
        match record.method {
            0 => {
                if record.packed != record.size {
                    return Err(Refusal::new("is not compressed and has two sizes"));
                }
                unpack(record, folder, Summed(Unpacked(meter, packed), &mut crc), tree)?;
            }
            _ => {
                let mut inflating = DeflateDecoder::new(packed);
                let content = Summed(Unpacked(meter, inflating.by_ref()), &mut crc);
                unpack(record, folder, content, tree)?;
                let mut more = [0];
                let more =
                    inflating.read(&mut more).map_err(|error| Refusal::reading(error, self.archive))?;
                if more != 0 || inflating.total_in() != u64::from(record.packed) {
                    return Err(Refusal::new("does not have the size that the directory says"));
                }
            }
        }
        match crc.sum() == record.crc {
            true => Ok(()),
            false => Err(Refusal::new("is damaged: its checksum is wrong")),
        }
    }
}

fn unpack(record: &Record, folder: bool, content: impl Read, tree: &mut Tree<'_>) -> Result<(), Refusal> {
    if folder {
        return Ok(());
    }
    let executable = record.mode & 0o100 != 0;
    tree.file(&record.name, Entry { content, size: u64::from(record.size), executable })
}

/// Takes the next record of the central directory off its front.
fn record(rest: &mut &[u8]) -> Result<Record, Refusal> {
    let damaged = || Refusal::new("its directory is damaged");
    let (header, after) = rest.split_at_checked(CENTRAL_BYTES).ok_or_else(damaged)?;
    if !header.starts_with(&CENTRAL) {
        return Err(damaged());
    }
    let (name, after) = after.split_at_checked(u16_at(header, 28).into()).ok_or_else(damaged)?;
    let (extra, after) = after.split_at_checked(u16_at(header, 30).into()).ok_or_else(damaged)?;
    let (_comment, after) = after.split_at_checked(u16_at(header, 32).into()).ok_or_else(damaged)?;
    *rest = after;
    if u16_at(header, 34) != 0 {
        return Err(Refusal::new("is in another part of the archive").of(name));
    }
    check_extra(extra, name).map_err(|refusal| refusal.of(name))?;
    let attributes = u32_at(header, 38);
    if attributes & 0x10 != 0 && !name.ends_with(b"/") {
        return Err(Refusal::new("is a folder with the name of a file").of(name));
    }
    Ok(Record {
        name: name.to_vec(),
        unix: matches!(header[5], UNIX | MACOS),
        flags: u16_at(header, 8),
        method: u16_at(header, 10),
        crc: u32_at(header, 16),
        packed: u32_at(header, 20),
        size: u32_at(header, 24),
        mode: attributes >> 16,
        offset: u32_at(header, 42),
    })
}

/// Whether an entry is a folder; refuses what is neither folder nor file, and what is not unpacked.
fn allowed(record: &Record) -> Result<bool, Refusal> {
    if record.flags & ENCRYPTED != 0 {
        return Err(Refusal::new("is encrypted"));
    }
    if record.flags & !KNOWN_FLAGS != 0 {
        return Err(Refusal::new(format!("has flags that are unknown: {:#06x}", record.flags)));
    }
    if !matches!(record.method, 0 | 8) {
        return Err(
            Refusal::new(format!("is compressed by method {}, not deflate", record.method)).of(&record.name)
        );
    }
    if record.flags & UTF8 == 0 && !record.unix && !record.name.is_ascii() {
        return Err(Refusal::new("has a name that is not marked as UTF-8"));
    }
    let folder = record.name.ends_with(b"/");
    match (record.mode & 0o170_000, folder) {
        (0, _) | (0o040_000, true) | (0o100_000, false) => {}
        (0o120_000, _) => return Err(Refusal::new("is a symbolic link")),
        (0o020_000 | 0o060_000, _) => return Err(Refusal::new("is a device")),
        (0o010_000, _) => return Err(Refusal::new("is a pipe")),
        (0o140_000, _) => return Err(Refusal::new("is a socket")),
        (0o040_000, false) => return Err(Refusal::new("is a folder with the name of a file")),
        (0o100_000, true) => return Err(Refusal::new("is a file with the name of a folder")),
        _ => return Err(Refusal::new("is of an unknown type")),
    }
    special_bits(record.mode)?;
    Ok(folder)
}

/// Compares an entry's own header with the directory's record.
fn agree(header: &[u8], record: &Record) -> Result<(), Refusal> {
    let differs = |what: &str| Err(Refusal::new(format!("has {what} that differ from the directory's")));
    if u16_at(header, 6) != record.flags {
        return differs("flags");
    }
    if u16_at(header, 8) != record.method {
        return differs("a method");
    }
    let said = [u32_at(header, 14), u32_at(header, 18), u32_at(header, 22)];
    let known = [record.crc, record.packed, record.size];
    if said == known || (record.flags & SIZES_FOLLOW != 0 && said == [0; 3]) {
        return Ok(());
    }
    differs("sizes or a checksum")
}

/// Checks fields of which each has a number, a length and content.
fn check_extra(mut extra: &[u8], name: &[u8]) -> Result<(), Refusal> {
    let malformed = || Refusal::new("has an extra field that is malformed");
    while !extra.is_empty() {
        let (head, rest) = extra.split_at_checked(4).ok_or_else(malformed)?;
        let (content, rest) = rest.split_at_checked(u16_at(head, 2).into()).ok_or_else(malformed)?;
        match u16_at(head, 0) {
            ZIP64 => return Err(Refusal::new("has sizes of 64 bits, which are for larger archives")),
            // A version, a checksum of the other name, the name.
            UNICODE_PATH if content.get(5..) != Some(name) => {
                return Err(Refusal::new("has two names that differ"));
            }
            _ => {}
        }
        extra = rest;
    }
    Ok(())
}

/// The sum of what is read.
struct Summed<'a, R>(R, &'a mut Crc);

impl<R: Read> Read for Summed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.0.read(buffer)?;
        self.1.update(&buffer[..bytes]);
        Ok(bytes)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).map_or(0, u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}

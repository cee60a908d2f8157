//! A file of which a little is read.

use object::ReadRef;
use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use std::cell::OnceCell;
use std::ffi::CStr;
use std::fs::File;
use std::ops::Range;

/// How many pieces are read at most.
const MAX_PIECES: usize = 8;

/// The least that is read at once: the headers of a library and the names of its symbols are mostly there together.
const LEAST: u64 = 4 << 10;

/// The most that is read at once. More than that is cheaper to map.
const MOST: u64 = 64 << 10;

const ALIGN: u64 = 16;

/// The pieces of a file that were asked for so far. Whoever asks for too many, or for too large ones, gets an error as if
/// they were not there.
pub(crate) struct Pieces<'f> {
    file: &'f File,
    size: u64,
    read: [OnceCell<Piece>; MAX_PIECES],
}

struct Piece {
    start: u64,
    bytes: Vec<u8>,
}

impl<'f> Pieces<'f> {
    /// Of a file of this size, which nobody changes.
    pub(crate) fn new(file: &'f File, size: u64) -> Self {
        Self { file, size, read: [const { OnceCell::new() }; MAX_PIECES] }
    }

    /// What follows a place in the file, at least so much of it.
    fn at(&self, start: u64, least: u64) -> Result<&[u8], ()> {
        let end = start.checked_add(least).filter(|end| *end <= self.size).ok_or(())?;
        for piece in &self.read {
            let piece = match piece.get() {
                Some(piece) => piece,
                None => {
                    let read = self.piece(start, least)?;
                    piece.get_or_init(|| read)
                }
            };
            if piece.start <= start && end <= piece.start + piece.bytes.len() as u64 {
                return piece.bytes.get((start - piece.start) as usize..).ok_or(());
            }
        }
        Err(())
    }

    fn piece(&self, start: u64, least: u64) -> Result<Piece, ()> {
        if least > MOST {
            return Err(());
        }
        // What is aligned in the file is aligned in memory.
        let offset = start % ALIGN;
        let start = start - offset;
        let size = (offset + least).max(LEAST).min(self.size - start);
        let mut bytes = Vec::with_capacity(size as usize);
        while (bytes.len() as u64) < size {
            let place = start + bytes.len() as u64;
            match rustix::io::pread(self.file, spare_capacity(&mut bytes), place) {
                Ok(0) => return Err(()),
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return Err(()),
            }
        }
        Ok(Piece { start, bytes })
    }
}

impl<'a> ReadRef<'a> for &'a Pieces<'_> {
    fn len(self) -> Result<u64, ()> {
        Ok(self.size)
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        if size == 0 {
            return Ok(&[]);
        }
        self.at(offset, size)?.get(..size as usize).ok_or(())
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        let bytes = self.at(range.start, 1)?;
        let within = range.end.saturating_sub(range.start).min(bytes.len() as u64);
        let bytes = bytes.get(..within as usize).ok_or(())?;
        if delimiter == 0 {
            return CStr::from_bytes_until_nul(bytes).map(CStr::to_bytes).map_err(|_| ());
        }
        let end = bytes.iter().position(|byte| *byte == delimiter).ok_or(())?;
        bytes.get(..end).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    fn file(bytes: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file
    }

    #[test]
    fn what_is_read_is_what_is_there() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
        let file = file(&bytes);
        let pieces = Pieces::new(&file, bytes.len() as u64);
        for (start, size) in [(0, 64), (8000, 400), (100_000, 60_000), (199_999, 1), (50, 8100), (200_000, 0)]
        {
            let read = (&pieces).read_bytes_at(start, size).unwrap();
            assert_eq!(read, &bytes[start as usize..(start + size) as usize], "{start}");
            // Once more, from what is there.
            assert_eq!((&pieces).read_bytes_at(start, size).unwrap(), read);
        }
        assert_eq!((&pieces).read_bytes_at_until(251..600, 3), Ok(&[0, 1, 2][..]));
        for (start, size) in [(199_999, 2), (0, 65_537), (u64::MAX, 2), (u64::MAX, u64::MAX)] {
            assert!((&pieces).read_bytes_at(start, size).is_err(), "{start}");
        }
        assert_eq!((&pieces).read_bytes_at_until(250..600, 0), Ok(&[250][..]));
        for (range, delimiter) in [(0..3, 3), (0..8192, 255), (1..251, 0), (200_000..200_001, 0), (5..5, 5)] {
            assert!((&pieces).read_bytes_at_until(range.clone(), delimiter).is_err(), "{range:?}");
        }
    }

    #[test]
    fn who_reads_too_many_is_refused() {
        let file = file(&[7; 200_000]);
        let pieces = Pieces::new(&file, 200_000);
        let read = |piece: u64| (&pieces).read_bytes_at(piece * 10_000, 1).is_ok();
        assert!((0..8).all(read));
        assert!(!read(8));
        assert!(read(7));
    }
}

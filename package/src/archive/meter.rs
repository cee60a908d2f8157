//! Counting what is read of an archive and what comes out of it.

use super::limits::Limits;
use super::refusal::Refusal;
use std::cell::Cell;
use std::io::{self, Read};

/// How much was read of an archive, and how much came out of it.
#[derive(Debug)]
pub(super) struct Meter<'a> {
    limits: &'a Limits,
    packed: Cell<u64>,
    unpacked: Cell<u64>,
}

impl<'a> Meter<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self { limits, packed: Cell::new(0), unpacked: Cell::new(0) }
    }

    /// Counts bytes of the archive.
    pub(super) fn read(&self, bytes: usize) {
        self.packed.set(self.packed.get().saturating_add(bytes as u64));
    }

    /// Counts bytes that came out of it.
    pub(super) fn unpack(&self, bytes: usize) -> Result<(), Refusal> {
        let unpacked = self.unpacked.get().saturating_add(bytes as u64);
        self.unpacked.set(unpacked);
        let Limits { unpacked_bytes, ratio, ratio_from, .. } = *self.limits;
        if unpacked > unpacked_bytes {
            return Err(Refusal::new(format!("unpacked, it has more than {unpacked_bytes} bytes")));
        }
        if unpacked > ratio_from && unpacked > self.packed.get().saturating_mul(ratio) {
            return Err(Refusal::new(format!("unpacked, it is more than {ratio} times as large")));
        }
        Ok(())
    }
}

/// Bytes of an archive, counted.
pub(super) struct Packed<'a, R>(pub(super) &'a Meter<'a>, pub(super) R);

impl<R: Read> Read for Packed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.1.read(buffer)?;
        self.0.read(bytes);
        Ok(bytes)
    }
}

/// What comes out of an archive, counted; ends with a [`Refusal`] at the limits.
pub(super) struct Unpacked<'a, R>(pub(super) &'a Meter<'a>, pub(super) R);

impl<R: Read> Read for Unpacked<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.1.read(buffer)?;
        self.0.unpack(bytes)?;
        Ok(bytes)
    }
}

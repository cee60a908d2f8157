//! How large an archive may be.

/// How much of an archive is read before it is refused.
///
/// ```
/// use caraway_package::archive::Limits;
///
/// assert_eq!(Limits::default().entries, 10_000);
/// assert_eq!(Limits::default().unpacked_bytes, 512 << 20);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of the archive itself; 256 MiB.
    pub archive_bytes: u64,
    /// Most entries, and most files and folders, be there entries for these or not; 10,000.
    pub entries: usize,
    /// Most bytes of a single file; 512 MiB.
    pub file_bytes: u64,
    /// Most unpacked bytes in all, headers and padding of a tar included; 512 MiB.
    pub unpacked_bytes: u64,
    /// How many times larger than what was read of the archive the unpacked bytes may be; 200.
    pub ratio: u64,
    /// Up to how many unpacked bytes the ratio is not looked at; 16 MiB.
    pub ratio_from: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            archive_bytes: 256 << 20,
            entries: 10_000,
            file_bytes: 512 << 20,
            unpacked_bytes: 512 << 20,
            ratio: 200,
            ratio_from: 16 << 20,
        }
    }
}

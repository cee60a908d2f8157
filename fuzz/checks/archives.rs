//! Archives: nothing is written outside of the folder, nothing but plain files and folders, and no more than the limits
//! say; a check says what unpacking does.

use caraway_loaders_core::Code;
use caraway_package::archive::{Limits, check as look, unpack};
use std::fs;
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const NAME: &str = "x.archive";

/// Checks one input: as it is, and as a tar whose checksums are right, packed in the ways that its first byte says.
pub(crate) fn check(bytes: &[u8]) {
    let Some((way, rest)) = bytes.split_first() else { return };
    match way % 4 {
        0 => check_archive(rest),
        1 => check_archive(&summed(rest)),
        2 => check_archive(&gz(&summed(rest))),
        _ => check_archive(&zstd::bulk::compress(&summed(rest), 1).unwrap_or_default()),
    }
}

fn check_archive(bytes: &[u8]) {
    let limits = Limits {
        archive_bytes: 64 << 10,
        entries: 24,
        file_bytes: 16 << 10,
        unpacked_bytes: 64 << 10,
        ratio: 50,
        ratio_from: 32 << 10,
    };
    let scratch = tempfile::tempdir().unwrap_or_else(|error| panic!("no scratch folder: {error}"));
    let (into, beside) = (scratch.path().join("in/to"), scratch.path().join("in/beside"));
    for folder in [&into, &beside] {
        fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    }
    let unpacked = unpack(&mut Cursor::new(bytes), Path::new(NAME), &into, &limits);
    let looked_at = look(&mut Cursor::new(bytes), Path::new(NAME), &limits);
    match (&unpacked, &looked_at) {
        (Ok(folder), Ok(_)) => assert!(folder.starts_with(&into), "{}", folder.display()),
        (Err(error), Err(other)) => {
            assert_eq!(error.message(), other.message());
            assert_eq!(error.code(), Code::ArchiveRefused, "{error}");
            assert_eq!(error.location().map(|place| place.file.as_path()), Some(Path::new(NAME)), "{error}");
        }
        _ => panic!("unpacking: {unpacked:?}, and looking: {:?}", looked_at.map(|_| ())),
    }
    let (mut bytes, mut entries) = (0, 0);
    check_folder(&into, &mut bytes, &mut entries);
    assert!(bytes <= limits.unpacked_bytes, "{bytes} bytes");
    assert!(entries <= limits.entries, "{entries} files and folders");
    let names = |folder: &Path| fs::read_dir(folder).map_or(0, Iterator::count);
    assert_eq!((names(scratch.path()), names(&scratch.path().join("in")), names(&beside)), (1, 2, 0));
}

fn check_folder(folder: &Path, bytes: &mut u64, entries: &mut usize) {
    let listed = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in listed.map(|entry| entry.unwrap_or_else(|error| panic!("{error}")).path()) {
        let about = fs::symlink_metadata(&path).unwrap_or_else(|error| panic!("{error}"));
        *entries += 1;
        let mode = about.permissions().mode() & 0o7777;
        if about.is_dir() {
            assert_eq!(mode, 0o755, "{}", path.display());
            check_folder(&path, bytes, entries);
        } else {
            assert!(about.is_file(), "{} is neither a file nor a folder", path.display());
            assert!(mode == 0o644 || mode == 0o755, "{mode:o} {}", path.display());
            *bytes += about.len();
        }
    }
}

/// The same with the checksum of each block as if it were a header, which it may be.
fn summed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while let Some(header) = bytes.get_mut(at..at + 512) {
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let size = std::str::from_utf8(&header[124..135]).ok();
        let size = size.and_then(|text| usize::from_str_radix(text.trim_matches(['\0', ' ']), 8).ok());
        at += 512 + size.unwrap_or(0).min(1 << 20).next_multiple_of(512);
        if bytes.get(at..).is_some_and(|rest| rest.iter().all(|byte| *byte == 0)) {
            break;
        }
    }
    bytes
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let written = encoder.write_all(bytes);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

//! Archives built byte by byte, so that bad ones can be made.
#![allow(dead_code, unreachable_pub)]

use std::fs;
use std::io::Write;
use std::path::Path;

pub const MANIFEST: &str = r#"{"name": "demo", "version": "1.2.0", "type": "module"}"#;

/// A tar in the making.
#[derive(Clone, Default)]
pub struct Tar(pub Vec<u8>);

impl Tar {
    /// An entry of a type, with the mode 0644 or 0755.
    pub fn entry(self, kind: u8, name: &[u8], content: &[u8]) -> Self {
        self.with(kind, name, content, |_| {})
    }

    pub fn file(self, name: &str, content: &str) -> Self {
        self.entry(b'0', name.as_bytes(), content.as_bytes())
    }

    pub fn folder(self, name: &str) -> Self {
        self.entry(b'5', name.as_bytes(), b"")
    }

    /// An entry whose header is changed before its checksum is made.
    pub fn with(self, kind: u8, name: &[u8], content: &[u8], change: impl FnOnce(&mut [u8])) -> Self {
        let mut header = [0_u8; 512];
        let short = &name[..name.len().min(100)];
        header[..short.len()].copy_from_slice(short);
        header[100..108].copy_from_slice(if kind == b'5' { b"0000755\0" } else { b"0000644\0" });
        header[108..116].copy_from_slice(b"0000000\0");
        header[116..124].copy_from_slice(b"0000000\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[136..148].copy_from_slice(b"00000000000\0");
        header[156] = kind;
        header[257..265].copy_from_slice(b"ustar\x0000");
        change(&mut header);
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.raw(&header).raw(content).pad()
    }

    /// A pax header with these records.
    pub fn pax(self, kind: u8, records: &[(&str, &str)]) -> Self {
        let mut text = String::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let mut length = rest + 1;
            while length != rest + length.to_string().len() {
                length += 1;
            }
            text += &format!("{length} {key}={value}\n");
        }
        self.entry(kind, b"pax", text.as_bytes())
    }

    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn pad(mut self) -> Self {
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub fn end(self) -> Vec<u8> {
        self.raw(&[0; 1024]).0
    }
}

/// An entry of a zip.
#[derive(Clone)]
pub struct Zipped {
    pub name: Vec<u8>,
    pub content: Vec<u8>,
    pub deflate: bool,
    pub mode: u32,
    pub flags: u16,
    pub crc: Option<u32>,
    /// What follows the content.
    pub after: Vec<u8>,
    pub local_extra: Vec<u8>,
    pub central_extra: Vec<u8>,
    pub change_local: fn(&mut [u8]),
    pub change_central: fn(&mut [u8]),
}

pub fn zipped(name: &str, content: &str) -> Zipped {
    Zipped {
        name: name.as_bytes().to_vec(),
        content: content.as_bytes().to_vec(),
        deflate: true,
        mode: if name.ends_with('/') { 0o040_755 } else { 0o100_644 },
        flags: if name.is_ascii() { 0 } else { 1 << 11 },
        crc: None,
        after: Vec::new(),
        local_extra: Vec::new(),
        central_extra: Vec::new(),
        change_local: |_| {},
        change_central: |_| {},
    }
}

pub fn zip(entries: &[Zipped]) -> Vec<u8> {
    zip_with(entries, |_| {})
}

/// A zip whose last record is changed.
pub fn zip_with(entries: &[Zipped], change_end: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = out.len() as u32;
        let mut crc = flate2::Crc::new();
        crc.update(&entry.content);
        let packed = if entry.deflate { deflated(&entry.content) } else { entry.content.clone() };
        let mut common = Vec::new();
        common.extend(20_u16.to_le_bytes());
        common.extend(entry.flags.to_le_bytes());
        common.extend((if entry.deflate { 8_u16 } else { 0 }).to_le_bytes());
        common.extend([0, 0, 0x21, 0]);
        common.extend(entry.crc.unwrap_or(crc.sum()).to_le_bytes());
        common.extend((packed.len() as u32).to_le_bytes());
        common.extend((entry.content.len() as u32).to_le_bytes());
        common.extend((entry.name.len() as u16).to_le_bytes());
        let mut local =
            [&b"PK\x03\x04"[..], &common, &(entry.local_extra.len() as u16).to_le_bytes()].concat();
        local.extend(&entry.name);
        local.extend(&entry.local_extra);
        (entry.change_local)(&mut local);
        out.extend(local);
        out.extend(packed);
        out.extend(&entry.after);
        let mut central = [&b"PK\x01\x02"[..], &[20, 3], &common].concat();
        central.extend((entry.central_extra.len() as u16).to_le_bytes());
        central.extend([0; 6]);
        central.extend((entry.mode << 16).to_le_bytes());
        central.extend(offset.to_le_bytes());
        central.extend(&entry.name);
        central.extend(&entry.central_extra);
        (entry.change_central)(&mut central);
        directory.extend(central);
    }
    let count = (entries.len() as u16).to_le_bytes();
    let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
    end.extend(count);
    end.extend(count);
    end.extend((directory.len() as u32).to_le_bytes());
    end.extend((out.len() as u32).to_le_bytes());
    end.extend([0, 0]);
    change_end(&mut end);
    out.extend(directory);
    out.extend(end);
    out
}

pub fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// The archive of a plugin, as most make one.
pub fn good_tar() -> Vec<u8> {
    Tar::default()
        .folder("demo-1.2.0/")
        .file("demo-1.2.0/plugin.json", MANIFEST)
        .file("demo-1.2.0/main.rhai", "fn f() { 1 }\n")
        .end()
}

/// Writes files, with their folders. A `!` before a path makes it executable.
pub fn write_files(root: &Path, files: &[(&str, &str)]) {
    for (path, content) in files {
        let file = root.join(path.trim_start_matches('!'));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, content).unwrap();
        let mode = if path.starts_with('!') { 0o755 } else { 0o644 };
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// All files of a folder as `path mode content`, sorted.
pub fn tree(root: &Path) -> Vec<String> {
    use std::os::unix::fs::PermissionsExt;
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let (path, metadata) = (entry.path(), entry.path().symlink_metadata().unwrap());
            if metadata.is_dir() {
                folders.push(path);
                continue;
            }
            let mode = metadata.permissions().mode() & 0o7777;
            let content = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            found.push(format!("{} {mode:o} {content}", path.strip_prefix(root).unwrap().display()));
        }
    }
    found.sort();
    found
}

/// Makes a named pipe.
pub fn pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

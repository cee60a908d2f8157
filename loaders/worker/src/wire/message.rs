//! The messages that set a worker up. Calls and their answers are written where they are made.

use super::error::{read_error, write_error};
use super::signature::{read_signature, write_signature};
use super::value::DataOnly;
use super::{Malformed, Reader, Writer, read_value, write_value};
use crate::confine::{Confinement, Ports};
use caraway_loaders_core::capability::AccessRules;
use caraway_loaders_core::checksum::{Checksums, Digest};
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::{Error, Signature};
use rhai::{Dynamic, Map};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a message is.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    /// Each side's first message: a [`Hello`].
    Hello,
    /// To a worker: a [`Load`].
    Load,
    /// From a worker: the [`Module`] that it loaded, or why not.
    Loaded,
    /// A call of a module's function, with a list of values.
    Call,
    /// A call of a function that was passed to a call, with a list of values.
    Callback,
    /// What a call gave.
    Answer,
    /// From a worker: the path of a plugin to import.
    Import,
    /// To a worker: the [`Module`] of that plugin and its number, or why not.
    Imported,
    /// From a worker: a line to print.
    Print,
    /// From a worker: an event.
    Event,
    /// Handles of the receiver's that the sender has let go of.
    Release,
    /// To a worker: that nothing more will be asked of it.
    End,
}

impl Tag {
    const ALL: [Tag; 12] = [
        Tag::Hello,
        Tag::Load,
        Tag::Loaded,
        Tag::Call,
        Tag::Callback,
        Tag::Answer,
        Tag::Import,
        Tag::Imported,
        Tag::Print,
        Tag::Event,
        Tag::Release,
        Tag::End,
    ];

    /// A message with this tag.
    pub(crate) fn message(self) -> Writer {
        Writer::new(self as u8)
    }

    /// The tag of a message.
    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let byte = usize::from(from.u8()?);
        Self::ALL.get(byte).copied().ok_or(Malformed("no message begins like this"))
    }
}

/// That both sides speak the same, and with whom they meant to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) version: u32,
    pub(crate) nonce: [u8; 16],
}

impl Hello {
    pub(crate) fn write(&self) -> Writer {
        let mut out = Tag::Hello.message();
        out.u32(self.version);
        out.bytes(&self.nonce);
        out
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let version = from.u32()?;
        let nonce = from.bytes()?.try_into().map_err(|_| Malformed("a nonce has another length"))?;
        Ok(Self { version, nonce })
    }
}

/// What a plugin is loaded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be called.
    Load,
    /// To see what its manifest and its code agree on.
    Inspect,
    /// To see what its binary says of itself.
    Describe,
}

/// What a worker is to load.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) purpose: Purpose,
    /// The plugin's kind.
    pub(crate) kind: String,
    /// Its folder.
    pub(crate) root: PathBuf,
    /// The file of its manifest.
    pub(crate) file: PathBuf,
    /// The manifest's text; `None` for a file that is a plugin without one.
    pub(crate) manifest: Option<String>,
    /// What its files must be.
    pub(crate) checksums: Option<Checksums>,
    /// Its settings.
    pub(crate) config: Dynamic,
    /// What holds in the worker, too.
    pub(crate) limits: Limits,
    /// What the kernel holds it to.
    pub(crate) confinement: Confinement,
    /// What it may do, for code of its kind that asks.
    pub(crate) access: AccessRules,
}

impl Load {
    /// A plugin without settings, with the limits that plugins have by default.
    pub(crate) fn new(purpose: Purpose, plugin: &Plugin, confinement: Confinement) -> Self {
        let manifest = &plugin.manifest;
        Self {
            purpose,
            kind: manifest.kind.clone(),
            root: plugin.root.clone(),
            file: manifest.file().to_owned(),
            manifest: Some(manifest.text().to_owned()).filter(|text| !text.is_empty()),
            checksums: plugin.checksums.as_deref().cloned(),
            config: Dynamic::from(Map::new()),
            limits: Limits::PLUGIN,
            confinement,
            access: AccessRules::default(),
        }
    }

    /// # Errors
    ///
    /// Settings that are no data.
    pub(crate) fn write(&self) -> Result<Writer, Error> {
        let mut out = Tag::Load.message();
        out.u8(match self.purpose {
            Purpose::Load => 0,
            Purpose::Inspect => 1,
            Purpose::Describe => 2,
        });
        out.text(&self.kind);
        write_path(&mut out, &self.root);
        write_path(&mut out, &self.file);
        out.option(self.manifest.as_deref(), Writer::text);
        out.option(self.checksums.as_ref(), write_checksums);
        write_value(&mut out, &self.config, &DataOnly)?;
        write_limits(&mut out, &self.limits);
        write_confinement(&mut out, &self.confinement);
        write_access(&mut out, &self.access);
        Ok(out)
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            purpose: match from.u8()? {
                0 => Purpose::Load,
                1 => Purpose::Inspect,
                2 => Purpose::Describe,
                _ => return Err(Malformed("a plugin is loaded for something else")),
            },
            kind: from.string()?,
            root: read_path(from)?,
            file: read_path(from)?,
            manifest: from.option(Reader::string)?,
            checksums: from.option(read_checksums)?,
            config: read_value(from, &DataOnly)?,
            limits: read_limits(from)?,
            confinement: read_confinement(from)?,
            access: read_access(from)?,
        })
    }
}

fn write_checksums(out: &mut Writer, checksums: &Checksums) {
    out.text(checksums.source());
    out.text(checksums.remedy());
    let files: Vec<(&str, Digest)> = checksums.iter().collect();
    out.list(files.into_iter(), |out, (path, digest)| {
        out.bytes(digest.as_bytes());
        out.text(path);
    });
}

fn read_checksums(from: &mut Reader<'_>) -> Result<Checksums, Malformed> {
    let mut checksums = Checksums::new(from.string()?, from.string()?);
    let digest = |from: &mut Reader<'_>| {
        let bytes: [u8; 32] =
            from.bytes()?.try_into().map_err(|_| Malformed("a digest has another length"))?;
        Ok((from.string()?, Digest::from(bytes)))
    };
    for (path, digest) in from.list(digest)? {
        checksums.insert(path, digest);
    }
    Ok(checksums)
}

fn write_path(out: &mut Writer, path: &Path) {
    out.bytes(path.as_os_str().as_bytes());
}

fn read_path(from: &mut Reader<'_>) -> Result<PathBuf, Malformed> {
    Ok(OsString::from_vec(from.bytes()?.to_vec()).into())
}

fn write_duration(out: &mut Writer, duration: Duration) {
    out.u64(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
}

fn read_duration(from: &mut Reader<'_>) -> Result<Duration, Malformed> {
    from.u64().map(Duration::from_nanos)
}

fn write_limits(out: &mut Writer, limits: &Limits) {
    let size = |out: &mut Writer, size: usize| out.u64(size as u64);
    out.option(limits.timeout, write_duration);
    out.option(limits.cpu, write_duration);
    out.option(limits.memory, Writer::u64);
    out.option(limits.operations, Writer::u64);
    size(out, limits.call_depth);
    size(out, limits.expression_depth);
    out.option(limits.string_size, size);
    out.option(limits.array_size, size);
    out.option(limits.map_size, size);
    size(out, limits.variables);
    size(out, limits.functions);
    size(out, limits.modules);
    out.option(limits.std_calls, Writer::u32);
}

fn read_limits(from: &mut Reader<'_>) -> Result<Limits, Malformed> {
    let size =
        |from: &mut Reader<'_>| usize::try_from(from.u64()?).map_err(|_| Malformed("a limit is too large"));
    let mut limits = Limits::PLUGIN;
    limits.timeout = from.option(read_duration)?;
    limits.cpu = from.option(read_duration)?;
    limits.memory = from.option(Reader::u64)?;
    limits.operations = from.option(Reader::u64)?;
    limits.call_depth = size(from)?;
    limits.expression_depth = size(from)?;
    limits.string_size = from.option(size)?;
    limits.array_size = from.option(size)?;
    limits.map_size = from.option(size)?;
    limits.variables = size(from)?;
    limits.functions = size(from)?;
    limits.modules = size(from)?;
    limits.std_calls = from.option(Reader::u32)?;
    Ok(limits)
}

fn write_confinement(out: &mut Writer, confinement: &Confinement) {
    out.list(confinement.read.iter(), |out, path| write_path(out, path));
    out.list(confinement.write.iter(), |out, path| write_path(out, path));
    match &confinement.connect {
        Ports::None => out.u8(0),
        Ports::Any => out.u8(1),
        Ports::Only(ports) => {
            out.u8(2);
            out.list(ports.iter(), |out, port| out.u32((*port).into()));
        }
    }
    out.bool(confinement.programs);
    out.option(confinement.memory, Writer::u64);
    out.option(confinement.cpu, write_duration);
    out.u64(confinement.open_files);
    out.u64(confinement.file_size);
}

fn read_confinement(from: &mut Reader<'_>) -> Result<Confinement, Malformed> {
    let port = |from: &mut Reader<'_>| u16::try_from(from.u32()?).map_err(|_| Malformed("no port"));
    Ok(Confinement {
        read: from.list(read_path)?,
        write: from.list(read_path)?,
        connect: match from.u8()? {
            0 => Ports::None,
            1 => Ports::Any,
            2 => Ports::Only(from.list(port)?),
            _ => return Err(Malformed("no ports")),
        },
        programs: from.bool()?,
        memory: from.option(Reader::u64)?,
        cpu: from.option(read_duration)?,
        open_files: from.u64()?,
        file_size: from.u64()?,
    })
}

fn write_access(out: &mut Writer, access: &AccessRules) {
    out.list(access.allowed.iter(), |out, text| out.text(text));
    out.list(access.denied.iter(), |out, texts| texts.iter().for_each(|text| out.text(text)));
    write_path(out, &access.base);
    out.option(access.folder.as_deref(), write_path);
}

fn read_access(from: &mut Reader<'_>) -> Result<AccessRules, Malformed> {
    Ok(AccessRules {
        allowed: from.list(Reader::string)?,
        denied: from.list(|from| Ok([from.string()?, from.string()?, from.string()?]))?,
        base: read_path(from)?,
        folder: from.option(read_path)?,
    })
}

/// A module, as whoever has it tells it.
#[derive(Debug)]
pub(crate) struct Module {
    /// What messages call it.
    pub(crate) name: String,
    pub(crate) functions: Vec<Function>,
    /// Other names of functions.
    pub(crate) aliases: Vec<(String, String)>,
    pub(crate) constants: Vec<(String, Dynamic)>,
}

/// A function of a [`Module`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) signature: Signature,
    /// Whether it is a property of a handle.
    pub(crate) getter: bool,
}

impl Module {
    /// Writes it, or why there is none.
    pub(crate) fn write(out: &mut Writer, module: Result<&Self, &Error>, here: &Path) {
        out.bool(module.is_ok());
        match module {
            Err(error) => write_error(out, error, here),
            Ok(module) => {
                out.text(&module.name);
                out.list(module.functions.iter(), |out, function| {
                    write_signature(out, &function.signature);
                    out.bool(function.getter);
                });
                out.list(module.aliases.iter(), |out, (alias, name)| {
                    out.text(alias);
                    out.text(name);
                });
                let mut constants = Vec::new();
                for (name, value) in &module.constants {
                    let mut bytes = Writer::default();
                    // What is no data stays where it is: a constant of that kind cannot be copied.
                    if write_value(&mut bytes, value, &DataOnly).is_ok() {
                        constants.push((name, bytes));
                    }
                }
                out.list(constants.iter(), |out, (name, bytes)| {
                    out.text(name);
                    out.bytes(bytes.as_bytes());
                });
            }
        }
    }

    /// Reads it, or why there is none.
    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Result<Self, Error>, Malformed> {
        if !from.bool()? {
            return Ok(Err(read_error(from)?));
        }
        let function =
            |from: &mut Reader<'_>| Ok(Function { signature: read_signature(from)?, getter: from.bool()? });
        let constant = |from: &mut Reader<'_>| {
            let name = from.string()?;
            let mut bytes = Reader::new(from.bytes()?);
            let value = read_value(&mut bytes, &DataOnly)?;
            bytes.end()?;
            Ok((name, value))
        };
        Ok(Ok(Self {
            name: from.string()?,
            functions: from.list(function)?,
            aliases: from.list(|from| Ok((from.string()?, from.string()?)))?,
            constants: from.list(constant)?,
        }))
    }
}

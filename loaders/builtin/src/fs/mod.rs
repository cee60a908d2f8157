//! `std/fs`: files and folders, within what is granted.
//!
//! A path is looked up by way of the granted folder that it lies in, by handle: neither `..` nor a symbolic
//! link nor a rename in between leads out of it. Within a granted folder links are followed, unless something
//! is denied as well; a link that is written to or removed is itself replaced or removed. Where a file or
//! folder is granted by its own name, that name may be a link.
//!
//! Only regular files are read and written; what the kernel shows of processes (`/proc`) is not, since it
//! would give away the environment and the memory of the host. A file with several names (hard links) is not
//! appended to: the others could lie elsewhere.

mod fence;
mod folder;
mod read;
mod target;
mod write;

use crate::module::{Function, Host, StdModule, name, text};
use caraway_loaders_core::bind::CallResult;
use caraway_loaders_core::capability::FileMode;
use caraway_loaders_core::{Code, Error};
pub(crate) use folder::Folder;
use rhai::{Array, Blob, Dynamic, Engine, Map, NativeCallContext};
use target::{Last, Target};

pub(crate) const MODULE: StdModule = StdModule {
    name: "std/fs",
    description: "Files and folders, within what is granted",
    functions: &[
        Function {
            signature: "read_text(path: string) -> string",
            doc: "The contents of a file, which must be UTF-8 and no larger than a string may be.",
            body: read_text,
        },
        Function {
            signature: "write_text(path: string, text: string)",
            doc: "Writes a file, or replaces it whole: nobody sees half of it. Its permissions are kept.",
            body: write_text,
        },
        Function {
            signature: "append_text(path: string, text: string)",
            doc: "Writes at the end of a file, which is made if it does not exist.",
            body: append_text,
        },
        Function {
            signature: "read_bytes(path: string) -> bytes",
            doc: "The contents of a file, no larger than an array may be.",
            body: read_bytes,
        },
        Function {
            signature: "write_bytes(path: string, bytes: bytes)",
            doc: "Writes a file, or replaces it whole: nobody sees half of it. Its permissions are kept.",
            body: write_bytes,
        },
        Function {
            signature: "exists(path: string) -> bool",
            doc: "Whether there is anything of this name. Needs the right to read it.",
            body: exists,
        },
        Function {
            signature: "list(path: string) -> array<string>",
            doc: "The names in a folder, sorted.",
            body: list,
        },
        Function {
            signature: "create_dir(path: string)",
            doc: "Makes a folder and those above it, unless they exist.",
            body: create_dir,
        },
        Function {
            signature: "remove(path: string)",
            doc: "Removes a file, a link or an empty folder.",
            body: remove,
        },
        Function {
            signature: "metadata(path: string) -> map<any>",
            doc: "`size` in bytes, `is_file`, `is_dir`, and `modified` in seconds since 1970, or `()` if unknown.",
            body: metadata,
        },
    ],
};

/// The largest file that is read, where the caller's own limits are higher: 256 MiB.
const MAX_FILE: u64 = 256 << 20;

fn read_text(host: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let path = name(args, 0)?;
    let most = most(context.engine().max_string_size());
    let target = Target::open(&host.access, FileMode::Read, &path, Last::Follow)
        .map_err(|failure| failure.doing("read", &path))?;
    let bytes = read::all(&target, &path, most)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        Error::new(Code::Io, format!("cannot read `{path}`: byte {offset} is not UTF-8 text"))
            .hint("read it with `read_bytes`")
    })?;
    Ok(text.into())
}

fn read_bytes(host: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let path = name(args, 0)?;
    let most = most(context.engine().max_array_size());
    let target = Target::open(&host.access, FileMode::Read, &path, Last::Follow)
        .map_err(|failure| failure.doing("read", &path))?;
    Ok(Dynamic::from_blob(read::all(&target, &path, most)?))
}

/// How many bytes may be read, given the engine's limit for the value that they become; 0 is no limit.
fn most(engine: usize) -> u64 {
    let engine = if engine == 0 { u64::MAX } else { engine as u64 };
    let memory = caraway_loaders_core::budget::memory_left().unwrap_or(u64::MAX);
    MAX_FILE.min(engine).min(memory)
}

fn write_text(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let text = text(args, 1);
    replace(host, args, text.as_bytes())
}

fn write_bytes(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let bytes = args[1].read_lock::<Blob>().map(|bytes| bytes.clone()).unwrap_or_default();
    replace(host, args, &bytes)
}

fn replace(host: &Host, args: &[&mut Dynamic], bytes: &[u8]) -> CallResult {
    let path = name(args, 0)?;
    let target = Target::open(&host.access, FileMode::Write, &path, Last::Keep)
        .map_err(|failure| failure.doing("write", &path))?;
    write::replace(&target, &path, bytes)?;
    Ok(Dynamic::UNIT)
}

fn append_text(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let (path, text) = (name(args, 0)?, text(args, 1));
    let target = Target::open(&host.access, FileMode::Write, &path, Last::Follow)
        .map_err(|failure| failure.doing("write", &path))?;
    write::append(&target, &path, text.as_bytes())?;
    Ok(Dynamic::UNIT)
}

fn exists(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let path = name(args, 0)?;
    let found = Target::open(&host.access, FileMode::Read, &path, Last::Follow)
        .and_then(|target| target.metadata().map(|_| ()));
    match found {
        Ok(()) => Ok(true.into()),
        Err(failure) if failure.is_absence() => Ok(false.into()),
        Err(failure) => Err(failure.doing("look at", &path).into()),
    }
}

fn list(host: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let path = name(args, 0)?;
    let target = Target::open(&host.access, FileMode::Read, &path, Last::Follow)
        .map_err(|failure| failure.doing("list", &path))?;
    let names = read::names(&target, &path, limit_of_names(context.engine()))?;
    Ok(names.into_iter().map(Dynamic::from).collect::<Array>().into())
}

fn limit_of_names(engine: &Engine) -> usize {
    if engine.max_array_size() == 0 { usize::MAX } else { engine.max_array_size() }
}

fn create_dir(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let path = name(args, 0)?;
    Target::create(&host.access, &path)
        .and_then(|target| target.create_dir())
        .map_err(|failure| failure.doing("create", &path))?;
    Ok(Dynamic::UNIT)
}

fn remove(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let path = name(args, 0)?;
    Target::open(&host.access, FileMode::Write, &path, Last::Keep)
        .and_then(|target| target.remove())
        .map_err(|failure| failure.doing("remove", &path))?;
    Ok(Dynamic::UNIT)
}

fn metadata(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let path = name(args, 0)?;
    let metadata = Target::open(&host.access, FileMode::Read, &path, Last::Follow)
        .and_then(|target| target.metadata())
        .map_err(|failure| failure.doing("look at", &path))?;
    let mut map = Map::new();
    map.insert("size".into(), i64::try_from(metadata.len()).unwrap_or(i64::MAX).into());
    map.insert("is_file".into(), metadata.is_file().into());
    map.insert("is_dir".into(), metadata.is_dir().into());
    let modified = metadata.modified().ok().map(|time| seconds_since_1970(time.into_std()));
    map.insert("modified".into(), modified.map_or(Dynamic::UNIT, Dynamic::from_float));
    Ok(map.into())
}

fn seconds_since_1970(time: std::time::SystemTime) -> f64 {
    match time.duration_since(std::time::UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}

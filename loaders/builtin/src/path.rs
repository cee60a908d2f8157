//! `std/path`: paths as text. Nothing here looks at the file system.

use crate::module::{Function, Host, StdModule, name, texts};
use caraway_loaders_core::bind::CallResult;
use caraway_loaders_core::capability;
use rhai::{Dynamic, NativeCallContext};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

pub(crate) const MODULE: StdModule = StdModule {
    name: "std/path",
    description: "Paths as text",
    functions: &[
        Function {
            signature: "join(parts: array<string>) -> string",
            doc: "The parts with a separator between them. An absolute part drops those before it.",
            body: join,
        },
        Function {
            signature: "parent(path: string) -> string?",
            doc: "The path without its last part; `()` for the root and for an empty path.",
            body: parent,
        },
        Function {
            signature: "file_name(path: string) -> string?",
            doc: "The last part; `()` where that is `..` or the root.",
            body: file_name,
        },
        Function {
            signature: "extension(path: string) -> string?",
            doc: "What follows the last dot of the file's name, without the dot; `()` where there is none.",
            body: extension,
        },
        Function {
            signature: "stem(path: string) -> string?",
            doc: "The file's name without its extension; `()` where there is no file name.",
            body: stem,
        },
        Function {
            signature: "normalize(path: string) -> string",
            doc: "The path without `.`, `name/..` and doubled separators; `.` where nothing is left.",
            body: normalize,
        },
        Function {
            signature: "is_absolute(path: string) -> bool",
            doc: "Whether the path starts at the root.",
            body: is_absolute,
        },
    ],
};

fn join(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let mut path = PathBuf::new();
    texts(args, 0)?.iter().for_each(|part| path.push(part.as_str()));
    Ok(shown(path.as_os_str()))
}

fn parent(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    Ok(part(&name(args, 0)?, |path| path.parent().map(Path::as_os_str)))
}

fn file_name(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    Ok(part(&name(args, 0)?, Path::file_name))
}

fn extension(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    Ok(part(&name(args, 0)?, Path::extension))
}

fn stem(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    Ok(part(&name(args, 0)?, Path::file_stem))
}

fn normalize(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    Ok(shown(capability::normalize(Path::new(name(args, 0)?.as_str())).as_os_str()))
}

fn is_absolute(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    Ok(Path::new(name(args, 0)?.as_str()).is_absolute().into())
}

fn part(path: &str, take: impl FnOnce(&Path) -> Option<&OsStr>) -> Dynamic {
    take(Path::new(path)).map_or(Dynamic::UNIT, shown)
}

/// Parts of strings are strings: nothing is lost here.
fn shown(path: &OsStr) -> Dynamic {
    path.to_string_lossy().into_owned().into()
}

//! The stable codes of errors.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// The stable code of an [`Error`](crate::Error): `E`, or `W` for what is only ever a warning, two digits of
        /// the exit code, two more.
        ///
        /// Codes are never reused; `docs/reference/errors.md` explains each.
        ///
        /// ```
        /// use caraway_loaders_core::Code;
        ///
        /// assert_eq!(Code::UnknownPlugin.as_str(), "E0401");
        /// assert_eq!(Code::UnknownPlugin.exit_code(), 4);
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// The code as it is printed: `E0401`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// The script failed at run time.
    ScriptFailed = "E0101";
    /// The script does not parse.
    Syntax = "E0102";
    /// A module has no function of this name, or none with this many arguments.
    UnknownFunction = "E0103";
    /// An argument is not of the declared type.
    ArgumentType = "E0104";
    /// A plugin's function failed.
    PluginFailed = "E0105";
    /// A plugin gave back another type than it declares.
    ResultType = "E0106";
    /// A callback was called after the call that it was passed to, or given back.
    CallbackExpired = "E0107";
    /// A value cannot cross a plugin's boundary, or is none that the function takes.
    ValueRefused = "E0108";
    /// A plugin panicked or trapped.
    PluginCrashed = "E0109";
    /// A buffer is in use by a call that is going on.
    BufferBusy = "E0110";
    /// The command line makes no sense.
    Usage = "E0201";
    /// `caraway.toml` is wrong.
    Config = "E0202";
    /// A manifest does not parse.
    ManifestSyntax = "E0301";
    /// A manifest has a field that no schema knows, or one twice.
    ManifestField = "E0302";
    /// A manifest's field has a wrong value.
    ManifestValue = "E0303";
    /// A manifest asks for something that is not enforced yet, or not by this kind of plugin.
    NotEnforced = "E0304";
    /// No loader knows the manifest's `type`.
    UnknownKind = "E0305";
    /// A plugin's file is missing, leaves its folder, or is not what it should be.
    EntryPoint = "E0306";
    /// The declared functions are not the ones that the code offers.
    SignatureMismatch = "E0307";
    /// A library or component cannot be loaded.
    LoadFailed = "E0308";
    /// A plugin was built for another ABI or host version.
    Incompatible = "E0309";
    /// A plugin's `build_cmd` failed.
    BuildFailed = "E0310";
    /// An archive has something that no plugin needs, or is damaged.
    ArchiveRefused = "E0311";
    /// A file of a plugin's tests is wrong.
    TestFile = "E0312";
    /// No plugin has this name.
    UnknownPlugin = "E0401";
    /// No version of a plugin satisfies the requirements.
    NoVersion = "E0402";
    /// Requirements contradict each other.
    Conflict = "E0403";
    /// Plugins depend on each other in a circle.
    Cycle = "E0404";
    /// An import could mean several plugins.
    Ambiguous = "E0405";
    /// A plugin imports what it does not declare.
    UndeclaredImport = "E0406";
    /// An imported file does not exist or leaves its folder.
    ImportFile = "E0407";
    /// A plugin is shadowed, which `--strict` forbids, or disabled.
    Unavailable = "E0408";
    /// The text of an import names neither a plugin nor a file.
    ImportPath = "E0409";
    /// A capability was not granted, or not asked for.
    Denied = "E0501";
    /// A file is not the one that was checked.
    Integrity = "E0601";
    /// `caraway.lock` is missing, was edited or cut off, or does not fit.
    LockFile = "E0602";
    /// A deadline passed.
    Deadline = "E0701";
    /// Too much memory, or a value too large.
    Memory = "E0702";
    /// Too many operations, too deep a recursion, or another count.
    Limit = "E0703";
    /// A file or folder cannot be read or written.
    Io = "E0801";
    /// A bug in Caraway.
    Internal = "E7001";
    /// The user interrupted the run.
    Interrupted = "E9001";
    /// An import is not used.
    UnusedImport = "W0101";
    /// The same is imported twice.
    ImportedTwice = "W0102";
    /// A function is called that is deprecated.
    Deprecated = "W0103";
    /// An import has the name of another one, which goes on to mean that.
    AliasTaken = "W0104";
}

impl Code {
    /// Whether it is only ever a warning.
    pub fn is_warning(self) -> bool {
        self.as_str().starts_with('W')
    }

    /// The exit code of a program that ends with this error.
    pub fn exit_code(self) -> u8 {
        match self {
            Code::Interrupted => 130,
            _ => {
                let digits = &self.as_str().as_bytes()[1..3];
                (digits[0] - b'0') * 10 + (digits[1] - b'0')
            }
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_well_formed() {
        let mut seen = std::collections::BTreeSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} twice");
            assert_eq!(text.len(), 5);
            assert!(text.starts_with(['E', 'W']) && text[1..].bytes().all(|b| b.is_ascii_digit()));
        }
        assert_eq!(Code::Internal.exit_code(), 70);
        assert_eq!(Code::Interrupted.exit_code(), 130);
    }
}

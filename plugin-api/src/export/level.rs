/// How much a line of the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Level {
    /// Something went wrong.
    Error = 0,
    /// Something looks wrong.
    Warn = 1,
    /// Something that an operator wants to know.
    Info = 2,
    /// For whoever looks for a mistake.
    Debug = 3,
    /// For whoever looks for a mistake, and has time.
    Trace = 4,
}

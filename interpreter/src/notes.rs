//! What a runtime says of itself.

/// What a runtime says of itself on standard error, beside what programs and plugins print. What it does in detail it
/// tells to `tracing`, under the target `caraway`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum Notes {
    /// Nothing.
    None,
    /// That it builds a plugin. The default.
    #[default]
    Builds,
    /// Also that a component has been compiling for a second. For terminals.
    Progress,
}

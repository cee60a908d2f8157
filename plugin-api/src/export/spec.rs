use super::handle::ClassInfo;
use super::type_name::TypeName;
use caraway_abi::TypeDef;

/// What a parameter or a result is to the plugin's table.
#[derive(Clone, Copy)]
pub struct Spec {
    /// What its type is called; `None` for what is no part of the signature.
    pub(super) name: Option<TypeName>,
    /// The structs and enums that its type names.
    pub(super) types: &'static [Option<&'static TypeDef>],
    /// The class of handles that its type is.
    pub(super) class: Option<&'static ClassInfo>,
    /// Whether the function writes to it.
    pub(super) writes: bool,
    /// Whether it is a [`Context`](super::Context).
    pub(super) context: bool,
}

impl Spec {
    /// A type that names no other.
    pub const fn plain(name: TypeName) -> Self {
        Self { name: Some(name), types: &[], class: None, writes: false, context: false }
    }

    /// A type that names these.
    pub const fn naming(name: TypeName, types: &'static [Option<&'static TypeDef>]) -> Self {
        Self { types, ..Self::plain(name) }
    }

    /// A class of handles.
    pub const fn class(class: &'static ClassInfo) -> Self {
        Self { class: Some(class), ..Self::plain(TypeName::new(class.name)) }
    }

    /// No result.
    pub(super) const fn nothing() -> Self {
        Self { name: None, types: &[], class: None, writes: false, context: false }
    }

    /// A buffer that the function writes to.
    pub(super) const fn written(name: TypeName) -> Self {
        Self { writes: true, ..Self::plain(name) }
    }

    /// The context, which scripts do not pass.
    pub(super) const fn context() -> Self {
        Self { context: true, ..Self::nothing() }
    }
}

use crate::Text;

/// A struct or enum that signatures name. Since 1.1.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct TypeDef {
    /// `struct Point { x: float, y: float }` or `enum Colour { "red", "dark_blue" }`.
    pub text: Text,
    /// What it is, for people; may be empty.
    pub doc: Text,
    /// How many lists there are.
    pub list_count: usize,
    /// Lists of the types that this one names. They may lead back to it.
    pub lists: *const TypeList,
}

// SAFETY: a definition and what it points at are never changed.
unsafe impl Send for TypeDef {}
// SAFETY: as above.
unsafe impl Sync for TypeDef {}

/// Some types. Since 1.1.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct TypeList {
    /// How many there are.
    pub count: usize,
    /// The definitions; not looked at if there are none.
    pub types: *const *const TypeDef,
}

// SAFETY: a list and what it points at are never changed.
unsafe impl Send for TypeList {}
// SAFETY: as above.
unsafe impl Sync for TypeList {}

impl TypeList {
    /// The list of these definitions.
    pub const fn new(types: &'static [&'static TypeDef]) -> Self {
        // A reference is a pointer that is not null.
        Self { count: types.len(), types: types.as_ptr().cast() }
    }
}

use crate::Text;

/// A class of handles: values of the plugin that scripts hold and cannot look into. Since 1.1.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Class {
    /// Its name in signatures.
    pub name: Text,
    /// What it is, for people; may be empty.
    pub doc: Text,
    /// Called once for each handle that a function gave back, when no script holds it any more. May be called
    /// from any thread.
    pub drop: unsafe extern "C" fn(handle: u64),
}

/// The size of [`Class`] in contract 1.1: the least that an entry has.
pub const CLASS_SIZE_1_1: usize = size_of::<Class>();

use abi_stable::StableAbi;

/// What the host offers to plugins.
///
/// Results are put into the host's memory, so that it can take them over without a copy.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct HostApi {
    /// How many bytes of this table, or of a later one that begins with it, are there.
    pub size: usize,
    /// Memory of `size` bytes, aligned to `align`, a power of two. Null if there is none or `size` is 0. May
    /// be called from any thread.
    pub alloc: unsafe extern "C" fn(size: usize, align: usize) -> *mut u8,
    /// Frees what `alloc` gave for the same `size` and `align` and was not handed over as a result.
    pub free: unsafe extern "C" fn(ptr: *mut u8, size: usize, align: usize),
}

//! What the host offers to plugins.

use caraway_abi::HostApi;
use std::alloc::Layout;

/// The table that every plugin is attached to.
pub(crate) static HOST_API: HostApi = HostApi {
    size: size_of::<HostApi>(),
    alloc,
    free,
    context: std::ptr::null(),
    call: None,
    log: None,
    interrupted: None,
};

unsafe extern "C" fn alloc(size: usize, align: usize) -> *mut u8 {
    match Layout::from_size_align(size, align) {
        // SAFETY: the size is not 0.
        Ok(layout) if size > 0 => unsafe { std::alloc::alloc(layout) },
        _ => std::ptr::null_mut(),
    }
}

unsafe extern "C" fn free(pointer: *mut u8, size: usize, align: usize) {
    if let Ok(layout) = Layout::from_size_align(size, align)
        && size > 0
        && !pointer.is_null()
    {
        // SAFETY: the contract asks for a pointer that `alloc` gave for this size and alignment.
        unsafe { std::alloc::dealloc(pointer, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_requests_get_null() {
        for (size, align) in [(0, 1), (8, 3), (8, 0), (usize::MAX, 8)] {
            // SAFETY: `alloc` takes every size and alignment.
            assert!(unsafe { (HOST_API.alloc)(size, align) }.is_null(), "{size} {align}");
        }
    }

    #[test]
    fn memory_comes_and_goes() {
        // SAFETY: what `alloc` gave is written within its size and freed once.
        unsafe {
            let pointer = (HOST_API.alloc)(24, 8);
            assert_eq!(pointer as usize % 8, 0);
            pointer.cast::<[u64; 3]>().write([1, 2, 3]);
            (HOST_API.free)(pointer, 24, 8);
        }
    }
}

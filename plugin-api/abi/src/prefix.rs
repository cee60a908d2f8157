use crate::{Class, Function, HostApi, Plugin};
use std::mem::MaybeUninit;

/// A struct of which an older or newer contract may have less or more.
///
/// # Safety
///
/// Every field from `LEAST` on may be zero bytes, and that means that it is absent.
pub unsafe trait Prefix: Copy {
    /// How many bytes every version of it has.
    const LEAST: usize;

    /// As much of a struct of `size` bytes as this version knows, the rest zero. `None` if `size` is below
    /// [`LEAST`](Prefix::LEAST).
    ///
    /// # Safety
    ///
    /// If `size` is not below `LEAST`, `pointer` is aligned and points at that many bytes of an initialised
    /// struct of some version.
    unsafe fn read(pointer: *const Self, size: usize) -> Option<Self> {
        if size < Self::LEAST {
            return None;
        }
        let mut whole = MaybeUninit::<Self>::zeroed();
        // SAFETY: both are at least as long as what is copied, and do not overlap.
        unsafe {
            let known = size.min(size_of::<Self>());
            std::ptr::copy_nonoverlapping(pointer.cast::<u8>(), whole.as_mut_ptr().cast::<u8>(), known);
            Some(whole.assume_init())
        }
    }
}

// SAFETY: fields since 1.1 are numbers, pointers that may be null, and optional functions.
unsafe impl Prefix for Plugin {
    const LEAST: usize = crate::PLUGIN_SIZE_1_0;
}

// SAFETY: as above.
unsafe impl Prefix for Function {
    const LEAST: usize = crate::FUNCTION_SIZE_1_0;
}

// SAFETY: nothing was added yet.
unsafe impl Prefix for Class {
    const LEAST: usize = crate::CLASS_SIZE_1_1;
}

// SAFETY: as for `Plugin`.
unsafe impl Prefix for HostApi {
    const LEAST: usize = std::mem::offset_of!(HostApi, context);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Text;

    unsafe extern "C" fn call(_: *const u64, _: *mut u64) -> i32 {
        7
    }

    fn function() -> Function {
        let text = Text::new("f()");
        Function { signature: text, doc: text, call, typed: call as *const _, kind: 2, writes: 5 }
    }

    #[test]
    fn what_an_older_version_lacks_is_zero() {
        let function = function();
        // SAFETY: the struct is a whole one; less of it is read.
        let (short, whole) = unsafe {
            let short = Function::read(&raw const function, Function::LEAST).unwrap();
            (short, Function::read(&raw const function, size_of::<Function>()).unwrap())
        };
        assert_eq!((short.typed.is_null(), short.kind, short.writes), (true, 0, 0));
        assert_eq!((whole.typed.is_null(), whole.kind, whole.writes), (false, 2, 5));
        // SAFETY: `call` takes everything.
        assert_eq!(unsafe { (short.call)(std::ptr::null(), std::ptr::null_mut()) }, 7);
    }

    #[test]
    fn what_a_newer_version_adds_is_left() {
        #[repr(C)]
        struct Later {
            function: Function,
            more: u64,
        }
        let later = Later { function: function(), more: u64::MAX };
        // SAFETY: the struct is as long as is said.
        let read = unsafe { Function::read((&raw const later).cast(), size_of::<Later>()) }.unwrap();
        assert_eq!((read.kind, later.more), (2, u64::MAX));
    }

    #[test]
    fn less_than_the_first_version_is_refused() {
        // SAFETY: what is too short is not followed.
        assert!(unsafe { Plugin::read(std::ptr::null(), Plugin::LEAST - 1) }.is_none());
        // SAFETY: as above.
        assert!(unsafe { HostApi::read(std::ptr::null(), 8) }.is_none());
    }
}

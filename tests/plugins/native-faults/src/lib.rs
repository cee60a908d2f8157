//! Everything that goes wrong in native code, and values at the edges of what can be passed.

use caraway_plugin::plugin;

#[plugin]
mod faults {
    use super::endings;
    use caraway_plugin::prelude::*;

    pub fn text(x: &str) -> &str {
        x
    }

    pub fn text_of(len: i64) -> String {
        "x".repeat(len as usize)
    }

    pub fn len(x: String) -> i64 {
        x.len() as i64
    }

    pub fn float(x: f64) -> f64 {
        x
    }

    pub fn floats(x: &[f64]) -> Vec<f64> {
        x.to_vec()
    }

    pub fn any(x: Value) -> Value {
        x
    }

    /// That many arrays in each other.
    pub fn nested(depth: i64) -> Value {
        (0..depth).fold(Value::Int(depth), |inner, _| Value::Array(vec![inner]))
    }

    pub fn panics(message: &str) {
        panic!("{message}")
    }

    /// Two panics, but the second begins when the first is over.
    pub fn panics_again() {
        let first = std::panic::catch_unwind(|| panic!("first"));
        assert!(first.is_ok(), "second");
    }

    /// A panic on a thread of the plugin's own, which it joins.
    pub fn panics_elsewhere() {
        std::thread::spawn(|| panic!("elsewhere")).join().expect("the thread is fine");
    }

    pub fn numbers(count: i64) -> Buffer<'static, i64> {
        (0..count).collect::<Vec<_>>().into()
    }

    pub fn sum(xs: Buffer<i64>) -> i64 {
        xs.iter().sum()
    }

    pub fn apply(f: Callback<fn(i64) -> i64>, x: i64) -> Result<i64, CallbackError> {
        f.call(x)
    }

    pub fn apply_and_panic(f: Callback<fn(i64) -> i64>, x: i64) -> i64 {
        panic!("{:?}", f.call(x))
    }

    /// Burns, and panics after that if it is armed; and once more when it is dropped.
    #[derive(Handle)]
    pub struct Fuse {
        armed: bool,
        burns: i64,
    }

    impl Fuse {
        pub fn new(armed: bool) -> Self {
            Self { armed, burns: 0 }
        }

        pub fn burn(&mut self) {
            self.burns += 1;
            assert!(!self.armed, "burnt while armed");
        }

        #[getter]
        pub fn burns(&self) -> i64 {
            self.burns
        }

        /// The handle is closed after this.
        pub fn quench(self) -> i64 {
            self.burns
        }
    }

    impl Drop for Fuse {
        fn drop(&mut self) {
            assert!(!self.armed, "dropped while armed");
        }
    }

    /// A class that other plugins have too.
    #[derive(Handle)]
    pub struct Counter {
        count: i64,
    }

    impl Counter {
        pub fn new(count: i64) -> Self {
            Self { count }
        }

        pub fn incr(&mut self, by: i64) -> i64 {
            self.count += 2 * by;
            self.count
        }
    }

    // From here on the process ends.

    pub fn panics_while_panicking() {
        endings::double_panic()
    }

    pub fn foreign_exception() {
        endings::foreign_exception()
    }

    pub fn abort() {
        std::process::abort()
    }

    pub fn segfault() {
        endings::segfault()
    }

    pub fn illegal() {
        endings::illegal()
    }

    pub fn overflow_stack() {
        endings::overflow_stack()
    }

    pub fn exit(status: i64) {
        std::process::exit(status as i32)
    }
}

/// Ways to end the process that the shim of a function cannot stop.
mod endings {
    use std::ffi::c_int;

    pub(super) fn double_panic() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("second")
            }
        }
        let _bomb = Bomb;
        panic!("first")
    }

    pub(super) fn segfault() {
        let nowhere = std::ptr::without_provenance_mut::<u8>(16);
        // SAFETY: none: this is the fault.
        unsafe { nowhere.write_volatile(1) }
    }

    pub(super) fn illegal() {
        unsafe extern "C" {
            fn raise(signal: c_int) -> c_int;
        }
        const SIGILL: c_int = 4;
        // SAFETY: as what the processor does.
        unsafe { raise(SIGILL) };
    }

    /// On a thread with a small stack.
    pub(super) fn overflow_stack() {
        #[allow(unconditional_recursion, reason = "this is the fault")]
        fn deeper(depth: u64) -> u64 {
            std::hint::black_box(deeper(depth + 1)) + 1
        }
        let thread = std::thread::Builder::new().stack_size(64 << 10).spawn(|| deeper(0));
        drop(thread.map(|thread| thread.join()));
    }

    /// As if a library in C++ had thrown.
    pub(super) fn foreign_exception() {
        /// `_Unwind_Exception`, with the alignment that the ABI asks for.
        #[repr(C, align(16))]
        struct Exception {
            class: [u8; 8],
            cleanup: Option<extern "C" fn(reason: c_int, exception: *mut Exception)>,
            private: [usize; 6],
        }
        unsafe extern "C-unwind" {
            #[link_name = "_Unwind_RaiseException"]
            fn raise_exception(exception: *mut Exception) -> c_int;
        }
        let exception = Exception { class: *b"OTHERC++", cleanup: None, private: [0; 6] };
        // SAFETY: the exception is never freed.
        unsafe { raise_exception(Box::into_raw(Box::new(exception))) };
    }
}

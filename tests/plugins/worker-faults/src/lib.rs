//! What Rust can do to its process, and how handles and threads end it.

use caraway_plugin::plugin;

#[plugin]
mod faults {
    use super::endings;
    use caraway_plugin::prelude::*;
    use std::time::Duration;

    pub fn well(x: i64) -> i64 {
        x
    }

    pub fn id() -> i64 {
        i64::from(std::process::id())
    }

    pub fn panics(message: &str) {
        panic!("{message}")
    }

    pub fn panics_while_panicking() {
        endings::double_panic()
    }

    pub fn abort() {
        std::process::abort()
    }

    pub fn segfault() {
        endings::segfault()
    }

    pub fn overflow_stack() -> i64 {
        endings::deeper(0)
    }

    pub fn overflow_the_stack_of_a_thread() -> i64 {
        std::thread::spawn(|| endings::deeper(0)).join().unwrap_or(0)
    }

    pub fn abort_on_a_thread() {
        let _ = std::thread::spawn(|| std::process::abort()).join();
    }

    pub fn leave(status: i64) {
        std::process::exit(status as i32)
    }

    pub fn spin() {
        loop {
            std::hint::spin_loop();
        }
    }

    pub fn doze() {
        std::thread::sleep(Duration::from_secs(3600));
    }

    pub fn leak() {
        loop {
            std::mem::forget(vec![1u8; 1 << 20]);
        }
    }

    pub fn take_at_once() -> i64 {
        std::hint::black_box(vec![1u8; 1 << 40]).len() as i64
    }

    /// As many threads as the system gives.
    pub fn threads() {
        loop {
            std::thread::spawn(|| std::thread::sleep(Duration::from_secs(3600)));
        }
    }

    /// Crashes when it is called with a multiple of a thousand.
    pub fn seldom(x: i64) -> i64 {
        if x % 1000 == 0 {
            endings::segfault();
        }
        x + 1
    }

    /// Ends the process when it is dropped, if it is armed.
    #[derive(Handle)]
    pub struct Fuse {
        armed: bool,
    }

    impl Fuse {
        pub fn new(armed: bool) -> Self {
            Self { armed }
        }

        #[getter]
        pub fn armed(&self) -> bool {
            self.armed
        }
    }

    impl Drop for Fuse {
        fn drop(&mut self) {
            if self.armed {
                std::process::abort();
            }
        }
    }
}

mod endings {
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

    #[allow(unconditional_recursion, reason = "this is the fault")]
    pub(super) fn deeper(depth: i64) -> i64 {
        std::hint::black_box(deeper(depth + 1)) + 1
    }
}

use std::ffi::c_void;

/// What the host offers to one plugin.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct HostApi {
    /// How many bytes of this table are there: later contracts add fields at its end.
    pub size: usize,
    /// Memory of `size` bytes, aligned to `align`, a power of two. Null if there is none or `size` is 0. May
    /// be called from any thread, as all functions of this table.
    pub alloc: unsafe extern "C" fn(size: usize, align: usize) -> *mut u8,
    /// Frees what `alloc` gave for the same `size` and `align` and was not handed over as a result.
    pub free: unsafe extern "C" fn(ptr: *mut u8, size: usize, align: usize),

    /// Since 1.1: this plugin, for the functions below.
    pub context: *const c_void,
    /// Since 1.1: calls a function that the script has passed, during the call that it was passed to.
    ///
    /// `args` are the words of its arguments, in the plugin's memory. `out` has room for
    /// [`CALLBACK_OUT_WORDS`](crate::CALLBACK_OUT_WORDS) words. With [`Status::Ok`](crate::Status::Ok) they are
    /// the result, whose memory becomes the plugin's, to be given to `free`. With
    /// [`Status::Raised`](crate::Status::Raised) they are a message in such memory, as a string is, and a
    /// fourth word that stands for the error: a plugin that gives back `Raised` with this word in `out[0]`
    /// passes the script's error on as it was. With [`Status::OutOfMemory`](crate::Status::OutOfMemory) they
    /// are nothing.
    pub call: Option<unsafe extern "C" fn(function: u64, args: *const u64, out: *mut u64) -> i32>,
    /// Since 1.1: writes a line to the host's log. `level` is 0 error, 1 warn, 2 info, 3 debug, 4 trace; `text`
    /// is UTF-8.
    pub log: Option<unsafe extern "C" fn(context: *const c_void, level: u32, text: *const u8, len: usize)>,
    /// Since 1.1: 1 when the call on this thread has reached a limit (the deadline, Ctrl-C) and should come
    /// back soon, with whatever status; else 0.
    pub interrupted: Option<unsafe extern "C" fn(context: *const c_void) -> i32>,
}

// SAFETY: the table is never changed, and its functions may be called from any thread.
unsafe impl Send for HostApi {}
// SAFETY: as above.
unsafe impl Sync for HostApi {}

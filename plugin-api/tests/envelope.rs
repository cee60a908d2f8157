//! The envelope that hosts of contract 1.0 look for.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use caraway_abi::envelope::{LibHeader, RootRef};
use caraway_plugin::prelude::*;

#[plugin(name = "wrapped", version = "1.0.0")]
mod wrapped {
    pub fn add(a: i64, b: i64) -> i64 {
        a + b
    }

    pub fn half(x: f64) -> f64 {
        x / 2.0
    }
}

#[allow(improper_ctypes)] // abi_stable's own header, made by the same compiler.
unsafe extern "C" {
    #[link_name = "_1as_0lib_1header_0root_bmodule_bloader"]
    static HEADER: LibHeader;
}

#[test]
fn the_envelope_holds_the_table() {
    // SAFETY: the macro exports it.
    let root = unsafe { &HEADER }.init_root_module::<RootRef>().unwrap();
    let plugin = root.plugin();
    // SAFETY: texts of the table live for good; functions lie as far apart as the table says.
    unsafe {
        assert_eq!(plugin.name.as_str(), Some("wrapped"));
        assert_eq!(plugin.function_count, 2);
        let second = plugin.functions.byte_add(plugin.function_size as usize).read();
        assert_eq!(second.signature.as_str(), Some("half(x: float) -> float"));
        let mut out = [0; caraway_abi::OUT_WORDS];
        assert_eq!((second.call)(&3.0_f64.to_bits(), out.as_mut_ptr()), 0);
        assert_eq!(f64::from_bits(out[0]), 1.5);
    }
}

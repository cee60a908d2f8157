//! Core modules: WebAssembly that is not a component, and knows numbers only.
//!
//! A function over numbers is called as it is. Strings and bytes lie in the module's memory, where the module
//! makes room for them: which parameters are texts is said by the manifest's `functions`. `docs/wasm-plugins.md`
//! is the contract.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `interface` | exports to functions, compared with the manifest |
//! | `slot` | what words of WebAssembly each type is, and values to words and back |
//! | `heap` | strings and bytes in the module's memory |
//! | `plugin` | calls |

mod heap;
mod interface;
mod plugin;
mod slot;

pub(crate) use heap::Broken;
pub(crate) use plugin::{Plugin, Prepared};

/// Whether these are the first bytes of a core module. The upper half of the version tells it from a component.
pub(crate) fn is_core_module(bytes: &[u8]) -> bool {
    matches!(bytes, [0, b'a', b's', b'm', _, _, 0, 0, ..])
}

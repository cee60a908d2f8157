//! The contract between Caraway and native plugins, as `repr(C)` types.
//!
//! A plugin offers one [`Plugin`] table: its name and version, and for each function a signature as text and a
//! pointer to call. Everything that is called has the same shape, [`Function::call`], and reads its arguments
//! as 64-bit words. abi_stable wraps the table in a [`Root`] module whose layout check tells a plugin of
//! another contract from a broken one.
//!
//! # Words
//!
//! | type in the signature | argument | result in `out` |
//! | --- | --- | --- |
//! | `int` | 1 word, two's complement | 1 word |
//! | `float` | 1 word, IEEE 754 bits | 1 word |
//! | `bool` | 1 word, 0 or 1 | 1 word |
//! | `char` | 1 word, a Unicode scalar value | 1 word |
//! | `string`, `bytes` | pointer, length in bytes | pointer, length, capacity in bytes |
//! | `array<int>`, `array<float>` | pointer to `i64` or `f64`, count | pointer, count, capacity in elements |
//! | every other type | pointer, length of an encoded value | pointer, length, capacity in bytes |
//! | `void` | | nothing is written |
//!
//! Pointers are words too. What arguments point at belongs to the host and is valid during the call; a pointer
//! of length 0 may point nowhere. A result's memory comes from [`HostApi::alloc`] and becomes the host's; with
//! capacity 0 the pointer is not looked at. Strings are UTF-8. `out` has room for [`OUT_WORDS`] words.
//!
//! An encoded value is what `caraway_plugin::Value::encode` writes: a tag byte, then its content, integers and
//! lengths (`u32`) little-endian.
//!
//! | value | tag | content |
//! | --- | --- | --- |
//! | `()`, `false`, `true` | 0, 1, 2 | none |
//! | int, float | 3, 4 | 8 bytes |
//! | char | 5 | 4 bytes |
//! | string, bytes | 6, 7 | length, then the bytes |
//! | array | 8 | count, then the values |
//! | map | 9 | count, then key (length, bytes) and value in turn |
//!
//! # How the contract grows
//!
//! The fields of the types here never change. A later 1.x puts new fields into a struct that begins with one of
//! these, and [`Plugin::size`], [`Plugin::function_size`] and [`HostApi::size`] tell how much of it is there.

mod host;
mod plugin;
mod root;
mod status;
mod text;

pub use host::HostApi;
pub use plugin::{Function, Plugin};
pub use root::{Export, LibHeader, ROOT_SYMBOL, Root, RootRef, header};
pub use status::Status;
pub use text::Text;

/// The first number of the contract's version: another one is another contract.
pub const ABI_MAJOR: u32 = 1;

/// The second number of the contract's version: a higher one only adds.
pub const ABI_MINOR: u32 = 0;

/// How many words of room a result has.
pub const OUT_WORDS: usize = 3;

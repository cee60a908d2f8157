//! The contract between Caraway and native plugins, as `repr(C)` types.
//!
//! A plugin exports one [`Plugin`] table as the symbol [`SYMBOL`]: its name and version, and for each function a
//! signature as text and a pointer to call. Everything that is called has the same shape, [`Function::call`],
//! and reads its arguments as 64-bit words. `include/caraway_plugin.h` is the same contract in C.
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
//! | `ints`, `floats` | the same, of the buffer itself | the same |
//! | a [`Class`] | 1 word, as a function gave it back | 1 word, whatever the plugin likes |
//! | `fn(A) -> R` | 1 word, for [`HostApi::call`] | not a result |
//! | every other type | pointer, length of an encoded value | pointer, length, capacity in bytes |
//! | `void` | | nothing is written |
//!
//! Pointers are words too. What arguments point at belongs to the host and is valid during the call; a pointer
//! of length 0 may point nowhere. A result's memory comes from [`HostApi::alloc`] and becomes the host's, or it
//! is the plugin's own and goes back to [`Plugin::release`]; with capacity 0 the pointer is not looked at.
//! Strings are UTF-8. `out` has room for [`OUT_WORDS`] words.
//!
//! An encoded value is what `caraway_plugin::Value::encode` writes: a tag byte, then its content, integers and
//! lengths (`u32`) little-endian. A struct is a map, an enum is a string.
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
//! Fields are only ever added, at the end of a struct, in a later 1.x. [`Plugin::size`],
//! [`Plugin::function_size`], [`Plugin::class_size`] and [`HostApi::size`] tell how much of a struct is there:
//! [`Prefix::read`] takes that much and leaves the rest zero, which is how each field says that it is absent.

mod class;
#[cfg(feature = "abi_stable")]
pub mod envelope;
mod function;
mod host;
mod plugin;
mod prefix;
mod status;
mod text;
mod type_def;

pub use class::{CLASS_SIZE_1_1, Class};
pub use function::{FUNCTION_SIZE_1_0, Failure, Function, Kind, NO_MEMORY, Ret, TYPED_PARAMS};
pub use host::HostApi;
pub use plugin::{PLUGIN_SIZE_1_0, Plugin, UTF8};
pub use prefix::Prefix;
pub use status::Status;
pub use text::Text;
pub use type_def::{TypeDef, TypeList};

/// The symbol that a plugin's [`Plugin`] table is exported as: data, not a function.
pub const SYMBOL: &str = "caraway_plugin_v1";

/// What symbols of all major versions begin with; the version follows.
pub const SYMBOL_PREFIX: &str = "caraway_plugin_v";

/// The first number of the contract's version: another one is another contract.
pub const ABI_MAJOR: u32 = 1;

/// The second number of the contract's version: a higher one only adds.
pub const ABI_MINOR: u32 = 1;

/// How many words of room a result has.
pub const OUT_WORDS: usize = 3;

/// How many words of room the result of a callback has.
pub const CALLBACK_OUT_WORDS: usize = 4;

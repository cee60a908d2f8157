//! The functions that calls come in by, with types that are known to Rust.

use super::pool::State;
use wasmtime::{Instance, Result, Store, TypedFunc};

macro_rules! entries {
    ($($count:literal $arity:ident($($word:ident),*);)*) => {
        /// An entry, by its number of parameters. The level comes first.
        pub(super) enum Entry {
            $($arity(TypedFunc<(i32, $(entries!(@type $word)),*), i64>),)*
        }

        impl Entry {
            /// The entry of this name.
            pub(super) fn of(
                instance: &Instance,
                store: &mut Store<State>,
                name: &str,
                params: usize,
            ) -> Result<Self> {
                match params {
                    $($count => instance.get_typed_func(store, name).map(Self::$arity),)*
                    _ => Err(wasmtime::Error::msg("too many parameters")),
                }
            }

            /// Calls it with as many of the words as it takes.
            #[inline]
            pub(super) fn call(
                &self,
                store: &mut Store<State>,
                level: i32,
                words: &[i64; MAX_PARAMS],
            ) -> Result<i64> {
                match self {
                    $(Self::$arity(entry) => {
                        let [$($word,)* ..] = *words;
                        entry.call(store, (level, $($word),*))
                    })*
                }
            }
        }
    };
    (@type $word:ident) => { i64 };
}

/// How many parameters a function may have that is called from a script.
pub(crate) const MAX_PARAMS: usize = 8;

entries! {
    0 Zero();
    1 One(a);
    2 Two(a, b);
    3 Three(a, b, c);
    4 Four(a, b, c, d);
    5 Five(a, b, c, d, e);
    6 Six(a, b, c, d, e, f);
    7 Seven(a, b, c, d, e, f, g);
    8 Eight(a, b, c, d, e, f, g, h);
}

//! Types, signatures and definitions of types: what is accepted prints as something that is read as the same.

use caraway_plugin::{Definition, ParseTypeError, Signature, Type};
use std::fmt::{Debug, Display};
use std::str::FromStr;

/// Checks one input.
pub(crate) fn check(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        check_one::<Type>(text);
        check_one::<Signature>(text);
        check_one::<Definition>(text);
    }
}

fn check_one<T: FromStr<Err = ParseTypeError> + Display + Debug + PartialEq>(text: &str) {
    match text.parse::<T>() {
        Ok(read) => {
            let printed = read.to_string();
            let again = printed.parse::<T>();
            assert_eq!(again.as_ref(), Ok(&read), "{text:?} prints as {printed:?}");
        }
        Err(error) => assert!(text.is_char_boundary(error.offset), "{text:?}: {error:?}"),
    }
}

use super::argument::Argument;
use super::call::{Args, Failure};
use super::crossing::crossing;
use super::data::Data;
use super::item::Item;
use super::spec::Spec;
use super::type_name::TypeName;

crossing! {
    /// What a plugin's function takes by reference, `&T`.
    ///
    /// Borrowed from the host without a copy are `str`, `[u8]` (`bytes`), `[i64]` and `[f64]` (`array<int>` and
    /// `array<float>`, whose numbers the host gathers). A type that derives [`Handle`](super::Handle) is borrowed
    /// from its handle, and [`Context`](super::Context) is what the host says of itself. A reference to another
    /// [`Data`], or to a slice of them, is one to a copy. It cannot be implemented elsewhere.
    pub trait Lent {
        #[doc(hidden)]
        const SPEC: Spec;

        /// What keeps it in place during the call.
        #[doc(hidden)]
        type Held<'a>;

        /// Reads an argument.
        #[doc(hidden)]
        fn hold<'a>(args: &mut Args<'a>) -> Result<Self::Held<'a>, Failure>;

        #[doc(hidden)]
        fn get<'h>(held: &'h Self::Held<'_>) -> &'h Self;
    }
}

/// What a plugin's function takes by mutable reference, `&mut T`.
///
/// That is a type that derives [`Handle`](super::Handle), and `[i64]` and `[f64]`: a script's `ints` and
/// `floats`, in which the function writes. It cannot be implemented elsewhere.
#[diagnostic::on_unimplemented(
    message = "a plugin's function cannot take `&mut {Self}`",
    label = "changes to it would be lost",
    note = "supported are &mut [i64] and &mut [f64], for the ints and floats of scripts, and `&mut T` where T derives `Handle`",
    note = "everything else crosses as a copy: take it by value, and give back what has changed"
)]
pub trait LentMut {
    #[doc(hidden)]
    const SPEC: Spec;

    /// What keeps it in place during the call.
    #[doc(hidden)]
    type Held<'a>;

    /// Reads an argument.
    #[doc(hidden)]
    fn hold<'a>(args: &mut Args<'a>) -> Result<Self::Held<'a>, Failure>;

    #[doc(hidden)]
    fn get<'h>(held: &'h mut Self::Held<'_>) -> &'h mut Self;
}

impl<T: Data> Lent for T {
    const SPEC: Spec = <T as Argument>::SPEC;

    type Held<'a> = T;

    #[inline]
    fn hold<'a>(args: &mut Args<'a>) -> Result<T, Failure> {
        T::take(args)
    }

    #[inline]
    fn get(held: &T) -> &T {
        held
    }
}

impl Lent for str {
    const SPEC: Spec = <&str as Argument>::SPEC;

    type Held<'a> = &'a str;

    #[inline]
    fn hold<'a>(args: &mut Args<'a>) -> Result<&'a str, Failure> {
        Argument::take(args)
    }

    #[inline]
    fn get<'h>(held: &'h &str) -> &'h str {
        held
    }
}

/// The items of an array during a call.
pub enum Slice<'a, T> {
    /// In the host's memory.
    Lent(&'a [T]),
    /// A copy.
    Owned(Vec<T>),
}

impl<T: Item> Lent for [T] {
    const SPEC: Spec = <Vec<T> as Argument>::SPEC;

    type Held<'a> = Slice<'a, T>;

    #[inline]
    fn hold<'a>(args: &mut Args<'a>) -> Result<Slice<'a, T>, Failure> {
        T::lend(args)
    }

    #[inline]
    fn get<'h>(held: &'h Slice<'_, T>) -> &'h [T] {
        match held {
            Slice::Lent(items) => items,
            Slice::Owned(items) => items,
        }
    }
}

macro_rules! written {
    ($($item:ty => $name:literal),*) => {$(
        impl LentMut for [$item] {
            const SPEC: Spec = Spec::written(TypeName::new($name));

            type Held<'a> = &'a mut [$item];

            #[inline]
            fn hold<'a>(args: &mut Args<'a>) -> Result<&'a mut [$item], Failure> {
                // SAFETY: this is how a buffer that is written to is passed.
                Ok(unsafe { args.slice_mut() })
            }

            #[inline]
            fn get<'h>(held: &'h mut &mut [$item]) -> &'h mut [$item] {
                held
            }
        }
    )*};
}

written!(i64 => "ints", f64 => "floats");

use super::call::{Args, Failure};
use super::crossing::crossing;
use super::data::Data;
use super::spec::Spec;
use super::type_name::TypeName;

crossing! {
    /// What a plugin's function takes by value: every [`Data`], [`Buffer`](super::Buffer),
    /// [`Callback`](super::Callback), and a type that derives [`Handle`](super::Handle), which closes the handle.
    ///
    /// It cannot be implemented elsewhere. For what is taken by reference see [`Lent`](super::Lent).
    pub trait Argument<'a>: Sized {
        #[doc(hidden)]
        const SPEC: Spec;

        /// Reads an argument.
        #[doc(hidden)]
        fn take(args: &mut Args<'a>) -> Result<Self, Failure>;
    }
}

impl<'a, T: Data> Argument<'a> for T {
    const SPEC: Spec = Spec::naming(T::TYPE, &[T::DEFINITION]);

    #[inline]
    fn take(args: &mut Args<'a>) -> Result<Self, Failure> {
        T::take(args)
    }
}

// A reference by another name, `type Text<'a> = &'a str`, is a parameter by value to the macro.

impl<'a> Argument<'a> for &'a str {
    const SPEC: Spec = Spec::plain(TypeName::new("string"));

    #[inline]
    fn take(args: &mut Args<'a>) -> Result<Self, Failure> {
        // SAFETY: this is how a string is passed.
        Ok(unsafe { args.text() })
    }
}

macro_rules! slices {
    ($($item:ty => $name:literal),*) => {$(
        impl<'a> Argument<'a> for &'a [$item] {
            const SPEC: Spec = Spec::plain(TypeName::new($name));

            #[inline]
            fn take(args: &mut Args<'a>) -> Result<Self, Failure> {
                // SAFETY: this is how a parameter of this type is passed.
                Ok(unsafe { args.slice() })
            }
        }
    )*};
}

slices!(u8 => "bytes", i64 => "array<int>", f64 => "array<float>");

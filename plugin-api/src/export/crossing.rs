//! What the compiler says of types that do not cross the boundary.

/// A trait of types that do. Its implementations are layered, and the compiler names the layer that it likes best:
/// each says the same.
macro_rules! crossing {
    ($($definition:tt)*) => {
        #[diagnostic::on_unimplemented(
            message = "no type of scripts stands for `{Self}`",
            label = "not for the functions of plugins",
            note = "as a parameter it may be i64, f64, bool, char, String, Value, Vec<T>, HashMap<String, T>, BTreeMap<String, T>, Option<T>, Box<T>, &str, &[u8], &[i64], &[f64], &mut [i64], &mut [f64], Buffer, Callback, &Context",
            note = "as a result one of those that own what they hold, (), &str or a Result<T, E> of these where E: Display + 'static",
            note = "a struct or enum of your own derives `Data`, and what scripts only hold derives `Handle`: that crosses as a whole, `&T`, `&mut T` or `T`, and not inside of another type",
            note = "for other integers take an i64 and convert it, so that what is out of range is your decision"
        )]
        $($definition)*
    };
}

pub(super) use crossing;

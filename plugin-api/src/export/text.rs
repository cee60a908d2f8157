//! Texts of the plugin's table, made while the plugin is compiled.
//!
//! Each is written twice by the same function: into nothing, to be measured, and into an array of that length.

use super::spec::Spec;
use caraway_abi::Text;

/// A parameter in a signature.
#[derive(Clone, Copy)]
pub struct Param {
    name: &'static str,
    pub(super) spec: Spec,
}

impl Param {
    /// A parameter with this name.
    pub const fn new(name: &'static str, spec: Spec) -> Self {
        Self { name, spec }
    }
}

/// Writes `text` at `at` unless `out` is only measured, and gives back where it ends.
const fn put(out: &mut [u8], at: usize, text: &str) -> usize {
    if !out.is_empty() {
        out.split_at_mut(at).1.split_at_mut(text.len()).0.copy_from_slice(text.as_bytes());
    }
    at + text.len()
}

const fn put_signature(out: &mut [u8], name: &str, params: &[Param], returns: &Spec) -> usize {
    let mut end = put(out, 0, name);
    end = put(out, end, "(");
    let mut separator = "";
    let mut at = 0;
    while at < params.len() {
        if let Some(ty) = &params[at].spec.name {
            end = put(out, end, separator);
            end = put(out, end, params[at].name);
            end = put(out, end, ": ");
            end = put(out, end, ty.as_str());
            separator = ", ";
        }
        at += 1;
    }
    end = put(out, end, ")");
    if let Some(ty) = &returns.name {
        end = put(out, end, " -> ");
        end = put(out, end, ty.as_str());
    }
    end
}

/// The length of [`signature`].
pub const fn signature_len(name: &str, params: &[Param], returns: &Spec) -> usize {
    put_signature(&mut [], name, params, returns)
}

/// `name(param: type) -> type`.
pub const fn signature<const N: usize>(name: &str, params: &[Param], returns: &Spec) -> [u8; N] {
    let mut out = [0; N];
    put_signature(&mut out, name, params, returns);
    out
}

const fn put_pieces(out: &mut [u8], pieces: &[&str]) -> usize {
    let mut end = 0;
    let mut at = 0;
    while at < pieces.len() {
        end = put(out, end, pieces[at]);
        at += 1;
    }
    end
}

/// The length of [`concat`].
pub const fn concat_len(pieces: &[&str]) -> usize {
    put_pieces(&mut [], pieces)
}

/// The pieces, one after the other.
pub const fn concat<const N: usize>(pieces: &[&str]) -> [u8; N] {
    let mut out = [0; N];
    put_pieces(&mut out, pieces);
    out
}

/// A line of a doc comment, without the space that it begins with.
pub const fn line(line: &str) -> &str {
    match line.as_bytes() {
        [b' ', ..] => line.split_at(1).1,
        _ => line,
    }
}

/// What was made, without space around it.
///
/// # Safety
///
/// `bytes` are what a function of this module has made.
pub(super) const unsafe fn text(bytes: &'static [u8]) -> Text {
    // SAFETY: whole `str`s, one after the other, and without ASCII at the ends they still are.
    Text::new(unsafe { std::str::from_utf8_unchecked(bytes.trim_ascii()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::type_name::TypeName;

    fn spec(name: &str) -> Spec {
        Spec::plain(TypeName::new(name))
    }

    #[test]
    fn signatures_are_written() {
        let params = [
            Param::new("ctx", Spec::context()),
            Param::new("xs", spec("array<float>")),
            Param::new("q", spec("float")),
        ];
        let void = Spec { name: None, ..spec("void") };
        for (params, returns, expected) in [
            (&params[..], spec("int?"), "m::f(xs: array<float>, q: float) -> int?"),
            (&params[..2], void, "m::f(xs: array<float>)"),
            (&params[..1], void, "m::f()"),
        ] {
            let mut out = vec![0; signature_len("m::f", params, &returns)];
            let end = put_signature(&mut out, "m::f", params, &returns);
            assert_eq!((std::str::from_utf8(&out), end), (Ok(expected), expected.len()));
        }
    }

    #[test]
    fn doc_comments_become_text() {
        const LINES: &[&str] =
            &[line(" The mean."), "\n", line(""), "\n", line("     of code"), "\n", line("")];
        static BYTES: [u8; concat_len(LINES)] = concat(LINES);
        // SAFETY: made by `concat`; the text is a constant.
        assert_eq!(unsafe { text(&BYTES).as_str() }, Some("The mean.\n\n    of code"));
    }
}

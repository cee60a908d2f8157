//! What a plugin's code says of itself, as bytes.

use super::signature::{read_signature, read_type, write_signature, write_type};
use super::{Malformed, Reader, Writer};
use caraway_loaders_core::loader::Description;
use caraway_loaders_core::manifest::Function;

/// Writes functions with what is said of them.
pub(crate) fn write_functions(out: &mut Writer, functions: &[Function]) {
    out.list(functions.iter(), |out, function| {
        write_signature(out, &function.signature);
        out.option(function.description.as_deref(), Writer::text);
        out.bool(function.native);
        out.option(function.documentation.as_deref(), Writer::text);
        out.option(function.deprecated.as_deref(), Writer::text);
    });
}

/// Reads functions.
pub(crate) fn read_functions(from: &mut Reader<'_>) -> Result<Vec<Function>, Malformed> {
    from.list(|from| {
        Ok(Function {
            signature: read_signature(from)?,
            description: from.option(Reader::string)?,
            native: from.bool()?,
            documentation: from.option(Reader::string)?,
            deprecated: from.option(Reader::string)?,
        })
    })
}

/// Writes a binary's description.
pub(crate) fn write_description(out: &mut Writer, description: &Description) {
    write_functions(out, &description.functions);
    out.list(description.types.iter(), write_type);
    out.bool(description.partial);
}

/// Reads a binary's description.
pub(crate) fn read_description(from: &mut Reader<'_>) -> Result<Description, Malformed> {
    Ok(Description {
        functions: read_functions(from)?,
        types: from.list(|from| read_type(from, 0))?,
        partial: from.bool()?,
    })
}

//! Signatures as bytes, with the structs and enums that they name.

use super::{Malformed, Reader, Writer};
use caraway_plugin::{EnumType, Field, Param, Signature, StructType, Type};
use std::sync::Arc;

/// How deep types may nest: a multiple of what their parser lets through.
const MAX_DEPTH: usize = 256;

pub(super) fn write_signature(out: &mut Writer, signature: &Signature) {
    out.text(&signature.name);
    out.list(signature.params.iter(), |out, param| {
        out.text(&param.name);
        write_type(out, &param.ty);
    });
    write_type(out, &signature.returns);
}

pub(super) fn read_signature(from: &mut Reader<'_>) -> Result<Signature, Malformed> {
    let name = from.string()?;
    let params = from.list(|from| Ok(Param { name: from.string()?, ty: read_type(from, 0)? }))?;
    Ok(Signature { name, params, returns: read_type(from, 0)? })
}

pub(super) fn write_type(out: &mut Writer, ty: &Type) {
    match ty {
        Type::Int => out.u8(0),
        Type::Float => out.u8(1),
        Type::Bool => out.u8(2),
        Type::Char => out.u8(3),
        Type::String => out.u8(4),
        Type::Bytes => out.u8(5),
        Type::Ints => out.u8(6),
        Type::Floats => out.u8(7),
        Type::Any => out.u8(8),
        Type::Void => out.u8(9),
        Type::Array(item) => {
            out.u8(10);
            write_type(out, item);
        }
        Type::Map(item) => {
            out.u8(11);
            write_type(out, item);
        }
        Type::Option(inner) => {
            out.u8(12);
            write_type(out, inner);
        }
        Type::Fn(params, returns) => {
            out.u8(13);
            out.list(params.iter(), write_type);
            write_type(out, returns);
        }
        Type::Named(name) => {
            out.u8(14);
            out.text(name);
        }
        Type::Struct(def) => {
            out.u8(15);
            out.text(&def.name);
            out.list(def.fields.iter(), |out, field| {
                out.text(&field.name);
                write_type(out, &field.ty);
            });
        }
        Type::Enum(def) => {
            out.u8(16);
            out.text(&def.name);
            out.list(def.values.iter(), |out, value| out.text(value));
        }
        Type::Handle(name) => {
            out.u8(17);
            out.text(name);
        }
        // The other side checks what it gets; this one has no name for it.
        _ => out.u8(8),
    }
}

pub(super) fn read_type(from: &mut Reader<'_>, depth: usize) -> Result<Type, Malformed> {
    if depth > MAX_DEPTH {
        return Err(Malformed("a type nests too deep"));
    }
    let inner = |from: &mut Reader<'_>| read_type(from, depth + 1).map(Box::new);
    Ok(match from.u8()? {
        0 => Type::Int,
        1 => Type::Float,
        2 => Type::Bool,
        3 => Type::Char,
        4 => Type::String,
        5 => Type::Bytes,
        6 => Type::Ints,
        7 => Type::Floats,
        8 => Type::Any,
        9 => Type::Void,
        10 => Type::Array(inner(from)?),
        11 => Type::Map(inner(from)?),
        12 => Type::Option(inner(from)?),
        13 => Type::Fn(from.list(|from| read_type(from, depth + 1))?, inner(from)?),
        14 => Type::Named(from.string()?),
        15 => {
            let name = from.string()?;
            let field =
                |from: &mut Reader<'_>| Ok(Field { name: from.string()?, ty: read_type(from, depth + 1)? });
            Type::Struct(Arc::new(StructType { name, fields: from.list(field)? }))
        }
        16 => Type::Enum(Arc::new(EnumType { name: from.string()?, values: from.list(Reader::string)? })),
        17 => Type::Handle(from.text()?.into()),
        _ => return Err(Malformed("no type begins like this")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_come_back() {
        let point = StructType {
            name: "Point".to_owned(),
            fields: vec![Field { name: "x".to_owned(), ty: Type::Option(Type::Float.into()) }],
        };
        let side = EnumType { name: "Side".to_owned(), values: vec!["left".to_owned(), "right".to_owned()] };
        let named = |name: &str| match name {
            "Point" => Some(Type::Struct(Arc::new(point.clone()))),
            "Side" => Some(Type::Enum(Arc::new(side.clone()))),
            "Counter" => Some(Type::Handle("Counter".into())),
            _ => None,
        };
        for text in [
            "f()",
            "api::f(a: int, b: float?, c: array<map<string>>) -> bytes",
            "f(p: Point, side: Side) -> array<Point>",
            "counter::each(self: Counter, f: fn(int, any) -> bool, xs: ints, ys: floats)",
            "f(c: char, b: bool) -> any",
        ] {
            let signature = text.parse::<Signature>().unwrap().resolve(&named).unwrap();
            let mut out = Writer::default();
            write_signature(&mut out, &signature);
            let mut reader = Reader::new(out.as_bytes());
            assert_eq!(read_signature(&mut reader).unwrap(), signature);
            reader.end().unwrap();
        }
    }
}

//! `std/encoding`: bytes as text, and text as bytes.

use crate::module::{Function, Host, StdModule, text};
use caraway_loaders_core::bind::{CallError, CallResult};
use caraway_loaders_core::growth::Text;
use caraway_loaders_core::{Code, Error};
use data_encoding::{BASE64, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXLOWER_PERMISSIVE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rhai::{Blob, Dynamic, NativeCallContext};

/// All but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(crate) const MODULE: StdModule = StdModule {
    name: "std/encoding",
    description: "Bytes as text and back: base64, hexadecimal, percent, UTF-8",
    functions: &[
        Function {
            signature: "base64_encode(data: bytes) -> string",
            doc: "The bytes in base64 (RFC 4648, section 4), with padding.",
            body: base64_encode,
        },
        Function {
            signature: "base64_decode(text: string) -> bytes",
            doc: "The bytes that base64 stands for, with padding; spaces and line ends are an error.",
            body: base64_decode,
        },
        Function {
            signature: "base64url_encode(data: bytes) -> string",
            doc: "The bytes in base64 for URLs and file names (RFC 4648, section 5), without padding.",
            body: base64url_encode,
        },
        Function {
            signature: "base64url_decode(text: string) -> bytes",
            doc: "The bytes that base64 for URLs stands for, without padding.",
            body: base64url_decode,
        },
        Function {
            signature: "hex_encode(data: bytes) -> string",
            doc: "Two small hexadecimal digits for each byte.",
            body: hex_encode,
        },
        Function {
            signature: "hex_decode(text: string) -> bytes",
            doc: "The bytes that pairs of hexadecimal digits stand for, small or capital.",
            body: hex_decode,
        },
        Function {
            signature: "percent_encode(text: string) -> string",
            doc: "The text as a part of a URL: all but letters, digits, `-`, `.`, `_` and `~` as `%XX` (RFC 3986).",
            body: percent_encode,
        },
        Function {
            signature: "percent_decode(text: string) -> string",
            doc: "The text with each `%XX` as what it stands for, which must be UTF-8; `+` stays `+`.",
            body: percent_decode,
        },
        Function {
            signature: "utf8_encode(text: string) -> bytes",
            doc: "The text's bytes in UTF-8.",
            body: utf8_encode,
        },
        Function {
            signature: "utf8_decode(data: bytes) -> string",
            doc: "The text that bytes in UTF-8 are; anything else is an error.",
            body: utf8_decode,
        },
    ],
};

fn base64_encode(_: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    encode(&BASE64, context, args)
}

fn base64_decode(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    decode(&BASE64, "base64", args)
}

fn base64url_encode(_: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    encode(&BASE64URL_NOPAD, context, args)
}

fn base64url_decode(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    decode(&BASE64URL_NOPAD, "base64 for URLs", args)
}

fn hex_encode(_: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    encode(&HEXLOWER, context, args)
}

fn hex_decode(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    decode(&HEXLOWER_PERMISSIVE, "hexadecimal", args)
}

fn percent_encode(_: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let mut encoded = Text::of_engine(context.engine());
    for piece in utf8_percent_encode(&text(args, 0), RESERVED) {
        encoded.push(piece).map_err(|full| full.into_error("the text"))?;
    }
    Ok(encoded.into_string().into())
}

fn percent_decode(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let text = text(args, 0);
    match percent_decode_str(&text).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned().into()),
        Err(error) => Err(wrong("what the text stands for is not UTF-8", error.valid_up_to())),
    }
}

fn utf8_encode(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    Ok(Dynamic::from_blob(text(args, 0).as_bytes().to_vec()))
}

fn utf8_decode(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    with_bytes(args, |bytes| match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned().into()),
        Err(error) => Err(wrong("the bytes are not UTF-8", error.valid_up_to())),
    })
}

fn encode(encoding: &Encoding, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    with_bytes(args, |bytes| {
        let mut encoded = Text::of_engine(context.engine());
        let room = encoded.with_room(encoding.encode_len(bytes.len()));
        encoding.encode_append(bytes, room.map_err(|full| full.into_error("the text"))?);
        Ok(encoded.into_string().into())
    })
}

fn decode(encoding: &Encoding, name: &str, args: &mut [&mut Dynamic]) -> CallResult {
    match encoding.decode(text(args, 0).as_bytes()) {
        Ok(bytes) => Ok(Dynamic::from_blob(bytes)),
        Err(error) => Err(wrong(&format!("the text is not {name}"), error.position)),
    }
}

fn with_bytes(args: &mut [&mut Dynamic], work: impl FnOnce(&[u8]) -> CallResult) -> CallResult {
    match args[0].read_lock::<Blob>() {
        Some(bytes) => work(&bytes),
        None => {
            Err(Error::new(Code::Internal, "an argument is not the bytes that it was checked to be").into())
        }
    }
}

fn wrong(what: &str, at: usize) -> CallError {
    Error::new(Code::PluginFailed, format!("{what}, from byte {at}")).into()
}

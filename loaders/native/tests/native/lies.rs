//! Results that are none, and whose memory comes back all the same.

use crate::sample::Memory;
use crate::support::{MEMORY, fails, same, sample_engine};
use caraway_loaders_core::Code::{
    self, CallbackExpired, Memory as NoMemory, PluginCrashed, PluginFailed, ResultType,
};

#[test]
fn values_cross_and_their_memory_comes_back() {
    for memory in MEMORY {
        let engine = sample_engine(memory);
        for (script, expected) in [
            ("sample::text(\"\")", "\"\""),
            ("sample::text(\"short\")", "\"short\""),
            (
                "sample::text(\"Grüße, 世界 🙂 and so on, for long enough\")",
                "\"Grüße, 世界 🙂 and so on, for long enough\"",
            ),
            ("sample::bytes(blob(300, 0xff))", "blob(300, 0xff)"),
            ("sample::bytes(blob())", "blob()"),
            ("sample::any([1, 2.5, \"x\", [()], #{k: 'c'}])", "[1, 2.5, \"x\", [()], #{k: 'c'}]"),
            ("sample::int_array([1, -2])", "[1, -2]"),
            ("sample::float_array([1, 2.5])", "[1.0, 2.5]"),
            ("sample::no_int_array()", "[]"),
            ("sample::ints(ints([1, 2])) == ints([1, 2])", "true"),
            ("sample::floats(floats([0.5])) == floats([0.5])", "true"),
            ("sample::no_ints().len()", "0"),
        ] {
            same(&engine, script, expected);
        }
        let counted = if memory == Memory::Own { "12" } else { "0" };
        same(&engine, "sample::memory_given()", counted);
        same(&engine, "sample::memory_released()", counted);
    }
}

#[test]
fn lies_are_refused() {
    let lie = |how: u32| format!("sample::lie({how})");
    let any = |how: u32| format!("sample::lie_any({how})");
    let of_lie = |text: &str| format!("the result of `sample::lie` {text}");
    let of_any = |text: &str| format!("the result of `sample::lie_any` cannot be read: {text}");
    let cases: Vec<(String, Code, String)> = vec![
        (lie(0), ResultType, of_lie("is a buffer of an impossible size")),
        (lie(1), ResultType, of_lie("is a buffer of an impossible size")),
        (lie(2), ResultType, of_lie("is a buffer of an impossible size")),
        (lie(3), ResultType, of_lie("is a string that is not UTF-8")),
        (lie(4), PluginCrashed, "`sample::lie` gave back the status 99, which means nothing".into()),
        (lie(5), PluginCrashed, "`sample::lie` gave back the status -1, which means nothing".into()),
        (lie(6), PluginCrashed, "`sample::lie` passes on an error of a callback that there was not".into()),
        (
            lie(7),
            PluginCrashed,
            "`sample::lie` gave back a message that is a buffer of an impossible size".into(),
        ),
        (lie(8), PluginFailed, "`sample::lie` failed: a\u{fffd}".into()),
        (lie(9), PluginCrashed, "`sample::lie` panicked: boom".into()),
        (lie(10), PluginFailed, "`sample::lie` failed".into()),
        (lie(11), NoMemory, "there is no memory for the result of `sample::lie`".into()),
        (lie(12), CallbackExpired, "a callback was called after the call that it was passed to".into()),
        (lie(13), PluginCrashed, "`sample::lie` passes on an error of a callback that there was not".into()),
        (
            "sample::lie_bool()".into(),
            ResultType,
            "the result of `sample::lie_bool` is a word that no value of its type has".into(),
        ),
        (
            "sample::lie_char()".into(),
            ResultType,
            "the result of `sample::lie_char` is a word that no value of its type has".into(),
        ),
        (
            "sample::lie_ints(true)".into(),
            ResultType,
            "the result of `sample::lie_ints` is a buffer of an impossible size".into(),
        ),
        (
            "sample::lie_int_array(false)".into(),
            ResultType,
            "the result of `sample::lie_int_array` is a buffer of an impossible size".into(),
        ),
        (any(0), ResultType, of_any("the encoded value ends too early")),
        (any(1), ResultType, of_any("no value has the tag 200")),
        (any(2), ResultType, of_any("bytes follow the encoded value")),
        (any(3), ResultType, of_any("the encoded value ends too early")),
        (any(4), ResultType, of_any("a string is not UTF-8")),
        (
            "sample::lie_int(5)".into(),
            ResultType,
            "the result of `sample::lie_int` must be int, found bool".into(),
        ),
    ];
    for memory in MEMORY {
        let engine = sample_engine(memory);
        for (script, code, message) in &cases {
            fails(&engine, script, *code, message);
            same(&engine, "sample::text(\"x\")", "\"x\"");
        }
        // What could not be told from memory was left alone; the rest came back.
        let left = if memory == Memory::Own { "3" } else { "0" };
        same(&engine, "sample::memory_given() - sample::memory_released()", left);
    }
}

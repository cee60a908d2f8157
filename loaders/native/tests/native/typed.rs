//! Functions that are called in C's own way.

use crate::sample::Memory;
use crate::support::{MEMORY, fails, same, sample_engine};
use caraway_loaders_core::Code::{ArgumentType, Memory as NoMemory, PluginCrashed, PluginFailed, ResultType};

#[test]
fn every_combination_is_called() {
    let engine = sample_engine(Memory::Host);
    let values = |class: char| if class == 'i' { ["1", "2", "3"] } else { ["1.0", "2.0", "3.0"] };
    for returns in ['I', 'F'] {
        let shown = |int: &str| if returns == 'I' { int.to_owned() } else { format!("{int}.0") };
        same(&engine, &format!("sample::{returns}_()"), &shown("7"));
        for count in 1..=3 {
            for classes in 0..1 << count {
                let classes: String =
                    (0..count).map(|i| if classes >> i & 1 == 0 { 'i' } else { 'f' }).collect();
                let args: Vec<&str> = classes.chars().enumerate().map(|(i, c)| values(c)[i]).collect();
                let call = format!("sample::{returns}_{classes}({})", args.join(", "));
                same(&engine, &call, &shown(&"123"[..count]));
                // An int where a float is declared.
                let ints = (1..=count).map(|i| i.to_string()).collect::<Vec<_>>().join(", ");
                same(&engine, &format!("sample::{returns}_{classes}({ints})"), &shown(&"123"[..count]));
            }
        }
    }
}

#[test]
fn words_are_what_their_types_say() {
    let engine = sample_engine(Memory::Host);
    for (script, expected) in [
        ("sample::typed_not(true)", "false"),
        ("sample::typed_not(false)", "true"),
        ("sample::typed_next('a')", "'b'"),
        ("sample::typed_next('\\U0001f642')", "'\\U0001f643'"),
        ("sample::typed_mixed(true, 0.5, 7)", "0.5"),
        ("sample::typed_mixed(false, 0.5, 7)", "7.0"),
        ("sample::typed_is(2.0, 2)", "true"),
        ("sample::typed_tick()", "()"),
        ("sample::tick_count()", "1"),
        ("sample::I_i(0x7fffffffffffffff)", "0x7fffffffffffffff"),
        ("sample::F_f(-0.0)", "-0.0"),
    ] {
        same(&engine, script, expected);
    }
}

#[test]
fn failures_are_told() {
    for memory in MEMORY {
        let engine = sample_engine(memory);
        for (script, code, message) in [
            ("sample::typed_fails(0)", PluginFailed, "`sample::typed_fails` failed: as it was asked to"),
            ("sample::typed_fails(1)", PluginCrashed, "`sample::typed_fails` panicked: boom"),
            (
                "sample::typed_fails(2)",
                NoMemory,
                "there is no memory for the result of `sample::typed_fails`",
            ),
            (
                "sample::typed_fails(3)",
                PluginCrashed,
                "`sample::typed_fails` gave back the status 0, which means nothing",
            ),
            (
                "sample::typed_fails(4)",
                PluginCrashed,
                "`sample::typed_fails` gave back the status 77, which means nothing",
            ),
            (
                "sample::typed_fails(5)",
                PluginCrashed,
                "`sample::typed_fails` gave back a message that is a buffer of an impossible size",
            ),
            (
                "sample::typed_fails(6)",
                PluginCrashed,
                "`sample::typed_fails` passes on an error of a callback that there was not",
            ),
            (
                "sample::typed_bool_2()",
                ResultType,
                "the result of `sample::typed_bool_2` is a word that no value of its type has",
            ),
            (
                "sample::typed_surrogate()",
                ResultType,
                "the result of `sample::typed_surrogate` is a word that no value of its type has",
            ),
            (
                "sample::I_ii(1, true)",
                ArgumentType,
                "argument 2 of `sample::I_ii`: `b` must be int, found bool",
            ),
        ] {
            let error = fails(&engine, script, code, message);
            assert!(error.location().is_some_and(|place| place.line == 1), "{script}: {error:?}");
        }
        same(&engine, "sample::typed_fails(99)", "0");
        same(&engine, "sample::memory_given() - sample::memory_released()", "0");
    }
}

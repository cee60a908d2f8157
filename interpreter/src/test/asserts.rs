//! What scripts say of values: `assert` and the like.

use super::compare::difference;
use super::expected::ExpectedError;
use super::shown::shown;
use caraway_loaders_core::budget::Expiry;
use caraway_loaders_core::{Code, Error};
use rhai::{Dynamic, EvalAltResult, FnPtr, FuncRegistration, Module, NativeCallContext, Shared};

type Outcome = Result<(), Box<EvalAltResult>>;

/// The functions that tests in Rhai have. `explain` is how errors of their script are told.
pub(super) fn module(explain: impl Fn(&EvalAltResult) -> Error + Send + Sync + 'static) -> Shared<Module> {
    let mut module = Module::new();
    let add = |name| FuncRegistration::new(name).with_volatility(true);
    add("assert").set_into_module(&mut module, |context: NativeCallContext, condition: Dynamic| {
        assert(&context, &condition, None)
    });
    add("assert").set_into_module(
        &mut module,
        |context: NativeCallContext, condition: Dynamic, message: Dynamic| {
            assert(&context, &condition, Some(message))
        },
    );
    add("assert_eq").set_into_module(&mut module, |context: NativeCallContext, a: Dynamic, b: Dynamic| {
        same(&context, &a, &b, None)
    });
    add("assert_eq").set_into_module(
        &mut module,
        |context: NativeCallContext, a: Dynamic, b: Dynamic, message: Dynamic| {
            same(&context, &a, &b, Some(message))
        },
    );
    add("assert_ne").set_into_module(&mut module, |context: NativeCallContext, a: Dynamic, b: Dynamic| {
        other(&context, &a, &b, None)
    });
    add("assert_ne").set_into_module(
        &mut module,
        |context: NativeCallContext, a: Dynamic, b: Dynamic, message: Dynamic| {
            other(&context, &a, &b, Some(message))
        },
    );
    let explain = Shared::new(explain);
    let any = explain.clone();
    add("assert_throws").set_into_module(&mut module, move |context: NativeCallContext, work: FnPtr| {
        throws(&context, &work, &ExpectedError::default(), &*any)
    });
    add("assert_throws").set_into_module(
        &mut module,
        move |context: NativeCallContext, work: FnPtr, expected: &str| {
            throws(&context, &work, &ExpectedError::of(expected), &*explain)
        },
    );
    module.build_index();
    module.into()
}

fn failed(context: &NativeCallContext, what: String, message: Option<Dynamic>) -> Outcome {
    let said = message.map(|message| format!("{message}: ")).unwrap_or_default();
    Err(Error::new(Code::ScriptFailed, format!("{said}{what}")).raise(context.call_position()))
}

fn assert(context: &NativeCallContext, condition: &Dynamic, message: Option<Dynamic>) -> Outcome {
    match condition.as_bool() {
        Ok(true) => Ok(()),
        Ok(false) => failed(context, "the assertion does not hold".to_owned(), message),
        Err(_) => failed(context, format!("`assert` takes a bool, found {}", shown(condition)), message),
    }
}

fn same(context: &NativeCallContext, a: &Dynamic, b: &Dynamic, message: Option<Dynamic>) -> Outcome {
    let Some(difference) = difference(a, b) else { return Ok(()) };
    let place = match difference.path.as_str() {
        "" => String::new(),
        path => format!(" at {path}"),
    };
    let (left, right) = (difference.expected, difference.found);
    failed(context, format!("the values differ{place}\n   left: {left}\n  right: {right}"), message)
}

fn other(context: &NativeCallContext, a: &Dynamic, b: &Dynamic, message: Option<Dynamic>) -> Outcome {
    match difference(a, b) {
        Some(_) => Ok(()),
        None => failed(context, format!("both values are {}", shown(a)), message),
    }
}

fn throws(
    context: &NativeCallContext,
    work: &FnPtr,
    expected: &ExpectedError,
    explain: &dyn Fn(&EvalAltResult) -> Error,
) -> Outcome {
    let error = match work.call_within_context::<Dynamic>(context, ()) {
        Ok(value) => {
            return failed(
                context,
                format!("should fail with {expected}, and gives {}", shown(&value)),
                None,
            );
        }
        Err(error) => error,
    };
    // A limit of the test itself, and `exit`, are nothing that it may expect.
    if Expiry::of(&error).is_some() || matches!(error.unwrap_inner(), EvalAltResult::Exit(..)) {
        return Err(error);
    }
    let error = explain(&error);
    match expected.fits(&error) {
        true => Ok(()),
        false => {
            let found = format!("{} {}", error.code(), error.message());
            failed(context, format!("should fail with {expected}\n  found: {found}"), None)
        }
    }
}

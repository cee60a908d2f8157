//! From "function not found" to what was meant.
//!
//! A call that finds no function ends in Rhai's own error, which knows nothing of plugins. Whoever runs the
//! script turns it into one that names the plugin, the signature and the nearest name.

use super::binder::Bound;
use super::error::wrong_argument;
use super::kind::Kind;
use super::shown::Shown;
use crate::budget;
use crate::code::Code;
use crate::error::{Error, Location};
use crate::handle;
use crate::suggest::suggest;
use crate::text;
use caraway_plugin::Signature;
use rhai::{AST, ASTNode, EvalAltResult, Expr, Position, Stmt};
use std::sync::Arc;

/// An `import` with a literal path in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// What is imported.
    pub path: String,
    /// What it is called; empty for an import without `as`.
    pub alias: String,
    /// Where the path stands.
    pub position: Position,
    /// Whether the statement is at the top level of the file.
    pub top_level: bool,
}

/// The imports of a script, in order.
pub fn imports_of(ast: &AST) -> Vec<Imported> {
    let mut found = Vec::new();
    ast.walk(&mut |path| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last()
            && let Expr::StringConstant(text, position) = &import.0
        {
            found.push(Imported {
                path: text.to_string(),
                alias: import.1.name.to_string(),
                position: *position,
                top_level: path.len() == 1,
            });
        }
        true
    });
    found
}

/// The error of a script as an [`Error`], with its place.
///
/// `source` is the file that was run; `module` gives what an alias of that file stands for, so that a call
/// which found no function can be explained.
pub fn explain(error: &EvalAltResult, source: &str, module: &dyn Fn(&str) -> Option<Arc<Bound>>) -> Error {
    let mut file = source.to_owned();
    let mut frames = Vec::new();
    let mut inner = error;
    loop {
        match inner {
            EvalAltResult::ErrorInFunctionCall(name, callee, next, position) => {
                frames.push((name.clone(), Location::of_position(Some(&file), *position)));
                if !callee.is_empty() {
                    file.clone_from(callee);
                }
                inner = next;
            }
            EvalAltResult::ErrorInModule(name, next, _) => {
                if matches!(**next, EvalAltResult::ErrorParsing(..))
                    || next.unwrap_inner().position() != Position::NONE
                {
                    file.clone_from(name);
                }
                inner = next;
            }
            _ => break,
        }
    }
    let location = Location::of_position(Some(&file), inner.position());
    let mut explained = match Error::raised_in(inner) {
        Some(error) => error,
        // What fails in a plugin's own code is a failure of the plugin, whatever kind it is.
        None if file != source && frames.iter().any(|(name, _)| name.contains("::")) => {
            plain(inner, module).as_failure_of_plugin()
        }
        None => plain(inner, module),
    };
    explained = explained.at(location);
    for (name, location) in frames.into_iter().rev() {
        explained = explained.through(name, location);
    }
    explained
}

fn plain(error: &EvalAltResult, module: &dyn Fn(&str) -> Option<Arc<Bound>>) -> Error {
    // Rhai appends the position to what it prints; here it has a place of its own.
    let mut message = text::message(error);
    let suffix = format!(" ({})", error.position());
    if message.ends_with(&suffix) {
        message.truncate(message.len() - suffix.len());
    }
    match error {
        EvalAltResult::ErrorFunctionNotFound(call, _) => {
            let method = || handle::take_missing(call.split(" (").next().unwrap_or(call));
            missing_function(call, module)
                .or_else(method)
                .unwrap_or_else(|| Error::new(Code::ScriptFailed, message))
        }
        // A text that `eval` was given may have been left for lack of time.
        EvalAltResult::ErrorParsing(..) => match budget::check() {
            Err(expiry) => expiry.error().clone(),
            Ok(()) => Error::new(Code::Syntax, message),
        },
        EvalAltResult::ErrorRuntime(value, _) => {
            Error::new(Code::ScriptFailed, thrown_text(value)).throwing(value.clone())
        }
        EvalAltResult::ErrorTooManyOperations(_)
        | EvalAltResult::ErrorTooManyVariables(_)
        | EvalAltResult::ErrorTooManyModules(_)
        | EvalAltResult::ErrorStackOverflow(_) => Error::new(Code::Limit, message),
        EvalAltResult::ErrorDataTooLarge(..) => Error::new(Code::Memory, message),
        EvalAltResult::ErrorTerminated(token, _) => match token.read_lock::<crate::budget::Expiry>() {
            Some(expiry) => expiry.error().clone(),
            None => Error::new(Code::ScriptFailed, message),
        },
        _ => Error::new(Code::ScriptFailed, message),
    }
}

fn thrown_text(value: &rhai::Dynamic) -> String {
    if value.is_unit() {
        return "the script threw an error".to_owned();
    }
    text::message(value)
}

/// Explains `stats::maen (array, i64)`.
fn missing_function(call: &str, module: &dyn Fn(&str) -> Option<Arc<Bound>>) -> Option<Error> {
    let (path, args) = call.split_once(" (").unwrap_or((call, ")"));
    let (alias, function) = path.split_once("::")?;
    let bound = module(alias)?;
    let args: Vec<&str> = match args.trim_end_matches(')') {
        "" => Vec::new(),
        list => list.split(", ").collect(),
    };
    let signatures = || bound.signatures.iter().map(|signature| &**signature);
    let signature = match find_call(&bound.name, signatures(), function, args.len()) {
        Ok(signature) => signature,
        Err(error) => return Some(error),
    };
    let shown = Shown::new(bound.name.as_str().into(), signature.clone().into());
    let wrong = signature.params.iter().zip(&args).position(|(param, arg)| !may_be(&param.ty, arg))?;
    Some(wrong_argument(&shown, wrong, args[wrong]))
}

/// The function that a call with this many arguments means, of those that a plugin has.
///
/// # Errors
///
/// [`Code::UnknownFunction`] if there is none of this name, with the nearest one, or if it takes another number of
/// arguments, with its signature.
pub fn find_call<'a, I>(
    plugin: &str,
    signatures: I,
    function: &str,
    count: usize,
) -> Result<&'a Signature, Error>
where
    I: Iterator<Item = &'a Signature> + Clone,
{
    let mut called = signatures.clone().filter(|signature| signature.name == function);
    if let Some(found) = called.clone().find(|signature| signature.params.len() == count) {
        return Ok(found);
    }
    if let Some(signature) = called.next() {
        let shown = Shown::new(plugin.into(), signature.clone().into());
        let takes = signature.params.len();
        let s = if takes == 1 { "" } else { "s" };
        let message = format!("`{}` takes {takes} argument{s}, {count} given", shown.name());
        return Err(Error::new(Code::UnknownFunction, message).hint(format!("the signature is `{shown}`")));
    }
    let error = Error::new(Code::UnknownFunction, format!("`{plugin}` has no function `{function}`"));
    let names = || signatures.clone().map(|signature| signature.name.as_str());
    Err(match suggest(function, names()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if names().count() <= 12 => {
            error.hint(format!("it has: {}", names().collect::<Vec<_>>().join(", ")))
        }
        None => error,
    })
}

/// Whether Rhai's name for a type can be one of `ty`.
fn may_be(ty: &caraway_plugin::Type, rhai: &str) -> bool {
    use caraway_plugin::Type;
    match ty {
        Type::Float => Kind::Float.is_called(rhai) || Kind::Int.is_called(rhai),
        Type::Option(inner) => Kind::Unit.is_called(rhai) || may_be(inner, rhai),
        _ => Kind::of_type(ty).is_none_or(|kind| kind.is_called(rhai)),
    }
}

//! From Rhai's syntax tree to functions whose expressions have types.
//!
//! What cannot be typed, or would not mean what it means to Rhai, is an [`Obstacle`] with its place.

mod arguments;
mod body;
mod buffer;
mod builtin;
mod call;
mod expression;
mod loops;
mod operator;
mod session;
mod source;
mod statement;
mod switch;
mod throw;

use crate::host::MAX_PARAMS;
use crate::ir::{FunctionId, Program, Type};
use caraway_loaders_core::{Param, Signature, Type as Declared};
use caraway_loaders_script::{Obstacle, Script};
use rhai::Position;
use session::{Key, Session};
use source::Source;

/// A script's functions in typed form.
pub(crate) struct Analysis {
    pub program: Program,
    /// In the order of the functions that were asked for.
    pub roots: Vec<Result<FunctionId, Obstacle>>,
}

/// Whether functions of such types can be compiled, as far as their signature tells.
pub(crate) fn takes(signature: &Signature) -> bool {
    unfit(signature).is_none()
}

/// What of a signature is not compiled.
fn unfit(signature: &Signature) -> Option<String> {
    if signature.params.len() > MAX_PARAMS {
        return Some(format!("more than {MAX_PARAMS} parameters"));
    }
    let param = signature.params.iter().find(|param| known(&param.ty).is_none());
    if let Some(Param { name, ty, .. }) = param {
        return Some(format!("`{name}`, which is of type `{ty}`"));
    }
    let returns = &signature.returns;
    let is_fit = matches!(returns, Declared::Void | Declared::Any) || known(returns).is_some();
    (!is_fit).then(|| format!("a result of type `{returns}`"))
}

fn params(signature: &Signature) -> Option<Vec<Type>> {
    signature.params.iter().map(|param| known(&param.ty)).collect()
}

fn known(declared: &Declared) -> Option<Type> {
    Some(match declared {
        Declared::Int => Type::Int,
        Declared::Float => Type::Float,
        Declared::Bool => Type::Bool,
        Declared::Ints => Type::Ints,
        Declared::Floats => Type::Floats,
        _ => return None,
    })
}

/// Types the functions of a script, each with all that it calls.
pub(crate) fn analyse(script: &Script, functions: &[Signature]) -> Analysis {
    let source = Source::new(script);
    let mut session = Session::new(&source);
    let roots = functions.iter().map(|signature| root(&mut session, signature)).collect();
    Analysis { program: session.into_program(), roots }
}

fn root(session: &mut Session, signature: &Signature) -> Result<FunctionId, Obstacle> {
    if let Some(what) = unfit(signature) {
        return Err(obstacle(what, Position::NONE));
    }
    let params = params(signature).unwrap_or_default();
    let mut key = Key { name: signature.name.clone(), params, is_void: false };
    if signature.returns == Declared::Void {
        // One that gives nothing anyway is the same for those who declare that.
        if let Ok(id) = session.root(&key)
            && matches!(session.result(id), Type::Unit | Type::Never)
        {
            return Ok(id);
        }
        key.is_void = true;
    }
    session.root(&key)
}

fn obstacle(what: impl Into<String>, position: Position) -> Obstacle {
    Obstacle { what: what.into(), position }
}

//! What a script itself calls of its functions that were compiled.
//!
//! A function of a script wins over any other of its name. So those that were compiled leave the script's library,
//! and a native function takes the place of each: it calls what was compiled, or, with arguments of other types, the
//! function as it was.

use crate::compile::{Compiled, Script};
use caraway_loaders_core::buffer::{Floats, Ints};
use caraway_loaders_core::{Signature, Type};
use rhai::{
    AST, ASTNode, Caches, Dynamic, Engine, EvalAltResult, EvalContext, Expr, FnCallExpr, FnPtr, FuncInfo,
    FuncRegistration, GlobalRuntimeState, Module, NativeCallContext, Position, RhaiFunc, Scope, Shared, Stmt,
};
use std::any::TypeId;
use std::collections::HashSet;
use std::sync::Arc;

/// Functions that look at which functions there are, or run text.
const CURIOUS: [&str; 4] = ["is_def_fn", "get_fn_metadata_list", "eval", "Fn"];

/// The state of `before` with what was compiled in the place of functions; none if there is nothing to be replaced,
/// or if the script could tell the difference.
pub(crate) fn dispatching(
    script: &Script,
    engine: &Engine,
    before: &GlobalRuntimeState,
    compiled: &[(&Signature, Arc<dyn Compiled>)],
) -> Option<GlobalRuntimeState> {
    let mentioned = Mentioned::of(script.ast)?;
    let named: Vec<_> =
        compiled.iter().filter(|(signature, _)| !mentioned.names.contains(&signature.name)).collect();
    let native = native_names(engine, before, &named);
    let replaced: Vec<_> = named
        .into_iter()
        .filter(|(signature, _)| !native.contains(&signature.name))
        .filter_map(|(signature, function)| {
            let types: Option<Vec<_>> = signature.params.iter().map(|param| type_id(&param.ty)).collect();
            Some((&signature.name, types?, function))
        })
        .collect();
    if replaced.is_empty() {
        return None;
    }
    let mut rest = script.ast.clone_functions_only();
    rest.retain_functions(|_, _, name, params| {
        !replaced.iter().any(|(other, types, _)| *other == name && types.len() == params)
    });
    // Errors are told to be in the script that their function's library names.
    rest.set_source(script.ast.source().unwrap_or_default());
    let mut natives = Module::new();
    let before = Shared::new(before.clone());
    for (name, types, function) in replaced {
        if !types.is_empty() {
            let any = vec![TypeId::of::<Dynamic>(); types.len()];
            put(&mut natives, name, &any, &before, |_, _| None);
        }
        let function = function.clone();
        put(&mut natives, name, &types, &before, move |context, args| {
            function.call(args, context.call_level())
        });
    }
    natives.build_index();
    let mut after = (*before).clone();
    after.lib = [Shared::new(natives), rest.shared_lib().clone()].into_iter().collect();
    Some(after)
}

/// The names among those of `compiled` for which Rhai has native functions of as many parameters: what is put in a
/// function's place would not win over them for arguments of other types, as the function does.
fn native_names(
    engine: &Engine,
    global: &GlobalRuntimeState,
    compiled: &[&(&Signature, Arc<dyn Compiled>)],
) -> HashSet<String> {
    #[allow(deprecated)] // Rhai's mark for an interface that may change; the version is pinned.
    let context = NativeCallContext::new_with_all_fields(engine, "", None, global, Position::NONE);
    let named = |info: FuncInfo| {
        let function = info.metadata;
        let is_seen = info.namespace.is_empty() || function.namespace.is_global_namespace();
        let is_named = || {
            let mut signatures = compiled.iter().map(|(signature, _)| signature);
            signatures.any(|other| other.name == function.name && other.params.len() == function.num_params)
        };
        (info.script.is_none() && is_seen && is_named()).then(|| function.name.to_string())
    };
    engine.collect_fn_metadata(Some(&context), named, true).into_iter().collect()
}

type Outcome = Result<Dynamic, Box<EvalAltResult>>;

fn put(
    module: &mut Module,
    name: &str,
    types: &[TypeId],
    before: &Shared<GlobalRuntimeState>,
    call: impl Fn(&NativeCallContext, &mut [&mut Dynamic]) -> Option<Outcome> + Send + Sync + 'static,
) {
    let (before, called) = (before.clone(), name.to_owned());
    let body = move |context: Option<NativeCallContext>, args: &mut [&mut Dynamic]| {
        let Some(context) = context else { return Ok(Dynamic::UNIT) };
        call(&context, args).unwrap_or_else(|| as_it_was(&context, &before, &called, args))
    };
    let func =
        RhaiFunc::Pure { func: Shared::new(body), has_context: true, is_pure: true, is_volatile: true };
    FuncRegistration::new(name).set_into_module_raw(module, types, func);
}

/// Calls a function as it is in the script, where all that it calls is, too.
#[cold]
fn as_it_was(
    context: &NativeCallContext,
    before: &GlobalRuntimeState,
    name: &str,
    args: &mut [&mut Dynamic],
) -> Outcome {
    let mut global = before.clone();
    // `call_fn_raw` takes two levels where a call in a script takes one, which has been taken.
    global.level = context.call_level().saturating_sub(2);
    EvalContext::new(context.engine(), &mut global, &mut Caches::new(), &mut Scope::new(), None)
        .call_fn_raw(name, false, false, args)
}

fn type_id(ty: &Type) -> Option<TypeId> {
    Some(match ty {
        Type::Int => TypeId::of::<i64>(),
        Type::Float => TypeId::of::<f64>(),
        Type::Bool => TypeId::of::<bool>(),
        Type::Ints => TypeId::of::<Ints>(),
        Type::Floats => TypeId::of::<Floats>(),
        _ => return None,
    })
}

/// The functions that a script uses otherwise than by calling them: as values, as methods, by their names in texts.
struct Mentioned {
    names: HashSet<String>,
}

impl Mentioned {
    /// None if it may use any of them.
    fn of(ast: &AST) -> Option<Self> {
        let mut names = HashSet::new();
        let is_plain = ast.walk(&mut |path: &[ASTNode]| {
            match path.last() {
                Some(ASTNode::Expr(Expr::Variable(variable, ..))) => {
                    names.insert(variable.1.to_string());
                }
                Some(ASTNode::Expr(Expr::MethodCall(call, _))) => {
                    names.insert(call.name.to_string());
                    return !is_curious(call);
                }
                Some(ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) => {
                    return !is_curious(call);
                }
                Some(ASTNode::Expr(Expr::DynamicConstant(value, _))) => {
                    if let Some(function) = value.read_lock::<FnPtr>() {
                        names.insert(function.fn_name().to_owned());
                    }
                }
                _ => {}
            }
            true
        });
        is_plain.then_some(Self { names })
    }
}

fn is_curious(call: &FnCallExpr) -> bool {
    CURIOUS.contains(&call.name.as_str()) || call.capture_parent_scope
}

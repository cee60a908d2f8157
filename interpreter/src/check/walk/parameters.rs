//! What functions are given.

use super::Walk;
use crate::check::ty::Ty;
use crate::check::unit::Unit;
use caraway_loaders_core::Signature;
use rhai::{ASTNode, Expr, FnCallExpr, FnPtr, ScriptFuncDef, Stmt};
use std::collections::HashSet;

/// Longest text that may be the name of a function.
const MAX_NAME: usize = 64;

/// How functions are mentioned in the files of a unit.
pub(super) struct Mentions {
    /// Those that are called by their name.
    called: HashSet<String>,
    /// Those that may be passed on, or called as methods: what they are given is not known.
    passed_on: HashSet<String>,
}

impl Mentions {
    pub(super) fn of(unit: &Unit) -> Self {
        let (mut called, mut passed_on) = (HashSet::new(), HashSet::new());
        for source in &unit.sources {
            source.ast.walk(&mut |path| {
                match path.last() {
                    Some(ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) => {
                        called.insert(call.name.to_string());
                    }
                    Some(ASTNode::Expr(Expr::MethodCall(call, _))) => {
                        passed_on.insert(call.name.to_string());
                    }
                    Some(ASTNode::Expr(Expr::Variable(variable, ..))) => {
                        passed_on.insert(variable.1.to_string());
                    }
                    Some(ASTNode::Expr(Expr::StringConstant(text, _))) if text.len() <= MAX_NAME => {
                        passed_on.insert(text.to_string());
                    }
                    _ => {}
                }
                true
            });
        }
        Self { called, passed_on }
    }
}

impl Walk<'_> {
    /// What is known of a function's parameters: what its plugin's manifest says, or else what all of its calls pass.
    pub(super) fn parameters(&self, function: &ScriptFuncDef, declared: Option<&Signature>) -> Vec<Ty> {
        let (name, count) = (function.name.as_str(), function.params.len());
        let Mentions { called, passed_on } = &self.mentions;
        let unknown = || vec![Ty::Any; count];
        if passed_on.contains(name) || function.this_type.is_some() || self.unit.is_dynamic() {
            return unknown();
        }
        if !called.contains(name) {
            let Some(signature) = declared else { return unknown() };
            let plugin = self.plugin_name();
            return signature.params.iter().map(|param| Ty::declared(&param.ty, &plugin)).collect();
        }
        // Importers of a plugin call what is public, with what the signature says or whatever they like.
        let exported =
            self.unit.plugin.is_some() && self.source == 0 && function.access == rhai::FnAccess::Public;
        if exported || self.learnt.gave_up {
            return unknown();
        }
        let key = (self.source, name.to_owned(), count);
        let given = self.learnt.given.get(&key).cloned().unwrap_or_else(|| vec![Ty::Never; count]);
        let asked = asked_about(self.unit.sources[self.source].bodies.statements(function));
        let known = |(name, ty): (&rhai::ImmutableString, Ty)| match asked.contains(name.as_str()) {
            true => Ty::Any,
            false => ty,
        };
        function.params.iter().zip(given).map(known).collect()
    }

    /// A call passes these.
    pub(super) fn pass(&mut self, source: usize, name: &str, args: &[Ty]) {
        let key = (source, name.to_owned(), args.len());
        let given = self.learnt.given.entry(key).or_insert_with(|| vec![Ty::Never; args.len()]);
        for (given, arg) in given.iter_mut().zip(args) {
            let joined = given.clone().join(arg);
            if joined != *given {
                *given = joined;
                self.learnt.changed = true;
            }
        }
    }
}

/// The variables that are used only on some condition, asked about, or taken by closures: a function may do one thing
/// with a string and another with a number, and be called with one of them only.
fn asked_about(body: &[Stmt]) -> HashSet<String> {
    let mut asked = HashSet::new();
    let mut inside = |node: &ASTNode<'_>| {
        let mut note = |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Expr(Expr::Variable(variable, ..))) = path.last() {
                asked.insert(variable.1.to_string());
            }
            true
        };
        match node {
            ASTNode::Stmt(statement) => statement.walk(&mut Vec::new(), &mut note),
            ASTNode::Expr(expr) => expr.walk(&mut Vec::new(), &mut note),
            _ => true,
        };
    };
    for statement in body {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| match path.last() {
            Some(node) if is_conditional(node) => {
                inside(node);
                true
            }
            _ => true,
        });
    }
    asked
}

fn is_conditional(node: &ASTNode<'_>) -> bool {
    match node {
        ASTNode::Stmt(Stmt::If(..) | Stmt::Switch(..) | Stmt::TryCatch(..)) => true,
        ASTNode::Expr(Expr::And(..) | Expr::Or(..) | Expr::Coalesce(..)) => true,
        ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)) => {
            is_capture(call) || matches!(call.name.as_str(), "==" | "!=" | "type_of" | "is_shared")
        }
        ASTNode::Expr(Expr::Dot(parts, ..)) => {
            matches!(&parts.rhs, Expr::MethodCall(call, _) if call.name == "type_of")
        }
        _ => false,
    }
}

fn is_capture(call: &FnCallExpr) -> bool {
    let first = call.args.first();
    call.name == "curry"
        && matches!(first, Some(Expr::DynamicConstant(value, _)) if value.read_lock::<FnPtr>().is_some())
}

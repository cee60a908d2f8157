//! A script file, and what can be seen of it at a glance.

use super::bodies::Bodies;
use caraway_loaders_core::{Error, Location};
use caraway_loaders_script::{exported, parse_file};
use rhai::{AST, ASTFlags, ASTNode, Engine, Expr, Position, ScriptFuncDef, Shared, Stmt};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

/// How Rhai names closures.
const CLOSURE: &str = "anon$";

/// Longest text that is remembered as one that might be a property's name.
const MAX_NAME: usize = 64;

/// A script file that has been parsed.
pub(super) struct Source {
    /// The file, as messages name it.
    pub(super) name: String,
    pub(super) ast: AST,
    pub(super) bodies: Bodies,
    pub(super) functions: HashMap<String, Vec<Shared<ScriptFuncDef>>>,
    pub(super) closures: HashMap<String, Shared<ScriptFuncDef>>,
    /// The constants of the top level, which functions see as `global::NAME`.
    pub(super) constants: BTreeSet<String>,
    /// The variables that importers see.
    pub(super) exports: BTreeSet<String>,
    /// Everything that might be the name of a property that somebody puts into a map.
    pub(super) mentioned: HashSet<String>,
    /// The variables that are asked for with `is_def_var`.
    pub(super) asked_for: HashSet<String>,
    /// Whether it runs text, or functions inside of their caller's scope: nothing is certain then.
    pub(super) is_dynamic: bool,
    /// Whether importing it does something by itself.
    pub(super) acts: bool,
}

/// A literal `import` statement.
pub(super) struct Statement {
    pub(super) path: Option<String>,
    pub(super) alias: String,
    /// Where the path stands, which is what it is known by.
    pub(super) position: Position,
    pub(super) top_level: bool,
}

impl Source {
    /// Reads and parses a file.
    ///
    /// # Errors
    ///
    /// As [`parse_file`].
    pub(super) fn read(engine: &Engine, file: &Path) -> Result<Self, Error> {
        Ok(Self::of(parse_file(engine, file)?, &file.to_string_lossy()))
    }

    pub(super) fn of(ast: AST, name: &str) -> Self {
        let mut source = Self {
            name: name.to_owned(),
            functions: HashMap::new(),
            closures: HashMap::new(),
            constants: BTreeSet::new(),
            exports: exported(&ast).into_iter().map(|(_, alias)| alias).collect(),
            mentioned: HashSet::new(),
            asked_for: HashSet::new(),
            is_dynamic: false,
            acts: false,
            bodies: Bodies::of(&ast),
            ast: AST::empty(),
        };
        for function in ast.iter_fn_def() {
            source.acts |= function.this_type.is_some();
            let name = function.name.to_string();
            if name.starts_with(CLOSURE) {
                source.closures.insert(name, function.clone());
            } else {
                source.functions.entry(name).or_default().push(function.clone());
            }
        }
        for statement in ast.statements() {
            source.acts |=
                !matches!(statement, Stmt::Var(..) | Stmt::Import(..) | Stmt::Export(..) | Stmt::Noop(..));
            if let Stmt::Var(variable, flags, _) = statement
                && flags.intersects(ASTFlags::CONSTANT)
            {
                source.constants.insert(variable.0.name.to_string());
            }
        }
        ast.walk(&mut |path| {
            source.note(path);
            true
        });
        source.ast = ast;
        source
    }

    fn note(&mut self, path: &[ASTNode<'_>]) {
        let call = match path.last() {
            Some(ASTNode::Expr(Expr::Property(property, _))) => {
                self.mentioned.insert(property.2.to_string());
                return;
            }
            Some(ASTNode::Expr(Expr::Map(map, _))) => {
                self.mentioned.extend(map.0.iter().map(|(key, _)| key.name.to_string()));
                return;
            }
            Some(ASTNode::Expr(Expr::StringConstant(text, _))) if text.len() <= MAX_NAME => {
                self.mentioned.insert(text.to_string());
                return;
            }
            Some(ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) => call,
            _ => return,
        };
        self.is_dynamic |= call.capture_parent_scope || call.name == "eval" && !call.is_qualified();
        if call.name == "is_def_var"
            && let Some(Expr::StringConstant(name, _)) = call.args.first()
        {
            self.asked_for.insert(name.to_string());
        }
    }

    /// Its imports, in order; without a path for those that are computed.
    pub(super) fn imports(&self) -> Vec<Statement> {
        // The first level of a function's body has no parents either.
        let outermost: HashSet<*const Stmt> = self.ast.statements().iter().map(std::ptr::from_ref).collect();
        let mut found = Vec::new();
        self.ast.walk(&mut |path| {
            if let Some(ASTNode::Stmt(statement @ Stmt::Import(import, _))) = path.last() {
                let literal = match &import.0 {
                    Expr::StringConstant(text, _) => Some(text.to_string()),
                    _ => None,
                };
                found.push(Statement {
                    path: literal,
                    alias: import.1.name.to_string(),
                    position: import.0.start_position(),
                    top_level: outermost.contains(&std::ptr::from_ref(*statement)),
                });
            }
            true
        });
        found
    }

    /// The functions of this name, with the numbers of their arguments.
    pub(super) fn function(&self, name: &str, count: usize) -> Option<&Shared<ScriptFuncDef>> {
        self.functions.get(name)?.iter().find(|function| function.params.len() == count)
    }

    pub(super) fn at(&self, position: Position) -> Location {
        Location::of_position(Some(&self.name), position)
    }
}

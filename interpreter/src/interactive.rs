//! A program that is typed piece by piece.

use crate::program::{ExitCode, engine_for, requirements};
use crate::runtime::Runtime;
use crate::session::Session;
use caraway_loaders_core::Error;
use caraway_loaders_core::bind::{Bound, explain, imports_of};
use caraway_loaders_core::budget::{self, Meter};
use caraway_loaders_script::{engine, is_file, parse_text};
use rhai::{AST, Dynamic, Engine, EvalAltResult, ParseErrorType, Position, Scope, Token, get_next_token};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

/// What has been typed so far: variables, functions and imports stay.
///
/// Everything runs on the calling thread, which needs a large stack.
pub(crate) struct Interactive {
    runtime: Runtime,
    folder: PathBuf,
    session: Arc<Session>,
    engine: Engine,
    exit: ExitCode,
    scope: Scope<'static>,
    functions: AST,
    /// What was imported at the top level, by alias.
    imports: BTreeMap<String, Import>,
}

/// A module that was imported.
struct Import {
    path: String,
    /// `None` for a file.
    bound: Option<Arc<Bound>>,
}

/// How a piece ended.
pub(crate) enum Piece {
    /// With a value.
    Value(Dynamic),
    /// With `exit`.
    Exit(u8),
}

impl Interactive {
    /// Nothing typed yet, in a folder.
    ///
    /// # Errors
    ///
    /// A configuration that is wrong.
    pub(crate) fn new(runtime: Runtime, folder: &Path) -> Result<Self, Error> {
        let session = runtime.session_in(folder)?;
        let exit = ExitCode::default();
        Ok(Self {
            engine: engine_for(&session, folder, &[], &exit),
            folder: folder.to_owned(),
            runtime,
            session,
            exit,
            scope: Scope::new(),
            functions: AST::empty(),
            imports: BTreeMap::new(),
        })
    }

    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The variables and constants, the newest of each name.
    pub(crate) fn variables(&self) -> BTreeMap<&str, &Dynamic> {
        self.scope.iter_raw().map(|(name, _, value)| (name, value)).collect()
    }

    /// The names of the functions that were typed.
    pub(crate) fn functions(&self) -> impl Iterator<Item = String> {
        self.functions.iter_functions().map(|function| function.to_string())
    }

    /// The aliases of imports, what each is of, and the plugin if it is one.
    pub(crate) fn imports(&self) -> impl Iterator<Item = (&str, &str, Option<&Bound>)> {
        self.imports
            .iter()
            .map(|(alias, import)| (alias.as_str(), import.path.as_str(), import.bound.as_deref()))
    }

    /// Whether a text goes on: a bracket, a comment or a string that may have more lines is still open.
    pub(crate) fn is_open(&self, text: &str) -> bool {
        let parser = engine::parser(&self.session.limits());
        // An open comment is none that the parser would complain of.
        let Err(error) = parser.compile(text) else { return unclosed(&parser, text) };
        let at_the_end = |position: Position| {
            let end = text.trim_end();
            let lines = end.lines().count();
            let last = end.lines().last().map_or(0, |line| line.chars().count());
            position.is_none()
                || position.line().is_some_and(|line| {
                    line > lines || line == lines && position.position().is_some_and(|column| column >= last)
                })
        };
        match error.err_type() {
            ParseErrorType::UnexpectedEOF => true,
            ParseErrorType::MissingToken(..) | ParseErrorType::ExprExpected(_) => {
                at_the_end(error.position()) && unclosed(&parser, text)
            }
            // The place of such an error is where a string or comment begins.
            ParseErrorType::BadInput(_) | ParseErrorType::WrongDocComment => unclosed(&parser, text),
            _ => false,
        }
    }

    /// Runs a piece, which messages call `name`.
    ///
    /// # Errors
    ///
    /// As for a program. What the piece did before stays done.
    pub(crate) fn run(&mut self, text: &str, name: &str) -> Result<Piece, Error> {
        let limits = self.session.limits();
        let ast = parse_text(&engine::parser(&limits), text, name)?;
        let imports = imports_of(&ast);
        self.session.require(requirements(&imports, name)?).map_err(|error| self.session.shown(error))?;
        let mut whole = self.functions.merge(&ast);
        whole.set_source(name);
        let cancel = &self.session.settings().cancel;
        cancel.reset();
        let meter = Meter::program(&limits, cancel.clone());
        let outcome = {
            let _frame = meter.enter()?;
            let outcome = self.engine.eval_ast_with_scope::<Dynamic>(&mut self.scope, &whole);
            outcome.and_then(|value| {
                budget::check().map_err(|expiry| expiry.terminate(Position::NONE))?;
                Ok(value)
            })
        };
        self.functions = whole.clone_functions_only();
        for import in imports.iter().filter(|import| import.top_level) {
            self.keep(&import.alias, &import.path, outcome.is_err())?;
        }
        if let Some(code) = self.exit.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(Piece::Exit(code));
        }
        outcome.map(Piece::Value).map_err(|error| self.explained(&error, name))
    }

    fn explained(&self, error: &EvalAltResult, name: &str) -> Error {
        let error = explain(error, name, &|alias| self.imports.get(alias)?.bound.clone());
        self.session.shown(error)
    }

    /// Keeps an import for what is typed next. After a piece that failed it may be what failed.
    fn keep(&mut self, alias: &str, path: &str, failed: bool) -> Result<(), Error> {
        let (module, bound) = if is_file(path) {
            let resolved = self.engine.module_resolver().resolve(&self.engine, None, path, Position::NONE);
            match resolved {
                Ok(module) => (module, None),
                Err(_) if failed => return Ok(()),
                Err(error) => return Err(self.explained(&error, path)),
            }
        } else {
            match self.session.view().import(path) {
                Ok(bound) => (bound.module.clone(), Some(bound)),
                Err(_) if failed => return Ok(()),
                Err(error) => return Err(self.session.shown(error)),
            }
        };
        self.engine.register_static_module(alias, module);
        self.imports.insert(alias.to_owned(), Import { path: path.to_owned(), bound });
        Ok(())
    }

    /// Reads configuration and manifests anew, and loads again what was imported. Variables and functions stay; a
    /// handle stays one of the plugin as it was. If anything fails, all stays as it was.
    ///
    /// # Errors
    ///
    /// What is wrong with the new state.
    pub(crate) fn reload(&mut self) -> Result<(), Error> {
        let mut fresh = Self::new(self.runtime.clone(), &self.folder)?;
        for (alias, import) in &self.imports {
            let text = format!("import {:?} as {alias};", import.path);
            fresh.run(&text, ":reload")?;
        }
        fresh.scope = std::mem::take(&mut self.scope);
        fresh.functions = std::mem::replace(&mut self.functions, AST::empty());
        *self = fresh;
        Ok(())
    }

    /// Forgets an import, and says whether there was one.
    pub(crate) fn unload(&mut self, alias: &str) -> bool {
        let known = self.imports.remove(alias).is_some();
        if known {
            self.engine.register_static_module(alias, rhai::Module::new().into());
        }
        known
    }
}

/// Whether a bracket, a comment or a string that may have more lines is open at the end of a text.
fn unclosed(engine: &Engine, text: &str) -> bool {
    let texts = [text];
    let (mut tokens, _) = engine.lex(&texts);
    // Whether each bracket that is open belongs to a `${` in a string.
    let mut open: Vec<bool> = Vec::new();
    let mut in_string = false;
    loop {
        let (token, _) = get_next_token(&mut tokens.stream, &mut tokens.state, &mut tokens.pos);
        if tokens.state.comment_level > 0 || tokens.state.is_within_text_terminated_by.is_some() {
            return true;
        }
        match &token {
            Token::LeftBrace | Token::MapStart | Token::LeftParen | Token::LeftBracket => {
                open.push(in_string)
            }
            Token::RightBrace | Token::RightParen | Token::RightBracket => match open.pop() {
                None => return false,
                Some(false) => {}
                Some(true) => tokens.state.is_within_text_terminated_by = Some("`".into()),
            },
            Token::LexError(_) => return false,
            Token::EOF => return !open.is_empty(),
            _ => {}
        }
        in_string = matches!(token, Token::InterpolatedString(_));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_texts_go_on() {
        let interactive = Interactive::new(Runtime::builder().build().unwrap(), Path::new(".")).unwrap();
        for (text, open) in [
            ("fn f(x) {", true),
            ("fn f(x) {\n  x + 1", true),
            ("fn f(x) { x }", false),
            ("let a = [1,", true),
            ("let a = #{ b: \"}\" ", true),
            ("f(1,\n", true),
            ("let s = `one", true),
            ("let s = `one ${", true),
            ("let s = `one ${1}", true),
            ("let s = `one ${ `two ${[1, 2]} }` } three", true),
            ("let s = `one ${ `two ${[1, 2]}` } three`", false),
            ("let s = \"one", false),
            ("let s = \"one \\", true),
            ("let s = \"one \\\n  two\"", false),
            ("f(\"one", false),
            ("let s = #\"one", true),
            ("let s = ##\"one\"#", true),
            ("let s = ##\"one\" { \"##", false),
            ("/* one", true),
            ("1 /* one\n two", true),
            ("1 /* one /* two */", true),
            ("/** of f", true),
            ("1 /* one */", false),
            ("[1, // one ]", true),
            ("[1, /* one ]", true),
            ("let c = '{'", false),
            ("f(')'", true),
            ("1 +", true),
            ("}", false),
            ("let x = )", false),
            ("", false),
            ("1", false),
            ("// (", false),
        ] {
            assert_eq!(interactive.is_open(text), open, "{text:?}");
        }
    }
}

//! Typing functions by what they are called with.

use super::body::Body;
use super::obstacle;
use super::source::Source;
use crate::ir::{Expr, Function, FunctionId, Import, ImportId, Kind, Program, Site, SiteId, SiteKind, Type};
use caraway_loaders_script::Obstacle;
use rhai::Position;
use std::collections::HashMap;

/// How many statements and expressions of a script are compiled. Nothing can interrupt the compiler, so it must not have
/// much to do.
const MAX_WORK: usize = 30_000;

/// How many are looked at for one function that is called from outside, with all that it calls and that has not been
/// typed; functions that are looked at again counted again.
const MAX_WORK_OF_ROOT: usize = 10_000;

/// How many functions can call each other in a row before one is reached that has been typed.
const MAX_DEPTH: usize = 48;

/// How often a recursive function is looked at until its result is known.
const MAX_PASSES: usize = 4;

/// A function for one list of parameter types.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub name: String,
    pub params: Vec<Type>,
    /// Whether what it gives is not used.
    pub is_void: bool,
}

/// All functions of a script that have been typed so far.
pub(super) struct Session<'a> {
    pub source: &'a Source<'a>,
    program: Program,
    known: HashMap<Key, FunctionId>,
    /// The results of the program's functions; `None` for one whose result is still to be found.
    results: Vec<Option<Type>>,
    /// Functions whose results were asked for and not known.
    asked: Vec<FunctionId>,
    /// Functions that are being typed, and whether they are called by what they call.
    open: Vec<(FunctionId, bool)>,
    /// Of the function that is being typed for a call from outside.
    work: usize,
    /// Of those that have been.
    done: usize,
    depth: usize,
}

impl<'a> Session<'a> {
    pub(super) fn new(source: &'a Source<'a>) -> Self {
        Self {
            source,
            program: Program::default(),
            known: HashMap::new(),
            results: Vec::new(),
            asked: Vec::new(),
            open: Vec::new(),
            work: 0,
            done: 0,
            depth: 0,
        }
    }

    pub(super) fn into_program(self) -> Program {
        self.program
    }

    /// Types a function that is called from outside. One that cannot be typed leaves nothing behind.
    pub(super) fn root(&mut self, key: &Key) -> Result<FunctionId, Obstacle> {
        let mark = Mark::of(self);
        self.work = 0;
        let outcome = self.function(key);
        if outcome.is_ok() {
            self.done += self.work;
        } else {
            mark.restore(self);
            self.asked.clear();
            self.open.clear();
            self.depth = 0;
        }
        outcome
    }

    /// Types a function, unless that has been done.
    pub(super) fn function(&mut self, key: &Key) -> Result<FunctionId, Obstacle> {
        if let Some(&id) = self.known.get(key) {
            if let Some((_, calls_itself)) = self.open.iter_mut().find(|(open, _)| *open == id) {
                *calls_itself = true;
            }
            return Ok(id);
        }
        let definition = self.source.definition(&key.name, key.params.len())?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(obstacle("too many functions that call each other", Position::NONE));
        }
        let mark = Mark::of(self);
        let mut guess = None;
        for _ in 0..MAX_PASSES {
            let id = self.begin(key, guess);
            self.open.push((id, false));
            let function = Body::lower(self, key, &definition)?;
            let calls_itself = self.open.pop().is_some_and(|(_, calls_itself)| calls_itself);
            if calls_itself && function.buffers > 0 {
                return Err(obstacle(
                    format!("`{}`, which calls itself and makes buffers", key.name),
                    Position::NONE,
                ));
            }
            let result = function.result;
            self.program.functions[id] = function;
            // A recursive call whose result was not known ended what came after it. Now it is known.
            let is_final = guess == Some(result) || !self.asked.contains(&id);
            self.asked.retain(|asked| *asked < id);
            if is_final {
                self.results[id] = Some(result);
                self.depth -= 1;
                return Ok(id);
            }
            guess = Some(result);
            mark.restore(self);
        }
        Err(obstacle(format!("`{}` gives values of more than one type", key.name), Position::NONE))
    }

    fn begin(&mut self, key: &Key, result: Option<Type>) -> FunctionId {
        let id = self.program.functions.len();
        self.program.functions.push(Function {
            name: key.name.clone(),
            params: key.params.len(),
            locals: key.params.clone(),
            result: Type::Never,
            buffers: 0,
            body: Expr { kind: Kind::Unit, ty: Type::Unit },
        });
        self.results.push(result);
        self.known.insert(key.clone(), id);
        id
    }

    /// The type of what a function gives; [`Type::Never`] while that is not known.
    pub(super) fn result(&mut self, id: FunctionId) -> Type {
        self.results[id].unwrap_or_else(|| {
            self.asked.push(id);
            Type::Never
        })
    }

    /// How many buffers a call of a function makes.
    pub(super) fn buffers(&self, id: FunctionId) -> usize {
        self.program.functions[id].buffers
    }

    /// A new place that can fail.
    pub(super) fn site(&mut self, position: Position, kind: SiteKind) -> SiteId {
        self.program.sites.push(Site { position, kind });
        self.program.sites.len() - 1
    }

    /// An imported function, the same for all that call it.
    pub(super) fn import(&mut self, import: Import) -> ImportId {
        let imports = &mut self.program.imports;
        imports.iter().position(|other| *other == import).unwrap_or_else(|| {
            imports.push(import);
            imports.len() - 1
        })
    }

    /// Counts a statement or an expression.
    pub(super) fn work(&mut self, position: Position) -> Result<(), Obstacle> {
        self.work += 1;
        if self.work > MAX_WORK_OF_ROOT {
            return Err(obstacle("more code than is compiled for one function", position));
        }
        if self.done + self.work > MAX_WORK {
            return Err(obstacle("the script has more code than is compiled", position));
        }
        Ok(())
    }
}

/// How far a session has come.
struct Mark {
    functions: usize,
    sites: usize,
    imports: usize,
}

impl Mark {
    fn of(session: &Session) -> Self {
        let Program { functions, sites, imports } = &session.program;
        Self { functions: functions.len(), sites: sites.len(), imports: imports.len() }
    }

    /// Forgets what came after.
    fn restore(&self, session: &mut Session) {
        session.program.functions.truncate(self.functions);
        session.program.sites.truncate(self.sites);
        session.program.imports.truncate(self.imports);
        session.results.truncate(self.functions);
        session.known.retain(|_, id| *id < self.functions);
    }
}

//! The body of a function while it is being written.

use super::choices::Choices;
use super::outline::{Function, Outline};
use super::types::Type;

/// How deep statements are nested.
const STATEMENT_DEPTH: u32 = 3;

/// How often the innermost of nested loops may run, about.
const MOST_TURNS: u64 = 150;

/// What one call may cost, in operations of Rhai's, about.
const MOST_COST: u64 = 6_000;

/// A variable in scope.
#[derive(Debug, Clone)]
pub(super) struct Variable {
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) writable: bool,
}

/// What is known where the next piece of text is written.
pub(super) struct Body<'a, 'b> {
    pub(crate) choices: &'a mut Choices<'b>,
    pub(crate) outline: &'a Outline,
    /// What the function gives back.
    pub(crate) result: Type,
    pub(crate) variables: Vec<Variable>,
    /// The loops around: what their `break` gives, if that is used.
    pub(crate) loops: Vec<Option<Type>>,
    /// What a call has cost when it comes to its end.
    pub(crate) cost: u64,
    /// How often what is written here runs.
    turns: u64,
    /// How much more is written than what is needed.
    spare: u32,
    names: usize,
    depth: u32,
    /// So many variables are left as they are.
    kept: usize,
    /// Whether it calls itself.
    pub(crate) recurs: bool,
    /// Whether a buffer is made in it.
    pub(crate) makes: bool,
}

impl<'a, 'b> Body<'a, 'b> {
    pub(crate) fn new(choices: &'a mut Choices<'b>, outline: &'a Outline, result: Type) -> Self {
        let spare = 20 + choices.below(120) as u32;
        Self {
            choices,
            outline,
            result,
            variables: Vec::new(),
            loops: Vec::new(),
            cost: 0,
            turns: 1,
            spare,
            names: 0,
            depth: 0,
            kept: 0,
            recurs: false,
            makes: false,
        }
    }

    /// Whether there is room for something that could be left out.
    pub(crate) fn spend(&mut self) -> bool {
        self.cost += self.turns;
        let has_room = self.spare > 0;
        self.spare = self.spare.saturating_sub(1);
        has_room
    }

    pub(crate) fn fresh(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    pub(crate) fn declare(&mut self, name: &str, ty: Type, writable: bool) {
        self.variables.push(Variable { name: name.to_owned(), ty, writable });
    }

    /// A variable of this type that is not hidden by another one.
    pub(crate) fn variable(&mut self, ty: Type, to_write: bool) -> Option<String> {
        let found: Vec<usize> = (0..self.variables.len())
            .filter(|index| {
                let variable = &self.variables[*index];
                let hidden = self.variables[index + 1..].iter().any(|later| later.name == variable.name);
                variable.ty == ty && !hidden && (!to_write || variable.writable && *index >= self.kept)
            })
            .collect();
        if found.is_empty() {
            return None;
        }
        let index = found[found.len() - 1 - self.choices.below(found.len())];
        Some(self.variables[index].name.clone())
    }

    /// Writes what has a scope of its own.
    pub(crate) fn scoped<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> T {
        let variables = self.variables.len();
        let written = write(self);
        self.variables.truncate(variables);
        written
    }

    /// Writes a block that is an operand. It changes no variables of others, in most cases: then the compiler would
    /// have to know which operand sees what.
    pub(crate) fn operand<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.kept;
        if !self.choices.one_in(16) {
            self.kept = self.variables.len();
        }
        let written = self.scoped(write);
        self.kept = before;
        written
    }

    /// Writes what is in a loop, of which `break` gives a value of type `gives`.
    pub(crate) fn looped<T>(
        &mut self,
        gives: Option<Type>,
        turns: u64,
        write: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let before = self.turns;
        self.turns = before * turns.max(1);
        self.loops.push(gives);
        let written = self.scoped(write);
        self.loops.pop();
        self.turns = before;
        written
    }

    /// Whether a loop would not be too much here.
    pub(crate) fn may_loop(&self) -> bool {
        self.turns * 6 <= MOST_TURNS
    }

    /// Up to `most` statements and at least one, one level deeper.
    pub(crate) fn statements(&mut self, most: usize) -> String {
        let count = 1 + self.choices.below(most);
        self.depth += 1;
        let text = (0..count).map(|_| self.statement()).collect();
        self.depth -= 1;
        text
    }

    /// A block in braces that gives nothing.
    pub(crate) fn block(&mut self, most: usize) -> String {
        let inside = self.scoped(|body| body.statements(most));
        format!("{{\n{inside}}}")
    }

    /// Whether there may be statements in statements here.
    pub(crate) fn may_nest(&self) -> bool {
        self.depth < STATEMENT_DEPTH
    }

    /// Whether buffers can be made here, or it is tried all the same: those of loops and of calls in calls are left to
    /// Rhai.
    pub(crate) fn may_make(&mut self) -> bool {
        self.loops.is_empty() && !self.recurs || self.choices.one_in(200)
    }

    /// A call of a function with this result, if there is one that is not too much here.
    pub(crate) fn call(&mut self, result: Type, depth: u32) -> Option<String> {
        let may_make = self.may_make();
        let can_call = |function: &Function| {
            let has = |ty: &Type| ty.item().is_none() || self.variables.iter().any(|known| known.ty == *ty);
            may_make || !function.makes && function.params.iter().all(has)
        };
        let found: Vec<&Function> = self
            .outline
            .functions
            .iter()
            .filter(|function| function.result == result && can_call(function))
            .filter(|function| self.cost + self.turns * function.cost <= MOST_COST)
            .collect();
        if found.is_empty() {
            return None;
        }
        // The ones written last call others.
        let function = found[found.len() - 1 - self.choices.below(found.len())];
        self.cost += self.turns * function.cost;
        self.makes |= function.makes;
        let args: Vec<String> = function
            .params
            .iter()
            .enumerate()
            .map(|(index, ty)| match index {
                0 if function.counts_down && !self.choices.one_in(12) => self.small(depth),
                _ => self.expression(*ty, depth),
            })
            .collect();
        Some(format!("{}({})", function.name, args.join(", ")))
    }

    /// A small int that is not negative, in most cases.
    pub(crate) fn small(&mut self, depth: u32) -> String {
        match self.choices.below(4) {
            0 | 1 => self.choices.below(7).to_string(),
            2 => format!("({} & {})", self.expression(Type::Int, depth), self.choices.pick(&[3, 7])),
            _ => format!("({}.abs() % {})", self.receiver(Type::Int, depth), 2 + self.choices.below(6)),
        }
    }
}

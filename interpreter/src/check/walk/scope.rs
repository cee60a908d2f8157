//! Variables and imports that are in scope.

use super::Walk;
use crate::check::ty::Ty;
use std::collections::HashMap;

/// What is in scope at one place.
#[derive(Default)]
pub(super) struct Scope {
    pub(super) variables: Vec<Variable>,
    /// Where the variables of each name are, innermost last.
    names: HashMap<String, Vec<usize>>,
    /// Alias and index of the imports of this function or top level, innermost last.
    pub(super) aliases: Vec<(String, usize)>,
    /// What variables were before each change, for going back to where branches part.
    trail: Vec<(usize, Ty)>,
    /// How many loops, `try`s and closures are open.
    pub(super) level: usize,
    /// How many functions and closures are open.
    pub(super) depth: usize,
}

pub(super) struct Variable {
    pub(super) name: String,
    /// What it is known by in all passes.
    id: usize,
    ty: Ty,
    level: usize,
    depth: usize,
    pub(super) constant: bool,
}

/// All variables of a unit, in the order in which a pass comes to them.
#[derive(Default)]
pub(super) struct Variables {
    all: Vec<Everything>,
    next: usize,
}

/// All that a variable ever is.
struct Everything {
    ty: Ty,
    /// Whether it is changed at times that the order of statements does not tell.
    unordered: bool,
}

/// What a branch changed.
pub(super) type Changes = HashMap<usize, Ty>;

impl Scope {
    pub(super) fn of_function() -> Self {
        Self { depth: 1, ..Self::default() }
    }

    /// The variable that a name means.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.names.get(name)?.last().copied()
    }

    /// Leaves the blocks whose variables come after the first `count`.
    pub(super) fn forget(&mut self, count: usize) {
        for variable in self.variables.drain(count.min(self.variables.len())..).rev() {
            if let Some(slots) = self.names.get_mut(&variable.name) {
                slots.pop();
            }
        }
    }
}

impl Variables {
    /// Begins another pass.
    pub(super) fn begin(&mut self) {
        self.next = 0;
    }
}

impl Walk<'_> {
    pub(super) fn declare(&mut self, name: &str, ty: Ty) {
        let variables = &mut self.learnt.variables;
        let id = variables.next;
        variables.next += 1;
        if variables.all.len() == id {
            variables.all.push(Everything { ty: Ty::Never, unordered: false });
        }
        let (level, depth) = (self.scope.level, self.scope.depth);
        self.scope.names.entry(name.to_owned()).or_default().push(self.scope.variables.len());
        self.scope.variables.push(Variable {
            name: name.to_owned(),
            id,
            ty: ty.clone(),
            level,
            depth,
            constant: false,
        });
        self.remember(id, &ty);
    }

    fn remember(&mut self, id: usize, ty: &Ty) {
        let everything = &mut self.learnt.variables.all[id];
        let joined = everything.ty.clone().join(ty);
        if joined != everything.ty {
            everything.ty = joined;
            self.learnt.changed = true;
        }
    }

    /// What a variable is here.
    pub(super) fn value_of(&self, slot: usize) -> Ty {
        let Some(variable) = self.scope.variables.get(slot) else { return Ty::Any };
        let everything = &self.learnt.variables.all[variable.id];
        if self.unit.is_dynamic() {
            Ty::Any
        } else if everything.unordered || variable.depth < self.scope.depth {
            if self.learnt.gave_up { Ty::Any } else { everything.ty.clone() }
        } else {
            variable.ty.clone()
        }
    }

    /// Gives a variable a value.
    pub(super) fn assign(&mut self, slot: usize, ty: Ty) {
        let Some(variable) = self.scope.variables.get(slot) else { return };
        let (id, inner) = (variable.id, self.scope.level > variable.level);
        self.remember(id, &ty);
        let everything = &mut self.learnt.variables.all[id];
        if inner && !everything.unordered {
            everything.unordered = true;
            self.learnt.changed = true;
        }
        self.set(slot, ty);
    }

    fn set(&mut self, slot: usize, ty: Ty) {
        let old = std::mem::replace(&mut self.scope.variables[slot].ty, ty);
        self.scope.trail.push((slot, old));
    }

    /// Goes along one branch, and comes back to where it began.
    pub(super) fn branch(&mut self, along: impl FnOnce(&mut Self) -> Ty) -> (Ty, Changes) {
        let (start, count) = (self.scope.trail.len(), self.scope.variables.len());
        let ty = along(self);
        let mut changes = Changes::new();
        for (slot, old) in self.scope.trail.drain(start..).rev() {
            if let Some(variable) = self.scope.variables.get_mut(slot).filter(|_| slot < count) {
                let now = std::mem::replace(&mut variable.ty, old);
                changes.entry(slot).or_insert(now);
            }
        }
        (ty, changes)
    }

    /// Goes on where branches meet; those that end before are left out. Gives what they have in common.
    pub(super) fn meet(&mut self, branches: Vec<(Ty, Changes)>) -> Ty {
        let mut live: Vec<(Ty, Changes)> = branches.into_iter().filter(|(ty, _)| *ty != Ty::Never).collect();
        let mut slots: Vec<usize> = live.iter().flat_map(|(_, changes)| changes.keys().copied()).collect();
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            let before = self.scope.variables[slot].ty.clone();
            let after = |changes: &mut Changes| changes.remove(&slot).unwrap_or_else(|| before.clone());
            let joined = live.iter_mut().fold(Ty::Never, |joined, (_, changes)| joined.join(&after(changes)));
            self.set(slot, joined);
        }
        live.into_iter().fold(Ty::Never, |joined, (ty, _)| joined.join(&ty))
    }

    /// Something that may happen or not.
    pub(super) fn perhaps(&mut self, along: impl FnOnce(&mut Self) -> Ty) -> Ty {
        let branch = self.branch(along);
        let ty = branch.0.clone();
        self.meet(vec![branch, (Ty::Unit, Changes::new())]);
        ty
    }

    /// Something that happens at times that the order of statements does not tell.
    pub(super) fn out_of_order<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        self.scope.level += 1;
        let given = work(self);
        self.scope.level -= 1;
        given
    }
}

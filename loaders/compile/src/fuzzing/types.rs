//! The types of generated programs.

use super::choices::Choices;
use caraway_loaders_core::Type as Declared;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Int,
    Float,
    Bool,
    Unit,
    Ints,
    Floats,
}

impl Type {
    /// As signatures know it.
    pub(crate) fn declared(self) -> Declared {
        match self {
            Self::Int => Declared::Int,
            Self::Float => Declared::Float,
            Self::Bool => Declared::Bool,
            Self::Unit => Declared::Void,
            Self::Ints => Declared::Ints,
            Self::Floats => Declared::Floats,
        }
    }

    /// The type that a signature says, if it is one of these.
    pub(crate) fn of(declared: &Declared) -> Option<Self> {
        let all = [Self::Int, Self::Float, Self::Bool, Self::Unit, Self::Ints, Self::Floats];
        all.into_iter().find(|ty| ty.declared() == *declared)
    }

    /// What a buffer holds.
    pub(crate) fn item(self) -> Option<Self> {
        match self {
            Self::Ints => Some(Self::Int),
            Self::Floats => Some(Self::Float),
            _ => None,
        }
    }

    /// The buffer of such numbers.
    pub(crate) fn buffer(self) -> Option<Self> {
        match self {
            Self::Int => Some(Self::Ints),
            Self::Float => Some(Self::Floats),
            _ => None,
        }
    }

    pub(crate) fn scalar(choices: &mut Choices<'_>) -> Self {
        choices.weighted(&[(4, Self::Int), (4, Self::Float), (2, Self::Bool)])
    }

    pub(crate) fn parameter(choices: &mut Choices<'_>) -> Self {
        choices.weighted(&[
            (7, Self::Int),
            (6, Self::Float),
            (2, Self::Bool),
            (2, Self::Ints),
            (2, Self::Floats),
        ])
    }

    pub(crate) fn result(choices: &mut Choices<'_>) -> Self {
        choices.weighted(&[
            (6, Self::Int),
            (6, Self::Float),
            (3, Self::Bool),
            (2, Self::Unit),
            (1, Self::Ints),
            (1, Self::Floats),
        ])
    }
}

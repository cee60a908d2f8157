//! What a program has so far: its constants, and the functions that can be called.

use super::types::Type;
use caraway_loaders_core::Signature;

/// A constant of the top level.
#[derive(Debug, Clone)]
pub(crate) struct Constant {
    pub name: String,
    pub ty: Type,
}

/// A function for one list of parameter types. One without declared types can be here several times.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub name: String,
    pub params: Vec<Type>,
    pub result: Type,
    /// What a call costs, about.
    pub cost: u64,
    /// Whether it calls itself with one less than its first parameter, until that is 0.
    pub counts_down: bool,
}

impl Function {
    /// As a manifest declares it.
    pub fn signature(&self) -> Signature {
        let names: Vec<String> = (0..self.params.len()).map(|index| format!("p{index}")).collect();
        let params = names.iter().zip(&self.params).map(|(name, ty)| (name.as_str(), ty.declared()));
        Signature::new(&self.name, params, self.result.declared())
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Outline {
    pub constants: Vec<Constant>,
    pub functions: Vec<Function>,
}

//! What a program has so far: its constants, and the functions that can be called.

use super::types::Type;
use caraway_loaders_core::Signature;

/// A constant of the top level.
#[derive(Debug, Clone)]
pub(crate) struct Constant {
    pub(crate) name: String,
    pub(crate) ty: Type,
}

/// A function for one list of parameter types. One without declared types can be here several times.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) params: Vec<Type>,
    pub(crate) result: Type,
    /// What a call costs, about.
    pub(crate) cost: u64,
    /// Whether it calls itself with one less than its first parameter, until that is 0.
    pub(crate) counts_down: bool,
    /// Whether it makes buffers.
    pub(crate) makes: bool,
}

impl Function {
    /// As a manifest declares it.
    pub(crate) fn signature(&self) -> Signature {
        let names: Vec<String> = (0..self.params.len()).map(|index| format!("p{index}")).collect();
        let params = names.iter().zip(&self.params).map(|(name, ty)| (name.as_str(), ty.declared()));
        Signature::new(&self.name, params, self.result.declared())
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Outline {
    pub(crate) constants: Vec<Constant>,
    pub(crate) functions: Vec<Function>,
}

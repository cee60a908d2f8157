//! Whether a value can be an argument.

use super::ty::{Entries, Items, Ty};
use caraway_loaders_core::{StructType, Type};

/// Why it cannot.
#[derive(Debug)]
pub(super) struct Misfit {
    pub(super) expected: String,
    pub(super) found: String,
    /// Where in the value, outermost first.
    pub(super) path: Vec<Step>,
}

/// A step into a value.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Item(usize),
    Key(String),
}

impl Misfit {
    fn new(expected: impl ToString, found: impl ToString) -> Self {
        Self { expected: expected.to_string(), found: found.to_string(), path: Vec::new() }
    }

    fn within(mut self, step: Step) -> Self {
        self.path.insert(0, step);
        self
    }

    /// The path as messages write it: `[3].name`.
    pub(super) fn path(&self) -> String {
        let step = |step: &Step| match step {
            Step::Item(index) => format!("[{index}]"),
            Step::Key(key) => format!(".{key}"),
        };
        let path: String = self.path.iter().map(step).collect();
        path.trim_start_matches('.').to_owned()
    }
}

/// Whether a value of which `found` is known can be of type `ty`; `plugin` is whose signature it is.
///
/// # Errors
///
/// Only what cannot be, whatever is not known.
pub(super) fn fits(ty: &Type, found: &Ty, plugin: &str) -> Result<(), Misfit> {
    let wrong = || Err(Misfit::new(ty, found));
    match (ty, found) {
        (Type::Any | Type::Named(_), _) | (_, Ty::Any | Ty::Never) => Ok(()),
        (_, Ty::Maybe(inner)) => match fits(ty, &Ty::Unit, plugin).is_ok() || fits(ty, inner, plugin).is_ok()
        {
            true => Ok(()),
            false => wrong(),
        },
        (Type::Option(_), Ty::Unit) => Ok(()),
        (Type::Option(inner), _) => fits(inner, found, plugin),
        (Type::Int, Ty::Int)
        | (Type::Float, Ty::Float | Ty::Int)
        | (Type::Bool, Ty::Bool)
        | (Type::Char, Ty::Char)
        | (Type::String, Ty::String(_))
        | (Type::Bytes, Ty::Bytes)
        | (Type::Ints, Ty::Ints)
        | (Type::Floats, Ty::Floats)
        | (Type::Fn(..), Ty::Fn)
        | (Type::Void, _) => Ok(()),
        (Type::Enum(definition), Ty::String(text)) => match text {
            Some(text) if !definition.values.iter().any(|value| **value == **text) => {
                let values: Vec<String> =
                    definition.values.iter().map(|value| format!("{value:?}")).collect();
                let expected = format!("one of {}", values.join(", "));
                Err(Misfit::new(expected, format!("{text:?}")))
            }
            _ => Ok(()),
        },
        (Type::Handle(class), Ty::Handle { class: other, plugin: owner }) => {
            match class == other && **owner == *plugin {
                true => Ok(()),
                false => wrong(),
            }
        }
        (Type::Array(item), Ty::Array(Items::Each(parts))) => {
            for (index, found) in parts.types.iter().enumerate() {
                fits(item, found, plugin).map_err(|misfit| misfit.within(Step::Item(index)))?;
            }
            Ok(())
        }
        (Type::Array(item), Ty::Array(Items::All(found))) => {
            fits(item, found, plugin).map_err(|_| Misfit::new(ty, format!("array<{found}>")))
        }
        (Type::Map(item), Ty::Map(Entries::Each(parts))) => {
            for (key, found) in &parts.types {
                fits(item, found, plugin).map_err(|misfit| misfit.within(Step::Key(key.clone())))?;
            }
            Ok(())
        }
        (Type::Map(item), Ty::Map(Entries::All(found))) => {
            fits(item, found, plugin).map_err(|_| Misfit::new(ty, format!("map<{found}>")))
        }
        (Type::Map(_), Ty::Map(Entries::Struct(_))) => Ok(()),
        (Type::Struct(definition), Ty::Map(entries)) => fits_struct(definition, entries, plugin),
        _ => wrong(),
    }
}

fn fits_struct(definition: &StructType, entries: &Entries, plugin: &str) -> Result<(), Misfit> {
    let Entries::Each(parts) = entries else { return Ok(()) };
    if let Some(key) =
        parts.types.keys().find(|key| definition.fields.iter().all(|field| field.name != **key))
    {
        let names: Vec<String> = definition.fields.iter().map(|field| format!("{:?}", field.name)).collect();
        let expected = format!("{} with the keys {}", definition.name, names.join(", "));
        let mut misfit = Misfit::new(expected, format!("the key {key:?}"));
        misfit.path.clear();
        return Err(misfit);
    }
    for field in &definition.fields {
        match parts.types.get(&field.name) {
            Some(found) => fits(&field.ty, found, plugin)
                .map_err(|misfit| misfit.within(Step::Key(field.name.clone())))?,
            None if matches!(field.ty, Type::Option(_)) => {}
            None => {
                return Err(Misfit::new(
                    format!("{} with the key `{}`", definition.name, field.name),
                    "none",
                ));
            }
        }
    }
    Ok(())
}

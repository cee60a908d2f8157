//! Requirements to a plan, or an explanation of why there is none. Pure: no I/O, no clock, and the same answer
//! for any order of plugins and requirements.
//!
//! | file | what lives there |
//! | --- | --- |
//! | `import` | the text of an `import` |
//! | `requirement` | who asks for what |
//! | `compat` | which versions replace each other |
//! | `universe` | the plugins there are, by name |
//! | `roots` | requirements made ready for the solver |
//! | `packages` | what the solver decides on, by number |
//! | `solver` | the versions to take, by PubGrub |
//! | `assemble` | what the solver took, dependencies first; refuses cycles |
//! | `wants`, `explain`, `available` | why there is no answer |
//! | `plan` | the answer |
//!
//! The rules:
//! - Versions that differ only compatibly (`1.2.0` and `1.9.3`, `0.1.2` and `0.1.7`) replace each other: a plan
//!   holds one of them, the highest that all who ask for it accept. Incompatible ones (`1.2.0` and `2.0.0`,
//!   `0.1.0` and `0.2.0`, `0.0.1` and `0.0.2`) stand side by side, and each importer sees its own.
//! - A range that covers several incompatible groups (`*`, `>=1, <3`) takes the highest group that works.
//! - A version that is preferred, because a lock file has it, is taken before a higher one.
//! - A pre-release is taken only where a requirement names one of the same `major.minor.patch`.
//! - A plugin whose `caraway_version` does not match the host, or that is disabled, is never taken.
//! - An import finds a plugin by its name, else by its module name if that is unique. Manifests name their
//!   dependencies by plugin name only.
//! - What `caraway.toml` requires narrows what the program imports of the same plugin.
//! - Plugins that depend on each other in a circle are refused.
//!
//! ```
//! use caraway_loaders_core::discover::{Origin, Plugin};
//! use caraway_loaders_core::manifest::Manifest;
//! use caraway_loaders_core::resolve::{self, Plan, Requester, Requirement, Universe};
//! use caraway_loaders_core::Location;
//! use semver::Version;
//! use std::{collections::BTreeSet, path::PathBuf, sync::Arc};
//!
//! let plugins: Vec<Arc<Plugin>> = ["1.2.0", "1.4.1", "2.0.0"]
//!     .map(|version| Manifest::new("stats", Version::parse(version).unwrap(), "module"))
//!     .map(|manifest| Plugin::new(manifest, "", Origin::BuiltIn))
//!     .map(Arc::new)
//!     .into();
//! let universe = Universe::new(&plugins, &Version::new(0, 1, 0), &BTreeSet::new());
//!
//! let (path, range) = resolve::parse_import("stats@^1.2")?;
//! let from = Requester::Program { location: Location::new("app.rhai", 1, 8) };
//! let plan = resolve::resolve(&universe, &[Requirement { path, range, from }], &Plan::default())?;
//! assert_eq!(plan.lookup(None, "stats@^1.2").map(|plugin| plugin.id()), Some("stats@1.4.1".to_owned()));
//! # Ok::<(), caraway_loaders_core::Error>(())
//! ```

mod assemble;
mod available;
mod compat;
mod explain;
mod import;
mod packages;
mod plan;
mod requirement;
mod roots;
mod solver;
#[cfg(test)]
mod tests;
mod universe;
mod wants;

pub use import::parse_import;
pub use plan::{Edge, Plan};
pub use requirement::{Requester, Requirement};
pub use universe::Universe;

use crate::error::Error;

/// Selects versions for `requirements` and all that they depend on.
///
/// `pinned` is a plan that holds already (an empty one at first): what it selects stays selected, its edges
/// stay, and the answer is that plan with more in it. An import that was not known at the start extends the
/// plan that way.
///
/// The work is bounded: a set of plugins made to keep the solver busy is refused after a number of steps that
/// depends only on how many plugins there are, not on the clock.
///
/// # Errors
///
/// Each comes with who asked, a hint, and the location of the requirement:
/// - [`Code::UnknownPlugin`](crate::Code::UnknownPlugin), with the nearest name;
/// - [`Code::Ambiguous`](crate::Code::Ambiguous): a module name that several plugins have;
/// - [`Code::Unavailable`](crate::Code::Unavailable): the plugin is disabled;
/// - [`Code::NoVersion`](crate::Code::NoVersion): no version satisfies one requirement;
/// - [`Code::Conflict`](crate::Code::Conflict): requirements that can be met singly, but not together;
/// - [`Code::Cycle`](crate::Code::Cycle), with the cycle;
/// - [`Code::UndeclaredImport`](crate::Code::UndeclaredImport): a plugin imports what it does not declare;
/// - [`Code::Limit`](crate::Code::Limit): no answer within the bound.
///
/// Requirements of the program that cannot be met singly are all reported at once, see
/// [`Error::others`](crate::Error::others).
pub fn resolve(universe: &Universe, requirements: &[Requirement], pinned: &Plan) -> Result<Plan, Error> {
    let view = universe::View::new(universe, pinned);
    let roots = roots::Roots::new(&view, requirements, pinned)?;
    let selection = match solver::solve(&view, &roots) {
        Ok(selection) => selection,
        Err(solver::Failure::NoSolution(wants)) => return Err(explain::no_solution(&view, &roots, wants)),
        Err(solver::Failure::Other(error)) => return Err(error),
    };
    assemble::assemble(&roots, &selection, pinned)
}

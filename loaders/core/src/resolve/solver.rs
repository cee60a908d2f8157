//! The versions to take, by PubGrub.
//!
//! A requirement is a package of its own, a *choice*: its versions are the groups of compatible versions that
//! it reaches, so that incompatible groups can coexist and a requirement can fall back to a lower one. A group
//! is a package too; its versions are the plugins in it. Both are numbered, lowest first, and a range is
//! exactly the set of the versions that match it: what semver says about pre-releases holds by itself.

use super::packages::{Package, Packages};
use super::roots::Roots;
use super::universe::View;
use super::wants::{self, Want};
use crate::code::Code;
use crate::discover::Plugin;
use crate::error::Error;
use pubgrub::{
    Dependencies, DependencyConstraints, DependencyProvider, PackageResolutionStatistics, PubGrubError,
    Ranges, SelectedDependencies,
};
use semver::VersionReq;
use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

/// Why there is no selection.
pub(super) enum Failure<'a> {
    /// These requirements exclude each other.
    NoSolution(Vec<Want<'a>>),
    /// Something else, explained.
    Other(Error),
}

/// What the solver took.
pub(super) struct Selection<'a> {
    packages: Packages<'a>,
    /// The group that each requirement gets.
    groups: Vec<Option<u32>>,
    /// The version of each group.
    versions: Vec<Option<u32>>,
}

impl<'a> Selection<'a> {
    fn new(packages: Packages<'a>, taken: SelectedDependencies<Solver<'a>>) -> Self {
        let mut groups = vec![None; packages.choices().len()];
        let mut versions = vec![None; packages.groups().len()];
        for (package, version) in taken {
            let slot = match package {
                Package::Root => None,
                Package::Choice(number) => groups.get_mut(number as usize),
                Package::Group(number) => versions.get_mut(number as usize),
            };
            if let Some(slot) = slot {
                *slot = Some(version);
            }
        }
        Self { packages, groups, versions }
    }

    /// What a requirement of the program or of a plugin in the selection gets, with the number of its group.
    pub(super) fn of(&self, name: &'a str, range: &'a VersionReq) -> Result<(u32, &'a Arc<Plugin>), Error> {
        let find = || {
            let choice = self.packages.find(name, range)?;
            let group = (*self.groups.get(choice as usize)?)?;
            let version = (*self.versions.get(group as usize)?)?;
            Some((group, self.packages.group(group)?.candidates.get(version as usize)?))
        };
        find().ok_or_else(|| Error::new(Code::Internal, format!("nothing was selected for `{name} {range}`")))
    }

    /// For each group, whether it was selected before with all that it depends on.
    pub(super) fn pinned(&self) -> impl Iterator<Item = bool> {
        self.packages.groups().iter().map(|group| group.pinned)
    }
}

/// Selects versions for the roots and all that they depend on.
pub(super) fn solve<'a>(view: &'a View<'a>, roots: &'a Roots) -> Result<Selection<'a>, Failure<'a>> {
    if let Some(selection) = alone(view, roots) {
        return Ok(selection);
    }
    let packages = RefCell::new(Packages::new(view));
    let solver = Solver { view, roots, packages, effort: RefCell::new(Effort::new(view, roots)) };
    let result = pubgrub::resolve(&solver, Package::Root, 0u32);
    let packages = solver.packages.into_inner();
    match result {
        Ok(taken) => Ok(Selection::new(packages, taken)),
        Err(PubGrubError::NoSolution(tree)) => Err(Failure::NoSolution(wants::of_failure(&packages, tree))),
        Err(PubGrubError::ErrorInShouldCancel(GaveUp)) => Err(Failure::Other(
            Error::new(Code::Limit, "the requirements are too entangled to be resolved in bounded time")
                .hint("ask for exact versions (`name@=1.2.3`) of the plugins that have many"),
        )),
        Err(
            PubGrubError::ErrorChoosingVersion { source: GaveUp, .. }
            | PubGrubError::ErrorRetrievingDependencies { source: GaveUp, .. },
        ) => Err(Failure::Other(Error::new(Code::Internal, "the solver failed"))),
    }
}

/// What the solver would take for one requirement, of a plugin that depends on nothing more: its first decisions stand.
fn alone<'a>(view: &'a View<'a>, roots: &'a Roots) -> Option<Selection<'a>> {
    let [root] = &roots.list[..] else { return None };
    let mut packages = Packages::new(view);
    let number = packages.number(&root.name, &root.range);
    let group = best_group(view, &packages, number, |_| true)?;
    let (_, versions) = packages.choice(number)?.reach.iter().find(|(reached, _)| *reached == group)?;
    let version = best_version(view, &packages, group, versions)?;
    let taken = packages.group(group)?;
    if !taken.pinned && !taken.candidates.get(version as usize)?.manifest.dependencies.is_empty() {
        return None;
    }
    let mut versions = vec![None; packages.groups().len()];
    *versions.get_mut(group as usize)? = Some(version);
    Some(Selection { packages, groups: vec![Some(group)], versions })
}

/// The group to take for a requirement, of those that are allowed.
fn best_group(view: &View, packages: &Packages, choice: u32, allowed: impl Fn(u32) -> bool) -> Option<u32> {
    let reach = packages.choice(choice).map_or(&[][..], |choice| &choice.reach);
    let mut groups = reach.iter().rev().filter(|(group, _)| allowed(*group));
    let preferred = groups.clone().find(|(group, versions)| {
        let mut candidates = packages.candidates(*group);
        candidates.any(|(version, plugin)| versions.contains(&version) && view.prefers(plugin))
    });
    preferred.or_else(|| groups.next()).map(|(group, _)| *group)
}

/// The version to take of a group, of those that are allowed.
fn best_version(view: &View, packages: &Packages, group: u32, allowed: &Ranges<u32>) -> Option<u32> {
    let mut versions = packages.candidates(group).filter(|(version, _)| allowed.contains(version)).rev();
    let preferred = versions.clone().find(|(_, plugin)| view.prefers(plugin));
    preferred.or_else(|| versions.next()).map(|(version, _)| version)
}

/// How often the solver may take back what it decided. A step becomes dearer with each time.
const MAX_RETRIES: usize = 500;

/// How many steps a solver may make in any case.
const MIN_STEPS: usize = 20_000;

/// What the solver may still do. Counted, not timed: the answer must not depend on the machine.
struct Effort {
    steps: usize,
    retries: usize,
    /// What was decided since the solver last took something back.
    decided: pubgrub::Set<Package>,
}

impl Effort {
    /// Without conflicts the solver makes two decisions for each plugin that it takes.
    fn new(view: &View, roots: &Roots) -> Self {
        let size = view.size().saturating_add(roots.list.len());
        Self {
            steps: size.saturating_mul(4).max(MIN_STEPS),
            retries: MAX_RETRIES,
            decided: pubgrub::Set::default(),
        }
    }

    fn decide(&mut self, package: Package) {
        if !self.decided.insert(package) {
            self.retries = self.retries.saturating_sub(1);
            self.decided.clear();
            self.decided.insert(package);
        }
    }

    fn step(&mut self) -> Result<(), GaveUp> {
        self.steps = self.steps.saturating_sub(1);
        if self.steps == 0 || self.retries == 0 { Err(GaveUp) } else { Ok(()) }
    }
}

/// The solver has used up what it may do.
#[derive(Debug)]
pub(super) struct GaveUp;

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("gave up")
    }
}

impl std::error::Error for GaveUp {}

pub(super) struct Solver<'a> {
    view: &'a View<'a>,
    roots: &'a Roots,
    packages: RefCell<Packages<'a>>,
    effort: RefCell<Effort>,
}

impl<'a> Solver<'a> {
    /// Requires choices. One that reaches nothing can never be made.
    fn choices(&self, asked: impl Iterator<Item = (&'a str, &'a VersionReq)>) -> Constraints {
        let mut packages = self.packages.borrow_mut();
        asked
            .map(|(name, range)| {
                let number = packages.number(name, range);
                let possible = packages.choice(number).is_some_and(|choice| !choice.reach.is_empty());
                let set = if possible { Ranges::full() } else { Ranges::empty() };
                (Package::Choice(number), set)
            })
            .collect()
    }
}

type Constraints = DependencyConstraints<Package, Ranges<u32>>;

impl DependencyProvider for Solver<'_> {
    type P = Package;
    type V = u32;
    type VS = Ranges<u32>;
    type Priority = u32;
    type M = Infallible;
    type Err = GaveUp;

    /// What conflicts most is decided first; else what is nearer to the program.
    fn prioritize(&self, _: &Package, _: &Ranges<u32>, statistics: &PackageResolutionStatistics) -> u32 {
        statistics.conflict_count()
    }

    fn choose_version(&self, package: &Package, range: &Ranges<u32>) -> Result<Option<u32>, GaveUp> {
        self.effort.borrow_mut().decide(*package);
        let packages = self.packages.borrow();
        Ok(match *package {
            Package::Root => Some(0),
            Package::Choice(number) => {
                best_group(self.view, &packages, number, |group| range.contains(&group))
            }
            Package::Group(number) => best_version(self.view, &packages, number, range),
        })
    }

    fn get_dependencies(
        &self,
        package: &Package,
        version: &u32,
    ) -> Result<Dependencies<Package, Ranges<u32>, Infallible>, GaveUp> {
        Ok(Dependencies::Available(match *package {
            Package::Root => self.choices(self.roots.list.iter().map(|root| (&*root.name, &root.range))),
            Package::Choice(number) => {
                let packages = self.packages.borrow();
                let reach = packages.choice(number).map_or(&[][..], |choice| &choice.reach);
                let taken = reach.iter().filter(|(group, _)| group == version);
                taken.map(|(group, versions)| (Package::Group(*group), versions.clone())).collect()
            }
            Package::Group(number) => {
                let group = self.packages.borrow().group(number);
                let free = group.filter(|group| !group.pinned);
                let plugin = free.and_then(|group| group.candidates.get(*version as usize));
                let dependencies = plugin.into_iter().flat_map(|plugin| &plugin.manifest.dependencies);
                self.choices(dependencies.map(|d| (&*d.name, &d.requirement)))
            }
        }))
    }

    fn should_cancel(&self) -> Result<(), GaveUp> {
        self.effort.borrow_mut().step()
    }
}

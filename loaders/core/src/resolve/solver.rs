//! The versions to take, by PubGrub.
//!
//! A requirement is a package of its own, a *choice*: its versions are the groups of compatible versions that
//! it reaches, so that incompatible groups can coexist and a requirement can fall back to a lower one. A group
//! is a package too; its versions are the plugins in it. Both are numbered, lowest first, and a range is
//! exactly the set of the versions that match it: what semver says about pre-releases holds by itself.

use super::roots::Roots;
use super::universe::{Group, View};
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
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// What PubGrub decides on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Package<'a> {
    /// The program with its project.
    Root,
    /// A requirement: a plugin's name and range.
    Choice(&'a str, &'a VersionReq),
    /// A plugin's name and the number of a group.
    Group(&'a str, u32),
}

/// Why there is no selection.
pub(super) enum Failure<'a> {
    /// These requirements exclude each other.
    NoSolution(Vec<Want<'a>>),
    /// Something else, explained.
    Other(Error),
}

/// What the solver took.
pub(super) struct Selection<'a> {
    view: &'a View<'a>,
    taken: SelectedDependencies<Solver<'a>>,
}

impl<'a> Selection<'a> {
    /// What a requirement of the program or of a plugin in the selection gets.
    pub(super) fn of(&self, name: &'a str, range: &'a VersionReq) -> Result<&'a Arc<Plugin>, Error> {
        let find = || {
            let group = *self.taken.get(&Package::Choice(name, range))?;
            let version = *self.taken.get(&Package::Group(name, group))?;
            self.view.entry(name)?.groups.get(group as usize)?.candidates.get(version as usize)
        };
        find().ok_or_else(|| Error::new(Code::Internal, format!("nothing was selected for `{name} {range}`")))
    }
}

/// Selects versions for the roots and all that they depend on.
pub(super) fn solve<'a>(view: &'a View<'a>, roots: &'a Roots) -> Result<Selection<'a>, Failure<'a>> {
    let solver =
        Solver { view, roots, reach: RefCell::default(), effort: RefCell::new(Effort::new(view, roots)) };
    match pubgrub::resolve(&solver, Package::Root, 0u32) {
        Ok(taken) => Ok(Selection { view, taken }),
        Err(PubGrubError::NoSolution(tree)) => Err(Failure::NoSolution(wants::of_failure(view, tree))),
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

/// How often the solver may take back what it decided. A step becomes dearer with each time.
const MAX_RETRIES: usize = 500;

/// How many steps a solver may make in any case.
const MIN_STEPS: usize = 20_000;

/// What the solver may still do. Counted, not timed: the answer must not depend on the machine.
struct Effort<'a> {
    steps: usize,
    retries: usize,
    /// What was decided since the solver last took something back.
    decided: HashSet<Package<'a>>,
}

impl<'a> Effort<'a> {
    /// Without conflicts the solver makes two decisions for each plugin that it takes.
    fn new(view: &View, roots: &Roots) -> Self {
        let size = view.size().saturating_add(roots.list.len());
        Self { steps: size.saturating_mul(4).max(MIN_STEPS), retries: MAX_RETRIES, decided: HashSet::new() }
    }

    fn decide(&mut self, package: &Package<'a>) {
        if !self.decided.insert(package.clone()) {
            self.retries = self.retries.saturating_sub(1);
            self.decided.clear();
            self.decided.insert(package.clone());
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

/// The groups that a requirement reaches, lowest first, with the versions in each that match.
type Reach = Rc<[(u32, Ranges<u32>)]>;

pub(super) struct Solver<'a> {
    view: &'a View<'a>,
    roots: &'a Roots,
    reach: RefCell<HashMap<(&'a str, &'a VersionReq), Reach>>,
    effort: RefCell<Effort<'a>>,
}

impl<'a> Solver<'a> {
    fn reach(&self, name: &'a str, range: &'a VersionReq) -> Reach {
        let compute = || {
            let groups = self.view.entry(name).map_or(&[][..], |entry| &entry.groups);
            let matching = groups.iter().map(|group| matching(group, range));
            (0u32..).zip(matching).filter(|(_, versions)| !versions.is_empty()).collect()
        };
        self.reach.borrow_mut().entry((name, range)).or_insert_with(compute).clone()
    }

    fn group(&self, name: &str, group: u32) -> Option<&'a Group> {
        self.view.entry(name)?.groups.get(group as usize)
    }

    /// The versions of a group with their numbers, lowest first.
    fn candidates(
        &self,
        name: &str,
        group: u32,
    ) -> impl DoubleEndedIterator<Item = (u32, &'a Arc<Plugin>)> + Clone {
        let plugins: &'a [Arc<Plugin>] = self.group(name, group).map_or(&[], |group| &group.candidates);
        plugins.iter().enumerate().filter_map(|(number, plugin)| Some((u32::try_from(number).ok()?, plugin)))
    }

    /// Requires choices. One that reaches nothing can never be made.
    fn choices(
        &self,
        asked: impl Iterator<Item = (&'a str, &'a VersionReq)>,
    ) -> DependencyConstraints<Package<'a>, Ranges<u32>> {
        asked
            .map(|(name, range)| {
                let possible = !self.reach(name, range).is_empty();
                let set = if possible { Ranges::full() } else { Ranges::empty() };
                (Package::Choice(name, range), set)
            })
            .collect()
    }
}

/// The numbers of the versions in a group that match.
fn matching(group: &Group, range: &VersionReq) -> Ranges<u32> {
    let mut set = Ranges::empty();
    let mut run: Option<(u32, u32)> = None;
    for (number, plugin) in (0u32..).zip(&group.candidates) {
        if range.matches(&plugin.manifest.version) {
            run = Some((run.map_or(number, |(first, _)| first), number));
        } else if let Some((first, last)) = run.take() {
            set = set.union(&Ranges::from_range_bounds(first..=last));
        }
    }
    match run {
        Some((first, last)) => set.union(&Ranges::from_range_bounds(first..=last)),
        None => set,
    }
}

impl<'a> DependencyProvider for Solver<'a> {
    type P = Package<'a>;
    type V = u32;
    type VS = Ranges<u32>;
    type Priority = u32;
    type M = Infallible;
    type Err = GaveUp;

    /// What conflicts most is decided first; else what is nearer to the program.
    fn prioritize(&self, _: &Package<'a>, _: &Ranges<u32>, statistics: &PackageResolutionStatistics) -> u32 {
        statistics.conflict_count()
    }

    fn choose_version(&self, package: &Package<'a>, range: &Ranges<u32>) -> Result<Option<u32>, GaveUp> {
        self.effort.borrow_mut().decide(package);
        Ok(match package {
            Package::Root => Some(0),
            Package::Choice(name, asked) => {
                let reach = self.reach(name, asked);
                let mut groups = reach.iter().rev().filter(|(group, _)| range.contains(group));
                let preferred = groups.clone().find(|(group, versions)| {
                    self.candidates(name, *group)
                        .any(|(version, plugin)| versions.contains(&version) && self.view.prefers(plugin))
                });
                preferred.or_else(|| groups.next()).map(|(group, _)| *group)
            }
            Package::Group(name, group) => {
                let mut versions =
                    self.candidates(name, *group).filter(|(version, _)| range.contains(version)).rev();
                let preferred = versions.clone().find(|(_, plugin)| self.view.prefers(plugin));
                preferred.or_else(|| versions.next()).map(|(version, _)| version)
            }
        })
    }

    fn get_dependencies(
        &self,
        package: &Package<'a>,
        version: &u32,
    ) -> Result<Dependencies<Package<'a>, Ranges<u32>, Infallible>, GaveUp> {
        Ok(Dependencies::Available(match package {
            Package::Root => self.choices(self.roots.list.iter().map(|root| (&*root.name, &root.range))),
            Package::Choice(name, asked) => self
                .reach(name, asked)
                .iter()
                .filter(|(group, _)| group == version)
                .map(|(group, versions)| (Package::Group(name, *group), versions.clone()))
                .collect(),
            Package::Group(name, group) => match self.group(name, *group) {
                Some(group) if !group.pinned => {
                    let plugin = group.candidates.get(*version as usize);
                    let dependencies = plugin.into_iter().flat_map(|plugin| &plugin.manifest.dependencies);
                    self.choices(dependencies.map(|d| (&*d.name, &d.requirement)))
                }
                _ => DependencyConstraints::default(),
            },
        }))
    }

    fn should_cancel(&self) -> Result<(), GaveUp> {
        self.effort.borrow_mut().step()
    }
}

impl fmt::Display for Package<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Package::Root => f.write_str("the program"),
            Package::Choice(name, range) => write!(f, "{name} {range}"),
            Package::Group(name, group) => write!(f, "group {group} of {name}"),
        }
    }
}

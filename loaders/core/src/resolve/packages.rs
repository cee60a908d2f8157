//! What the solver decides on, numbered as it is met: numbers are copied, compared and hashed faster than names
//! and ranges.

use super::universe::{Group, View};
use crate::discover::Plugin;
use pubgrub::{Map, Ranges};
use semver::VersionReq;
use std::fmt;
use std::sync::Arc;

/// What PubGrub decides on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Package {
    /// The program with its project.
    Root,
    /// A requirement, by its number.
    Choice(u32),
    /// Versions that replace each other, by the number of their group.
    Group(u32),
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Package::Root => f.write_str("the program"),
            Package::Choice(number) => write!(f, "requirement {number}"),
            Package::Group(number) => write!(f, "group {number}"),
        }
    }
}

/// A requirement: a plugin's name and range.
pub(super) struct Choice<'a> {
    pub(super) name: &'a str,
    pub(super) range: &'a VersionReq,
    /// The numbers of the groups that it reaches, lowest first, with the versions in each that match.
    pub(super) reach: Vec<(u32, Ranges<u32>)>,
}

/// The requirements and groups that were met, by number.
pub(super) struct Packages<'a> {
    view: &'a View<'a>,
    choices: Vec<Choice<'a>>,
    groups: Vec<&'a Group>,
    /// The numbers of requirements.
    asked: Map<(&'a str, &'a VersionReq), u32>,
    /// The number of the lowest group of each plugin; the others follow.
    lowest: Map<&'a str, u32>,
}

impl<'a> Packages<'a> {
    pub(super) fn new(view: &'a View<'a>) -> Self {
        Self { view, choices: Vec::new(), groups: Vec::new(), asked: Map::default(), lowest: Map::default() }
    }

    /// The number of a requirement, which it gets when it is met first.
    pub(super) fn number(&mut self, name: &'a str, range: &'a VersionReq) -> u32 {
        if let Some(number) = self.find(name, range) {
            return number;
        }
        let groups = self.view.entry(name).map_or(&[][..], |entry| &entry.groups);
        let lowest = *self.lowest.entry(name).or_insert_with(|| {
            let lowest = count(&self.groups);
            self.groups.extend(groups);
            lowest
        });
        let matching = groups.iter().map(|group| matching(group, range));
        let reach = (lowest..).zip(matching).filter(|(_, versions)| !versions.is_empty()).collect();
        let number = count(&self.choices);
        self.choices.push(Choice { name, range, reach });
        self.asked.insert((name, range), number);
        number
    }

    /// The number of a requirement that was met.
    pub(super) fn find(&self, name: &'a str, range: &'a VersionReq) -> Option<u32> {
        self.asked.get(&(name, range)).copied()
    }

    pub(super) fn choices(&self) -> &[Choice<'a>] {
        &self.choices
    }

    pub(super) fn groups(&self) -> &[&'a Group] {
        &self.groups
    }

    pub(super) fn choice(&self, number: u32) -> Option<&Choice<'a>> {
        self.choices.get(number as usize)
    }

    pub(super) fn group(&self, number: u32) -> Option<&'a Group> {
        self.groups.get(number as usize).copied()
    }

    /// The versions of a group with their numbers, lowest first.
    pub(super) fn candidates(
        &self,
        group: u32,
    ) -> impl DoubleEndedIterator<Item = (u32, &'a Arc<Plugin>)> + Clone + use<'a> {
        let plugins = self.group(group).map_or(&[][..], |group| &group.candidates);
        plugins.iter().enumerate().filter_map(|(number, plugin)| Some((u32::try_from(number).ok()?, plugin)))
    }
}

/// How many there are: the number of the next.
fn count<T>(numbered: &[T]) -> u32 {
    u32::try_from(numbered.len()).unwrap_or(u32::MAX)
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

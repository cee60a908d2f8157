//! The requirements that exclude each other, taken from the solver's proof, and the chains that lead to them.

use super::packages::{Choice, Package, Packages};
use super::requirement::Asked;
use super::roots::Roots;
use super::solver::Solver;
use super::universe::View;
use crate::discover::Plugin;
use pubgrub::{DerivationTree, Derived, External, NoSolutionError, Ranges};
use semver::{Version, VersionReq};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt::Write;
use std::sync::Arc;

/// The most steps of a chain that are printed.
const MAX_STEPS: usize = 8;

/// That the program, or some versions of a plugin, need a plugin.
#[derive(Debug)]
pub(super) struct Want<'a> {
    /// Versions of the plugin that needs it, lowest first; empty for the program and its project.
    pub(super) by: Vec<&'a Arc<Plugin>>,
    /// The plugin that is needed.
    pub(super) name: &'a str,
    /// The versions that will do.
    pub(super) range: &'a VersionReq,
}

/// The requirements in a proof that there is no solution, in an order that depends on nothing else.
pub(super) fn of_failure<'a>(packages: &Packages<'a>, tree: NoSolutionError<Solver<'a>>) -> Vec<Want<'a>> {
    let mut found = BTreeMap::new();
    let mut seen = HashSet::new();
    let mut stack = vec![&tree];
    while let Some(node) = stack.pop() {
        match node {
            DerivationTree::Derived(derived) => {
                for cause in [&derived.cause1, &derived.cause2] {
                    if seen.insert(Arc::as_ptr(cause)) {
                        stack.push(cause);
                    }
                }
            }
            DerivationTree::External(External::FromDependencyOf(
                by,
                versions,
                Package::Choice(number),
                _,
            )) => {
                let Some(&Choice { name, range, .. }) = packages.choice(*number) else { continue };
                let by = requesters(packages, *by, versions);
                let owner = by.first().map_or("", |plugin| plugin.manifest.name.as_str());
                let want: &mut BTreeMap<&Version, &Arc<Plugin>> = &mut found
                    .entry((owner, name, range.to_string()))
                    .or_insert_with(|| (range, BTreeMap::new()))
                    .1;
                want.extend(by.into_iter().map(|plugin| (&plugin.manifest.version, plugin)));
            }
            DerivationTree::External(_) => {}
        }
    }
    dismantle(tree);
    let want = |((_, name, _), (range, by)): ((_, _, _), (_, BTreeMap<_, _>))| Want {
        by: by.into_values().collect(),
        name,
        range,
    };
    found.into_iter().map(want).collect()
}

/// The plugins that a dependency in the proof is of.
fn requesters<'a>(packages: &Packages<'a>, by: Package, versions: &Ranges<u32>) -> Vec<&'a Arc<Plugin>> {
    let Package::Group(group) = by else { return Vec::new() };
    let candidates = packages.candidates(group).filter(|(number, _)| versions.contains(number));
    candidates.map(|(_, plugin)| plugin).collect()
}

/// Drops a proof without recursion: it may be deep.
fn dismantle(tree: NoSolutionError<Solver<'_>>) {
    let mut stack = vec![tree];
    while let Some(node) = stack.pop() {
        if let DerivationTree::Derived(Derived { cause1, cause2, .. }) = node {
            stack.extend([cause1, cause2].into_iter().filter_map(Arc::into_inner));
        }
    }
}

/// Wants as chains from the program to what cannot be had.
pub(super) struct Chains<'a, 'w> {
    view: &'a View<'a>,
    roots: &'a Roots,
    wants: &'w [Want<'a>],
    /// Each is a way through `wants`, by index.
    chains: Vec<Vec<usize>>,
    /// Indices of the wants that lead to no other.
    ends: Vec<usize>,
}

impl<'a, 'w> Chains<'a, 'w> {
    /// Finds a shortest chain to each want that leads to no other, in the order in which they begin in the
    /// program, then to each want that is on none of these.
    pub(super) fn new(view: &'a View<'a>, roots: &'a Roots, wants: &'w [Want<'a>]) -> Self {
        let mut by_owner: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, want) in wants.iter().enumerate() {
            if let Some(plugin) = want.by.first() {
                by_owner.entry(&plugin.manifest.name).or_default().push(index);
            }
        }
        let mut parents: Vec<Option<Option<usize>>> = vec![None; wants.len()];
        let mut queue: VecDeque<usize> = (0..wants.len()).filter(|&i| wants[i].by.is_empty()).collect();
        for &root in &queue {
            parents[root] = Some(None);
        }
        let mut order = Vec::new();
        let mut ends = Vec::new();
        while let Some(index) = queue.pop_front() {
            order.push(index);
            let want = &wants[index];
            let owned = by_owner.get(want.name).into_iter().flatten().copied();
            let next: Vec<usize> = owned.filter(|&next| want.leads_to(&wants[next])).collect();
            if next.is_empty() {
                ends.push(index);
            }
            for next in next {
                if parents[next].is_none() {
                    parents[next] = Some(Some(index));
                    queue.push_back(next);
                }
            }
        }
        let origin = |start: usize| {
            let mut first = start;
            while let Some(Some(parent)) = parents[first] {
                first = parent;
            }
            let want = &wants[first];
            roots.list.iter().position(|root| root.name == want.name && root.range == *want.range)
        };
        ends.sort_by_cached_key(|&end| roots.place(origin(end)));
        let mut covered = vec![false; wants.len()];
        let mut chains = Vec::new();
        for &end in ends.iter().chain(&order) {
            if covered[end] {
                continue;
            }
            let mut chain = vec![end];
            while let Some(Some(Some(parent))) = chain.last().map(|&last| parents[last]) {
                chain.push(parent);
            }
            chain.reverse();
            chain.iter().for_each(|&index| covered[index] = true);
            chains.push(chain);
        }
        Self { view, roots, wants, chains, ends }
    }

    /// The wants that lead to no other.
    pub(super) fn ends(&self) -> impl Iterator<Item = &'w Want<'a>> {
        self.ends.iter().map(|&index| &self.wants[index])
    }

    /// The requirement of the program that the first chain starts with.
    pub(super) fn first_root(&self) -> Option<&'a super::roots::Root> {
        let want = &self.wants[*self.chains.first()?.first()?];
        self.root(want)
    }

    /// The chains as sentences, without a full stop.
    pub(super) fn sentences(&self) -> impl ExactSizeIterator<Item = String> {
        self.chains.iter().map(|chain| self.sentence(chain))
    }

    /// The requirement of the program that a want is, if it is one.
    pub(super) fn root(&self, want: &Want) -> Option<&'a super::roots::Root> {
        self.roots.list.iter().find(|root| root.name == want.name && root.range == *want.range)
    }

    fn sentence(&self, chain: &[usize]) -> String {
        let mut text = String::new();
        let hidden = chain.len().saturating_sub(MAX_STEPS);
        for (step, &index) in chain.iter().enumerate() {
            let want = &self.wants[index];
            let asked = Asked(want.name, want.range);
            let half = MAX_STEPS / 2;
            let _ = match step.checked_sub(1).map(|previous| &self.wants[chain[previous]]) {
                _ if hidden > 0 && (half..half + hidden).contains(&step) => match step == half {
                    true => write!(text, ", ... ({hidden} more)"),
                    false => Ok(()),
                },
                Some(previous) => write!(text, ", {} {asked}", self.relative(previous, want)),
                None => match self.root(want) {
                    Some(root) => write!(text, "{root}"),
                    None => write!(text, "{} needs {asked}", want.subject()),
                },
            };
        }
        text
    }

    /// Who of those that satisfy `previous` has this want: "which needs", "whose 1.0.0 needs".
    fn relative(&self, previous: &Want, want: &Want) -> String {
        let having: Vec<&Version> = want.versions().filter(|v| previous.range.matches(v)).collect();
        let all = self.view.entry(previous.name).map_or(0, |entry| entry.matching(previous.range).count());
        match (having.as_slice(), all) {
            ([_], 1) => "which needs".to_owned(),
            ([one], _) => format!("whose {one} needs"),
            (several, _) => format!("whose {} need", versions_text(several)),
        }
    }
}

impl<'a> Want<'a> {
    fn versions(&self) -> impl Iterator<Item = &'a Version> {
        self.by.iter().map(|plugin| &plugin.manifest.version)
    }

    /// Whether what satisfies this want has that one.
    fn leads_to(&self, next: &Want) -> bool {
        next.by.iter().any(|p| p.manifest.name == self.name && self.range.matches(&p.manifest.version))
    }

    /// Who has it.
    pub(super) fn subject(&self) -> String {
        match self.by.first() {
            None => "the program".to_owned(),
            Some(plugin) => {
                let versions: Vec<&Version> = self.versions().collect();
                match versions.as_slice() {
                    [one] => format!("`{} {one}`", plugin.manifest.name),
                    several => format!("`{}` {}", plugin.manifest.name, versions_text(several)),
                }
            }
        }
    }
}

fn versions_text(versions: &[&Version]) -> String {
    match versions {
        [] => String::new(),
        [one] => one.to_string(),
        [one, two] => format!("{one} and {two}"),
        [first, .., last] => format!("{first} to {last} ({} versions)", versions.len()),
    }
}

//! Which versions of a plugin there are, for messages.

use super::universe::{Exclusion, View};
use crate::discover::{Origin, Plugin};
use std::sync::Arc;

/// The most versions that are listed.
const MAX_LISTED: usize = 8;

/// The versions of a plugin with where they are and why some are never selected:
/// `1.0.0 (plugins), 2.0.0 (plugins; needs caraway ^9)`.
pub(super) fn available(view: &View, name: &str) -> String {
    let Some(entry) = view.entry(name) else { return "none".to_owned() };
    let candidates = entry.groups.iter().flat_map(|group| {
        let why = group.pinned.then_some("selected already".to_owned());
        group.candidates.iter().map(move |plugin| (plugin, why.clone()))
    });
    let excluded = entry.excluded.iter().map(|(plugin, why)| (plugin, Some(reason(why))));
    let mut all: Vec<(&Arc<Plugin>, Option<String>)> = candidates.chain(excluded).collect();
    all.sort_by(|(a, _), (b, _)| a.manifest.version.cmp(&b.manifest.version));
    let hidden = all.len().saturating_sub(MAX_LISTED);
    let listed = all[hidden..].iter().map(|(plugin, why)| {
        let place = match &plugin.origin {
            Origin::SearchPath(path) => path.display().to_string(),
            Origin::BuiltIn => "built in".to_owned(),
        };
        let why = why.as_ref().map_or(String::new(), |why| format!("; {why}"));
        format!("{} ({place}{why})", plugin.manifest.version)
    });
    let lower = (hidden > 0).then(|| format!("{hidden} lower ones"));
    lower.into_iter().chain(listed).collect::<Vec<_>>().join(", ")
}

fn reason(why: &Exclusion) -> String {
    match why {
        Exclusion::Disabled => "disabled".to_owned(),
        Exclusion::Host(needed) => format!("needs caraway {needed}"),
        Exclusion::Selected(version) => format!("{version} is selected already"),
    }
}

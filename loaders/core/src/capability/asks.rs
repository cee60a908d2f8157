//! What a manifest asks for.

use super::grants::Grants;
use super::scopes::{Capability, Scopes};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

/// What a manifest's `capabilities` ask for. The default is nothing.
///
/// ```
/// use caraway_loaders_core::capability::Asks;
///
/// let mut asks = Asks::default();
/// assert_eq!(asks.add("io", None), Ok(true));
/// assert_eq!(asks.add("filesystem", Some(&serde_json::json!({"read": ["data"]}))), Ok(true));
/// assert_eq!(asks.add("function", None), Ok(false));
/// assert_eq!(asks.to_string(), "filesystem (read data), io");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asks {
    named: BTreeSet<Capability>,
    scopes: Scopes,
}

impl Asks {
    /// Adds an entry of `capabilities`: a bare `name`, which asks for all of its kind, or one with a detail.
    /// `Ok(false)` means that `name` is no capability.
    ///
    /// # Errors
    ///
    /// What is wrong with the entry, as a sentence about it without its subject: "has the unknown key ...".
    pub fn add(&mut self, name: &str, detail: Option<&Value>) -> Result<bool, String> {
        let Some(capability) = Capability::from_name(name) else { return Ok(false) };
        let scopes = match detail {
            Some(detail) => Scopes::from_detail(capability, detail)?,
            None => Scopes::all_of(capability),
        };
        if !self.named.insert(capability) {
            return Err("is asked for twice".to_owned());
        }
        self.scopes.add(scopes);
        Ok(true)
    }

    /// What is asked for, and how far it goes: `(Filesystem, "read data; write out")`, `(Io, "all")`. A
    /// capability whose lists are empty is left out.
    pub fn iter(&self) -> impl Iterator<Item = (Capability, String)> {
        self.named.iter().filter_map(|&capability| Some((capability, self.scopes.describe(capability)?)))
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Whether anything of this kind is asked for.
    pub fn contains(&self, capability: Capability) -> bool {
        self.scopes.describe(capability).is_some()
    }

    /// What is asked for beyond what another manifest asks for. A folder covers what is below it.
    ///
    /// ```
    /// use caraway_loaders_core::capability::Asks;
    /// use serde_json::json;
    ///
    /// let (mut old, mut new) = (Asks::default(), Asks::default());
    /// old.add("filesystem", Some(&json!({"read": ["data"]})))?;
    /// new.add("filesystem", Some(&json!({"read": ["data/x", "more"]})))?;
    /// new.add("io", None)?;
    /// assert_eq!(new.beyond(&old).rules(), ["filesystem=read:more", "io"]);
    /// # Ok::<(), String>(())
    /// ```
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Self {
        Self { named: self.named.clone(), scopes: self.scopes.beyond(&other.scopes, Path::new("/")) }
    }

    /// What is asked for and not granted to this plugin. Denials count as grants do: they are the operator's answer.
    /// `base`, which must be absolute, is where the manifest's relative paths start.
    #[must_use]
    pub fn unanswered(&self, plugin: &str, grants: &Grants, base: &Path) -> Self {
        let mut answered = grants.allowed_to(Some(plugin));
        grants.denied_to(Some(plugin)).into_iter().for_each(|rule| answered.add(rule.scopes));
        Self { named: self.named.clone(), scopes: self.scopes.beyond(&answered, base) }
    }

    /// What would grant it, one text for each capability, as [`Grants::allow`] takes it behind a plugin's name.
    pub fn rules(&self) -> Vec<String> {
        self.named.iter().filter_map(|&capability| self.scopes.rule(capability)).collect()
    }

    /// The scopes, with a program's folder in place of relative paths' start.
    pub(super) fn based(&self, base: &Path) -> Scopes {
        let mut scopes = self.scopes.clone();
        scopes.filesystem = scopes.filesystem.based(base);
        scopes
    }
}

impl fmt::Display for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (capability, reach)) in self.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            match reach.as_str() {
                "all" => write!(f, "{comma}{capability}")?,
                _ => write!(f, "{comma}{capability} ({reach})")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn entries_of_a_manifest() {
        for (name, detail, expected) in [
            ("io", None, Ok("io")),
            ("native", None, Ok("native")),
            ("filesystem", None, Ok("filesystem")),
            ("filesystem", Some(json!({"write": ["out"]})), Ok("filesystem (write out)")),
            ("filesystem", Some(json!({"write": []})), Ok("")),
            ("network", Some(json!({"hosts": ["a.b:1"]})), Ok("network (a.b:1)")),
            ("process", Some(json!({"programs": ["git"]})), Ok("process (git)")),
            ("env", Some(json!({"names": ["LANG", "TZ"]})), Ok("env (LANG, TZ)")),
            ("io", Some(json!({})), Err("by its name alone")),
            ("native", Some(json!(true)), Err("not with a boolean")),
            ("env", Some(json!({"name": []})), Err("did you mean `names`?")),
        ] {
            let mut asks = Asks::default();
            match (asks.add(name, detail.as_ref()), expected) {
                (Ok(true), Ok(text)) => assert_eq!(asks.to_string(), text),
                (Err(problem), Err(text)) => assert!(problem.contains(text), "{problem}"),
                (result, _) => panic!("{name} {detail:?}: {result:?}"),
            }
        }
    }

    #[test]
    fn nothing_is_asked_for_twice_or_by_other_names() {
        let mut asks = Asks::default();
        assert_eq!(asks.add("function", None), Ok(false));
        assert!(asks.is_empty());
        assert_eq!(asks.add("io", None), Ok(true));
        assert_eq!(asks.add("io", None), Err("is asked for twice".to_owned()));
        assert!(asks.contains(Capability::Io) && !asks.contains(Capability::Env));
    }
}

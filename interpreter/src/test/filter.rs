//! Which tests are run.

/// Chooses tests by name and tag. The default chooses all.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Filter {
    /// Parts of names, one of which a name must have; none lets all through.
    pub names: Vec<String>,
    /// Whether a name must be one of `names`, and not only have one in it. The name of the test without that of its suite
    /// will do.
    pub exact: bool,
    /// Tags, one of which a test must have; none lets all through. Functions of scripts have no tags.
    pub tags: Vec<String>,
    /// Parts of names that are left out.
    pub skip: Vec<String>,
}

impl Filter {
    /// Whether a test of this name with these tags is run.
    ///
    /// ```
    /// let mut filter = caraway::test::Filter::default();
    /// filter.names.push("mean".to_owned());
    /// assert!(filter.lets_through("stats::mean_of_none", &[]));
    /// filter.exact = true;
    /// assert!(!filter.lets_through("stats::mean_of_none", &[]));
    /// assert!(filter.lets_through("stats::mean", &[]));
    /// ```
    pub fn lets_through(&self, name: &str, tags: &[String]) -> bool {
        let named = |part: &String| match self.exact {
            true => name == part || name.ends_with(&format!("::{part}")),
            false => name.contains(part.as_str()),
        };
        (self.names.is_empty() || self.names.iter().any(named))
            && (self.tags.is_empty() || self.tags.iter().any(|tag| tags.contains(tag)))
            && !self.skip.iter().any(|part| name.contains(part.as_str()))
    }
}

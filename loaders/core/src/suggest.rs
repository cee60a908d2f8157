//! "Did you mean".

/// No name that a person mistypes is longer, in bytes.
const LONGEST: usize = 256;

/// The nearest of `names` to `name`, if any is near enough to be a slip of the finger.
///
/// ```
/// use caraway_loaders_core::bind::suggest;
///
/// assert_eq!(suggest("maen", ["median", "mean"]), Some("mean"));
/// assert_eq!(suggest("sum", ["median", "mean"]), None);
/// ```
pub fn suggest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The comparison takes time with the length of both.
    if name.len() > LONGEST {
        return None;
    }
    names
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= 1 + name.chars().count().max(candidate.chars().count()) / 4
        })
        .min()
        .map(|(_, candidate)| candidate)
}

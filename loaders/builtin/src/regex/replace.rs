//! Text with another in place of what matches.

use super::pattern::Pattern;
use super::search::Search;
use caraway_loaders_core::bind::CallResult;
use caraway_loaders_core::growth::{Full, Text};
use regex_automata::PatternID;
use regex_automata::util::interpolate;
use rhai::Engine;

/// Replaces the first `times` matches.
pub(super) fn replace(
    pattern: &Pattern,
    text: &str,
    with: &str,
    times: usize,
    engine: &Engine,
) -> CallResult {
    let plain = !with.contains('$');
    let mut search = if plain { Search::new(pattern, text) } else { Search::for_groups(pattern, text) };
    let full = |full: Full| full.into_error("the text");
    let mut result = Text::of_engine(engine);
    let mut from = 0;
    for _ in 0..times {
        let Some(span) = search.next()? else { break };
        result.push(&text[from..span.start]).map_err(full)?;
        from = span.end;
        if plain {
            result.push(with).map_err(full)?;
            continue;
        }
        let (mut between, mut pushed) = (String::new(), Ok(()));
        let append = |group: usize, between: &mut String| {
            let group = search.group(group).map_or("", |group| &text[group.start..group.end]);
            if pushed.is_ok() {
                pushed = result.push(between).and_then(|()| result.push(group));
            }
            between.clear();
        };
        let number = |name: &str| pattern.nfa.group_info().to_index(PatternID::ZERO, name);
        interpolate::string(with, append, number, &mut between);
        pushed.and_then(|()| result.push(&between)).map_err(full)?;
    }
    result.push(&text[from..]).map_err(full)?;
    Ok(result.into_string().into())
}

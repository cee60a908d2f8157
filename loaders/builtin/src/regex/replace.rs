//! Text with another in place of what matches.

use super::pattern::Pattern;
use super::search::Search;
use caraway_loaders_core::bind::CallResult;
use caraway_loaders_core::{Code, Error, budget};
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
    let most = match engine.max_string_size() {
        0 => usize::MAX,
        most => most,
    };
    let mut result = String::new();
    let mut from = 0;
    for _ in 0..times {
        let Some(span) = search.next()? else { break };
        make_room(&mut result, span.start - from + with.len(), most)?;
        result.push_str(&text[from..span.start]);
        from = span.end;
        if plain {
            result.push_str(with);
            continue;
        }
        let mut problem = None;
        let append = |group: usize, result: &mut String| {
            let Some(group) = search.group(group) else { return };
            match make_room(result, group.end - group.start, most) {
                Ok(()) if problem.is_none() => result.push_str(&text[group.start..group.end]),
                Ok(()) => {}
                Err(error) => problem = Some(error),
            }
        };
        let number = |name: &str| pattern.nfa.group_info().to_index(PatternID::ZERO, name);
        interpolate::string(with, append, number, &mut result);
        if let Some(error) = problem {
            return Err(error.into());
        }
    }
    make_room(&mut result, text.len() - from, most)?;
    result.push_str(&text[from..]);
    Ok(result.into())
}

/// Makes room for more text, if the limits have it.
fn make_room(text: &mut String, more: usize, most: usize) -> Result<(), Error> {
    let length = text.len().saturating_add(more);
    if length > most {
        let message = format!("the text would be longer than {most} bytes, the limit for one string");
        return Err(Error::new(Code::Memory, message));
    }
    if length > text.capacity() {
        // It becomes twice as long at least, and the old one is still there while it is copied.
        let next = length.max(text.capacity().saturating_mul(2));
        if !budget::may_allocate(next as u64) {
            let message = format!("there is not enough memory for a text of {length} bytes");
            return Err(Error::new(Code::Memory, message).hint("replace in one part of the text at a time"));
        }
        text.reserve(more);
    }
    Ok(())
}

//! `std/regex`: patterns in text, as the crate `regex` has them.
//!
//! What a search takes grows with the length of the text times that of the pattern, and no faster; it obeys deadlines and
//! interruptions all the same. Places are counted in characters, from 0, as Rhai's own functions for text do.

mod cache;
mod pattern;
mod replace;
mod search;
mod steps;

pub(crate) use cache::Cache;

use crate::module::{Function, Host, StdModule, text};
use caraway_loaders_core::bind::CallResult;
use caraway_loaders_core::{Code, Error};
use pattern::Pattern;
use rhai::{Array, Dynamic, Map, NativeCallContext};
use search::{Search, Span};

pub(crate) const MODULE: StdModule = StdModule {
    name: "std/regex",
    description: "Regular expressions, in linear time",
    functions: &[
        Function {
            signature: "is_match(pattern: string, text: string) -> bool",
            doc: "Whether the pattern matches anywhere in the text.",
            body: is_match,
        },
        Function {
            signature: "find(pattern: string, text: string) -> map<any>?",
            doc: "The first match: its `text`, `start` and `end` in characters; `()` if there is none.",
            body: find,
        },
        Function {
            signature: "find_all(pattern: string, text: string) -> array<map<any>>",
            doc: "All matches, one after the other, as `find` gives them.",
            body: find_all,
        },
        Function {
            signature: "captures(pattern: string, text: string) -> map<any>?",
            doc: "The first match, with its `groups`, the whole first, and those that have names in `named`; `()` for no match.",
            body: captures,
        },
        Function {
            signature: "captures_all(pattern: string, text: string) -> array<map<any>>",
            doc: "All matches, one after the other, as `captures` gives them.",
            body: captures_all,
        },
        Function {
            signature: "replace(pattern: string, text: string, with: string) -> string",
            doc: "The text with another in place of the first match. `$1`, `${1}` and `${name}` are groups, `$$` is `$`.",
            body: replace,
        },
        Function {
            signature: "replace_all(pattern: string, text: string, with: string) -> string",
            doc: "The same for all matches.",
            body: replace_all,
        },
        Function {
            signature: "split(pattern: string, text: string) -> array<string>",
            doc: "What lies between the matches.",
            body: split,
        },
        Function {
            signature: "escape(text: string) -> string",
            doc: "The pattern that matches just this text.",
            body: escape,
        },
    ],
};

fn is_match(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let pattern = host.patterns.get(&text(args, 0))?;
    Ok(Search::new(&pattern, &text(args, 1)).next()?.is_some().into())
}

fn find(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let (pattern, text) = (host.patterns.get(&text(args, 0))?, text(args, 1));
    let found = Search::new(&pattern, &text).next()?;
    Ok(found.map_or(Dynamic::UNIT, |span| Characters::of(&text).found(span).into()))
}

fn find_all(host: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let (pattern, text) = (host.patterns.get(&text(args, 0))?, text(args, 1));
    let (mut search, mut characters) = (Search::new(&pattern, &text), Characters::of(&text));
    let mut all = Items::within(context);
    while let Some(span) = search.next()? {
        all.push(characters.found(span).into())?;
    }
    Ok(all.items.into())
}

fn captures(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let (pattern, text) = (host.patterns.get(&text(args, 0))?, text(args, 1));
    let mut search = Search::for_groups(&pattern, &text);
    let found = search.next()?;
    Ok(found.map_or(Dynamic::UNIT, |span| {
        with_groups(Characters::of(&text).found(span), &pattern, &search, &text)
    }))
}

fn captures_all(host: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let (pattern, text) = (host.patterns.get(&text(args, 0))?, text(args, 1));
    let (mut search, mut characters) = (Search::for_groups(&pattern, &text), Characters::of(&text));
    let mut all = Items::within(context);
    while let Some(span) = search.next()? {
        all.push(with_groups(characters.found(span), &pattern, &search, &text))?;
    }
    Ok(all.items.into())
}

/// Adds the groups of the last match to what is known of it.
fn with_groups(mut found: Map, pattern: &Pattern, search: &Search<'_>, text: &str) -> Dynamic {
    let mut named = Map::new();
    let group = |(index, name): (usize, Option<&str>)| {
        let value: Dynamic =
            search.group(index).map_or(Dynamic::UNIT, |span| text[span.start..span.end].into());
        if let Some(name) = name {
            named.insert(name.into(), value.clone());
        }
        value
    };
    let groups: Array = pattern.names().enumerate().map(group).collect();
    found.insert("groups".into(), groups.into());
    found.insert("named".into(), named.into());
    found.into()
}

fn replace(host: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let pattern = host.patterns.get(&text(args, 0))?;
    replace::replace(&pattern, &text(args, 1), &text(args, 2), 1, context.engine())
}

fn replace_all(host: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let pattern = host.patterns.get(&text(args, 0))?;
    replace::replace(&pattern, &text(args, 1), &text(args, 2), usize::MAX, context.engine())
}

fn split(host: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let (pattern, text) = (host.patterns.get(&text(args, 0))?, text(args, 1));
    let mut search = Search::new(&pattern, &text);
    let mut all = Items::within(context);
    let mut from = 0;
    while let Some(span) = search.next()? {
        all.push(text[from..span.start].into())?;
        from = span.end;
    }
    all.push(text[from..].into())?;
    Ok(all.items.into())
}

fn escape(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    Ok(regex_syntax::escape(&text(args, 0)).into())
}

/// An array that stays within what the engine allows for one.
struct Items {
    items: Array,
    most: usize,
}

impl Items {
    fn within(context: &NativeCallContext<'_>) -> Self {
        Self { items: Array::new(), most: context.engine().max_array_size() }
    }

    fn push(&mut self, item: Dynamic) -> Result<(), Error> {
        if self.most > 0 && self.items.len() >= self.most {
            let message = format!("there are more than {} matches, the limit for one array", self.most);
            return Err(Error::new(Code::Memory, message));
        }
        self.items.push(item);
        Ok(())
    }
}

/// Counts characters from match to match.
struct Characters<'a> {
    text: &'a str,
    byte: usize,
    characters: i64,
}

impl<'a> Characters<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, byte: 0, characters: 0 }
    }

    /// How many there are before a place, which lies behind those that were asked for before.
    fn until(&mut self, byte: usize) -> i64 {
        self.characters += i64::try_from(self.text[self.byte..byte].chars().count()).unwrap_or(i64::MAX);
        self.byte = byte;
        self.characters
    }

    fn found(&mut self, span: Span) -> Map {
        let mut map = Map::new();
        map.insert("start".into(), self.until(span.start).into());
        map.insert("end".into(), self.until(span.end).into());
        map.insert("text".into(), self.text[span.start..span.end].into());
        map
    }
}

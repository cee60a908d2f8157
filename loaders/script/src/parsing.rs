//! How long a script may take to be parsed.
//!
//! Rhai's parser takes time with the square of what some texts hold: of a map of 100,000 entries, of as many variables
//! or parameters. It tells of each token, and so can be stopped.

use caraway_loaders_core::{Code, Error, Location, budget};
use rhai::{Engine, LexError, ParseError, ParseErrorType, Position, Token};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// The longest that a file may take.
pub(crate) const LONGEST: Duration = Duration::from_secs(10);

/// What stands for an error of the parser that is none.
const STOPPED: &str = "parsing took too long";

/// How many cases of `switch` a text can have: the optimizer, which cannot be stopped, compares each with each.
const MAX_CASES: u32 = 16 << 10;

/// The clock is looked at once in this many tokens.
const TOKENS_PER_LOOK: u32 = 64;

thread_local! {
    static PARSE: Cell<Parse> = const { Cell::new(Parse::NEW) };
}

/// How far this thread has come with a text. Nothing else is parsed on it in between.
#[derive(Debug, Clone, Copy)]
struct Parse {
    at: Position,
    tokens: u32,
    cases: u32,
    /// When it began; set at the first look.
    start: Option<Instant>,
}

impl Parse {
    const NEW: Self = Self { at: Position::NONE, tokens: 0, cases: 0, start: None };

    /// The next token. One that stands before the last one is the first of another text, which `eval` parses.
    fn next(self, position: Position) -> Self {
        let (was, is) = (self.at, position);
        // From its last line on Rhai tells no lines apart.
        let is_last = is.line() == Some(usize::from(u16::MAX));
        let is_new = is.line() < was.line() || !is_last && is < was;
        let so_far = if is_new { Self::NEW } else { self };
        Self { at: position, tokens: so_far.tokens.wrapping_add(1), ..so_far }
    }
}

/// Tells that another text is parsed from now on.
pub(crate) fn begin() {
    PARSE.set(Parse::NEW);
}

/// Stops what an engine parses when a limit is reached, or when one text has taken `longest`.
pub(crate) fn watch(engine: &mut Engine, longest: Option<Duration>) {
    begin();
    #[allow(deprecated)] // Rhai's mark for an interface that may change; the version is pinned.
    engine.on_parse_token(move |token, position, _| {
        let mut parse = PARSE.get().next(position);
        parse.cases += u32::from(token == Token::DoubleArrow);
        let looks = parse.tokens % TOKENS_PER_LOOK == 1;
        let start = *parse.start.get_or_insert_with(Instant::now);
        PARSE.set(parse);
        if parse.cases > MAX_CASES {
            let why = format!("more than {MAX_CASES} cases of `switch`");
            return Token::LexError(LexError::Runtime(why).into());
        }
        let too_long = looks && longest.is_some_and(|longest| start.elapsed() > longest);
        if too_long || looks && !budget::may_go_on() {
            return Token::LexError(LexError::Runtime(STOPPED.to_owned()).into());
        }
        token
    });
}

/// Whether a text was not parsed for lack of time.
pub(crate) fn was_stopped(error: &ParseError) -> bool {
    matches!(error.err_type(), ParseErrorType::BadInput(LexError::Runtime(why)) if why == STOPPED)
}

/// The error for a text that was not.
pub(crate) fn stopped(name: &str) -> Error {
    match budget::check() {
        Err(expiry) => expiry.error().clone(),
        Ok(()) => Error::new(Code::Limit, format!("the script takes longer than {LONGEST:?} to be parsed"))
            .hint("keep large tables in a file of their own, as JSON, and read it with `std/fs`"),
    }
    .at(Location::file(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::parser;
    use crate::parse_text;
    use caraway_loaders_core::limits::Limits;

    /// A `switch` with so many cases, after so many empty lines.
    fn cases(count: u32, lines: usize) -> String {
        let cases: String = (0..count).map(|case| format!("{case}=>0,")).collect();
        format!("{}switch 1 {{{cases}}}", "\n".repeat(lines))
    }

    #[test]
    fn each_text_has_cases_of_its_own() {
        let mut engine = parser(&Limits::PROGRAM);
        engine.set_optimization_level(rhai::OptimizationLevel::None);
        let half = MAX_CASES / 2 + 1;
        for _ in 0..3 {
            engine.compile(cases(half, 0)).unwrap();
        }
        // From one text to the next, wherever they begin.
        for lines in 0..3 {
            parse_text(&engine, &cases(half, lines), "test").unwrap();
        }
        for text in [
            cases(MAX_CASES + 1, 0),
            format!("{};\n{}", cases(half, 0), cases(half, 0)),
            cases(MAX_CASES + 1, 0).replace(',', ",\n"),
            // Each on a line beyond those that have numbers.
            cases(MAX_CASES + 1, 70_000).replace(',', ",\n"),
        ] {
            let error = engine.compile(text).unwrap_err();
            assert!(error.to_string().contains("more than 16384 cases"), "{error}");
        }
        engine.compile("1").unwrap();
    }

    #[test]
    fn each_text_has_a_clock_of_its_own() {
        let engine = parser(&Limits::PROGRAM);
        let long_ago = Instant::now().checked_sub(2 * LONGEST).unwrap();
        let stale = |at| PARSE.set(Parse { at, start: Some(long_ago), ..Parse::NEW });
        stale(Position::new(9, 9));
        engine.compile("1").unwrap();
        stale(Position::NONE);
        parse_text(&engine, "\n\n1", "test").unwrap();
        stale(Position::NONE);
        assert!(was_stopped(&engine.compile("1").unwrap_err()));
    }
}

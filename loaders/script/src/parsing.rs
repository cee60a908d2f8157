//! How long a script may take to be parsed.
//!
//! Rhai's parser takes time with the square of what some texts hold: of a map of 100,000 entries, of as many variables
//! or parameters. It tells of each token, and so can be stopped.

use caraway_loaders_core::{Code, Error, Location, budget};
use rhai::{Engine, LexError, ParseError, ParseErrorType, Token};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The longest that a file may take.
pub(crate) const LONGEST: Duration = Duration::from_secs(10);

/// What stands for an error of the parser that is none.
const STOPPED: &str = "parsing took too long";

/// How many cases of `switch` a text can have: the optimizer, which cannot be stopped, compares each with each.
const MAX_CASES: u32 = 16 << 10;

/// The clock is looked at once in this many tokens.
const TOKENS_PER_LOOK: u32 = 64;

/// Stops what an engine parses when a limit is reached, or when its parsing has taken `longest` altogether.
pub(crate) fn watch(engine: &mut Engine, longest: Option<Duration>) {
    let (tokens, cases) = (AtomicU32::new(0), AtomicU32::new(0));
    let start = OnceLock::new();
    #[allow(deprecated)] // Rhai's mark for an interface that may change; the version is pinned.
    engine.on_parse_token(move |token, _, _| {
        if token == Token::DoubleArrow && cases.fetch_add(1, Ordering::Relaxed) >= MAX_CASES {
            let why = format!("more than {MAX_CASES} cases of `switch`");
            return Token::LexError(LexError::Runtime(why).into());
        }
        if !tokens.fetch_add(1, Ordering::Relaxed).is_multiple_of(TOKENS_PER_LOOK) {
            return token;
        }
        let start: &Instant = start.get_or_init(Instant::now);
        let too_long = longest.is_some_and(|longest| start.elapsed() > longest);
        if too_long || !budget::may_go_on() {
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

//! Words for the editor's menu.

use super::words::Words;
use reedline::{Completer, CompletionResult, Span, Suggestion};

impl Completer for Words {
    fn complete(&mut self, line: &str, position: usize) -> CompletionResult {
        let text = line.get(..position).unwrap_or(line);
        let (start, words) = Words::complete(self, text);
        let span = Span::new(start, position);
        let suggestion = |word: super::words::Word| Suggestion {
            value: word.text,
            description: word.about,
            span,
            ..Suggestion::default()
        };
        CompletionResult::fresh(words.into_iter().map(suggestion).collect::<Vec<_>>())
    }
}

//! Where texts come from: a line editor, or the lines of a pipe.

use super::super::state;
use super::words::Words;
use caraway_loaders_core::{Code, Error};
use reedline::{
    ColumnarMenu, DefaultPrompt, DefaultPromptSegment, Emacs, FileBackedHistory, KeyCode, KeyModifiers,
    MenuBuilder, Prompt, PromptEditMode, PromptHistorySearch, Reedline, ReedlineEvent, ReedlineMenu, Signal,
    default_emacs_keybindings,
};
use std::borrow::Cow;
use std::io::BufRead;
use std::path::PathBuf;

const MENU: &str = "completions";

/// How many texts are remembered.
const HISTORY: usize = 1000;

/// What somebody typed.
pub(super) enum Typed {
    Text(String),
    /// Ctrl-C: what was begun is dropped.
    Abandoned,
    End,
}

/// Reads texts.
pub(super) enum Editor {
    Lines,
    Terminal(Box<Reedline>),
}

impl Editor {
    /// An editor with history and completion, or a reader of lines where nobody types.
    pub(super) fn new(by_hand: bool, words: Words) -> Result<Self, Error> {
        if !by_hand {
            return Ok(Self::Lines);
        }
        let menu = ReedlineMenu::EngineCompleter(Box::new(
            ColumnarMenu::default().with_name(MENU).with_marker("> "),
        ));
        let mut keys = default_emacs_keybindings();
        let complete = vec![ReedlineEvent::Menu(MENU.to_owned()), ReedlineEvent::MenuNext];
        keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, ReedlineEvent::UntilFound(complete));
        let mut editor = Reedline::create()
            .with_completer(Box::new(words))
            .with_menu(menu)
            .with_quick_completions(true)
            .with_partial_completions(true)
            .with_edit_mode(Box::new(Emacs::new(keys)))
            .with_ansi_colors(super::super::terminal::wants_color());
        // Without a place for it, nothing is remembered.
        if let Some(history) =
            history_file().and_then(|file| FileBackedHistory::with_file(HISTORY, file).ok())
        {
            editor = editor.with_history(Box::new(history));
        }
        Ok(Self::Terminal(Box::new(editor)))
    }

    /// The next text that is whole, as `is_open` says.
    pub(super) fn read(&mut self, is_open: &dyn Fn(&str) -> bool) -> Result<Typed, Error> {
        let mut text = String::new();
        loop {
            let line = match self {
                Self::Lines => match read_line()? {
                    Some(line) => line,
                    None if text.is_empty() => return Ok(Typed::End),
                    None => return Ok(Typed::Text(text)),
                },
                Self::Terminal(editor) => match editor.read_line(&Marks { goes_on: !text.is_empty() }) {
                    Ok(Signal::Success(line)) => line,
                    Ok(Signal::CtrlC) => return Ok(Typed::Abandoned),
                    Ok(_) => return Ok(Typed::End),
                    Err(error) => return Err(failed(&error)),
                },
            };
            text.push_str(&line);
            if text.trim_start().starts_with(':') || !is_open(&text) {
                return Ok(Typed::Text(text));
            }
            text.push('\n');
        }
    }
}

fn failed(error: &std::io::Error) -> Error {
    Error::new(Code::Io, format!("cannot read from the terminal: {error}"))
}

fn read_line() -> Result<Option<String>, Error> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    match read.map_err(|error| Error::new(Code::Io, format!("cannot read standard input: {error}")))? {
        0 => Ok(None),
        _ => Ok(Some(line.trim_end_matches(['\n', '\r']).to_owned())),
    }
}

fn history_file() -> Option<PathBuf> {
    let folder = state::folder()?;
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("repl-history"))
}

/// `> ` before a text, `| ` before its other lines.
struct Marks {
    goes_on: bool,
}

impl Prompt for Marks {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed(if self.goes_on { "| " } else { "> " })
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed("| ")
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        let basic = DefaultPrompt::new(DefaultPromptSegment::Empty, DefaultPromptSegment::Empty);
        Cow::Owned(basic.render_prompt_history_search_indicator(search).into_owned())
    }
}

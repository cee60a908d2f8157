//! `caraway explain`.

use super::options::Options;
use super::{Context, table, terminal};
use caraway_loaders_core::bind::suggest;
use caraway_loaders_core::{Code, Error};
use clap::Args;
use serde_json::{Value, json};

/// The reference of errors, which is what is printed.
const REFERENCE: &str = include_str!("../../docs/errors.md");

/// Explain an error code, or list all of them
#[derive(Debug, Args)]
#[command(after_help = "For example `caraway explain E0501`.")]
pub(super) struct Explain {
    /// What an error begins with: `E0401`, in large or small letters
    code: Option<String>,
    #[command(flatten)]
    pub(super) options: Options,
}

/// What the reference says of a code.
struct Explanation {
    code: Code,
    title: &'static str,
    text: &'static str,
}

impl Explain {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        match &self.code {
            Some(text) => {
                let found = Explanation::of(find(text)?);
                match context.options.json() {
                    true => context.print_json(found.json())?,
                    false => context
                        .print_wrapped(&format!("{} {}\n\n{}\n", found.code, found.title, found.text))?,
                }
            }
            None => {
                let all = Code::ALL.iter().copied().map(Explanation::of);
                match context.options.json() {
                    true => context
                        .print_json(json!({"codes": all.map(|found| found.json()).collect::<Vec<_>>()}))?,
                    false => {
                        let row = |found: Explanation| {
                            let exit = found.code.exit_code().to_string();
                            vec![found.code.to_string(), exit, found.title.to_owned()]
                        };
                        let rows: Vec<Vec<String>> = all.map(row).collect();
                        let width = terminal::width(&std::io::stdout());
                        context.print(&table::render(&["CODE", "EXIT", "WHAT HAPPENED"], &rows, width))?;
                    }
                }
            }
        }
        Ok(0)
    }
}

fn find(text: &str) -> Result<Code, Error> {
    let wanted = text.to_ascii_uppercase();
    let names = || Code::ALL.iter().map(|code| code.as_str());
    Code::ALL.iter().copied().find(|code| code.as_str() == wanted).ok_or_else(|| {
        let error = Error::new(Code::Usage, format!("there is no error code `{text}`"));
        match suggest(&wanted, names()) {
            Some(near) => error.hint(format!("did you mean `{near}`? `caraway explain` lists all of them")),
            None => error.hint("`caraway explain` lists all of them"),
        }
    })
}

/// What a code means, in a few words.
pub(super) fn title(code: Code) -> &'static str {
    Explanation::of(code).title
}

impl Explanation {
    /// A test proves that there is one for each code.
    fn of(code: Code) -> Self {
        let heading = format!("\n## {code} ");
        let found = REFERENCE.split_once(&heading).map_or("", |(_, rest)| rest);
        let (title, rest) = found.split_once('\n').unwrap_or((found, ""));
        let text = rest.split("\n## ").next().unwrap_or_default().trim();
        Self { code, title, text }
    }

    fn json(&self) -> Value {
        json!({
            "code": self.code.as_str(),
            "exit_code": self.code.exit_code(),
            "title": self.title,
            "text": self.text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained() {
        for &code in Code::ALL {
            let Explanation { title, text, .. } = Explanation::of(code);
            assert!(!title.is_empty() && text.len() > 20, "{code}: {title:?} {text:?}");
            assert!(!text.contains("\n## "), "{code}");
        }
    }
}

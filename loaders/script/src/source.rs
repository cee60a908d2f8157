//! Script files, read and parsed.

use crate::parsing;
use caraway_loaders_core::regular::{RegularFile, Unreadable};
use caraway_loaders_core::{Code, Error, Location};
use rhai::{AST, ASTNode, Engine, Expr, Position, Stmt};
use std::path::Path;

/// Largest script file, in bytes.
const MAX_SOURCE: u64 = 16 << 20;

/// The constants that hosts put into engines.
pub(crate) const CONSTANTS: [&str; 2] = ["ARGS", "CONFIG"];

/// Reads and parses a script file. The file's name is the source of what it defines.
///
/// # Errors
///
/// [`Code::Io`] for what is no regular file, cannot be read or is larger than 16 MiB; [`Code::Syntax`] for what
/// is not UTF-8 or does not parse.
pub fn parse_file(engine: &Engine, file: &Path) -> Result<AST, Error> {
    parse_text(engine, &read_source(file, file)?, &file.to_string_lossy())
}

/// Parses a script that messages call `name`.
///
/// The engine should have no constants: Rhai's optimizer puts them in the place of parameters and loop variables
/// of the same name.
///
/// # Errors
///
/// [`Code::Syntax`] with its place.
pub fn parse_text(engine: &Engine, text: &str, name: &str) -> Result<AST, Error> {
    // A byte order mark means nothing, and a first line for the system's loader is a comment to us.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let commented = text.strip_prefix("#!").map(|rest| format!("// {rest}"));
    parsing::begin();
    let mut ast = engine.compile(commented.as_deref().unwrap_or(text)).map_err(|error| {
        if parsing::was_stopped(&error) {
            return parsing::stopped(name);
        }
        Error::new(Code::Syntax, error.err_type().to_string())
            .at(Location::of_position(Some(name), error.position()))
    })?;
    ast.set_source(name);
    match changed_constant(&ast) {
        Some((what, position)) => Err(Error::new(Code::Syntax, format!("{what} cannot be changed"))
            .at(Location::of_position(Some(name), position))
            .hint("change a copy: `let x = ...`")),
        None => Ok(ast),
    }
}

/// The first assignment into a constant that Rhai would not refuse: it drops what is assigned inside one of
/// [`CONSTANTS`], and panics where its optimizer has put the value of `m.a` in its place (1.27, `const m`).
fn changed_constant(ast: &AST) -> Option<(String, Position)> {
    let mut found = None;
    ast.walk(&mut |path| {
        if let Some(ASTNode::Stmt(Stmt::Assignment(assignment))) = path.last() {
            found = changed_in(&assignment.1.lhs);
        }
        found.is_none()
    });
    found
}

fn changed_in(target: &Expr) -> Option<(String, Position)> {
    let mut root = target;
    while let Expr::Dot(inner, ..) | Expr::Index(inner, ..) = root {
        root = &inner.lhs;
    }
    match root {
        // A name that the script defines has an index.
        Expr::Variable(variable, None, position)
            if variable.0.is_none() && !std::ptr::eq(root, target) && CONSTANTS.contains(&&*variable.1) =>
        {
            Some((format!("the constant `{}`", variable.1), *position))
        }
        Expr::Variable(..) | Expr::ThisPtr(..) => None,
        _ if std::ptr::eq(root, target) => Some(("a constant".to_owned(), target.start_position())),
        _ => None,
    }
}

/// The text of a script file.
///
/// # Errors
///
/// [`Code::Io`] for what is no regular file, cannot be read, is larger than 16 MiB or no UTF-8.
pub(crate) fn read_source(real: &Path, shown: &Path) -> Result<String, Error> {
    let bytes = RegularFile::open(real).and_then(|file| file.read(MAX_SOURCE)).map_err(|unreadable| {
        let refused = |what: &str| Error::new(Code::Io, format!("{} is {what}", shown.display()));
        match unreadable {
            Unreadable::Failed(error) => Error::io(shown, "read", &error),
            Unreadable::NotRegular(found) => refused(&format!("not a regular file but {found}")),
            Unreadable::TooLarge => refused(&format!("larger than {MAX_SOURCE} bytes")),
        }
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&error.as_bytes()[..at]).into_owned();
        Error::new(Code::Syntax, "the script is not UTF-8").at(Location::at_offset(shown, &text, at))
    })
}

//! Names of plugins, modules and kinds.

use super::problems::{Wrong, shown};
use rhai::is_valid_function_name;

/// Longest name, in bytes.
const MAX_LENGTH: usize = 64;

/// The prefix of the names that only built-ins have.
pub(crate) const BUILT_IN: &str = "std/";

/// A plugin's name: `[a-z][a-z0-9_-]*`, at most 64.
pub(crate) fn plugin(name: &str) -> Result<String, Wrong> {
    if name.starts_with(BUILT_IN) {
        return Err(Wrong::new(format!("is {}, which only a built-in can be called", shown(name))));
    }
    check(name, "-_")?;
    Ok(name.to_owned())
}

/// The name of a plugin or of a built-in, as dependencies have it.
pub(crate) fn dependency(name: &str) -> Result<String, Wrong> {
    check(name.strip_prefix(BUILT_IN).unwrap_or(name), "-_")?;
    Ok(name.to_owned())
}

/// The name of a built-in: `std/...`.
pub(crate) fn built_in(name: &str) -> Result<String, Wrong> {
    match name.strip_prefix(BUILT_IN) {
        Some(_) => dependency(name),
        None => Err(Wrong::new(format!("is {}, which is not a built-in", shown(name)))
            .hint("built-ins are called `std/...`; other plugins are listed in `dependencies`")),
    }
}

/// A module's name: `[a-z][a-z0-9_]*` that is no reserved word, so that programs can import it under itself.
pub(crate) fn module(name: &str) -> Result<String, Wrong> {
    check(name, "_")?;
    if !is_valid_function_name(name) {
        return Err(Wrong::new(format!("is `{name}`, a reserved word that programs cannot write"))
            .hint(format!("name the module in `module`, for example `{name}_`")));
    }
    Ok(name.to_owned())
}

/// A plugin kind.
pub(crate) fn kind(name: &str) -> Result<String, Wrong> {
    check(name, "-_")?;
    Ok(name.to_owned())
}

/// The name of a parameter or of a struct's field.
pub(crate) fn identifier(name: &str) -> Result<String, Wrong> {
    if name.len() > MAX_LENGTH || !rhai::is_valid_identifier(name) {
        return Err(Wrong::new(format!("is {}, which is no identifier", shown(name)))
            .hint("use ASCII letters, digits and `_`, at most 64"));
    }
    Ok(name.to_owned())
}

/// The name of a setting: an identifier that can stand after `CONFIG.` in a script.
pub(crate) fn setting(name: &str) -> Result<String, Wrong> {
    identifier(name)?;
    if !is_valid_function_name(name) {
        return Err(Wrong::new(format!("is `{name}`, a reserved word that scripts cannot write"))
            .hint(format!("for example `{name}_`")));
    }
    Ok(name.to_owned())
}

fn check(name: &str, also: &str) -> Result<(), Wrong> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || also.contains(c);
    let rule = || {
        let also: Vec<String> = also.chars().map(|c| format!("`{c}`")).collect();
        let also = also.join(" and ");
        format!("begin with a lower-case letter, go on with lower-case letters, digits, {also}; at most 64")
    };
    let wrong = if name.is_empty() {
        "is empty".to_owned()
    } else if let Some(c) = name.chars().find(|c| !allowed(*c)) {
        let code = u32::from(c);
        match c.is_ascii_graphic() {
            true => format!("is {}, which has a `{c}`", shown(name)),
            false => format!("is {}, which has the character U+{code:04X}", shown(name)),
        }
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        format!("is {}, which does not begin with a letter", shown(name))
    } else if name.len() > MAX_LENGTH {
        format!("is {}, which is longer than {MAX_LENGTH}", shown(name))
    } else {
        return Ok(());
    };
    Err(Wrong::new(wrong).hint(rule()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(result: Result<String, Wrong>, message: &str) {
        let wrong = result.unwrap_err();
        assert!(wrong.message.contains(message), "{}", wrong.message);
    }

    #[test]
    fn plugin_names() {
        for name in ["a", "stats", "my-plugin_2", &"x".repeat(64)] {
            assert_eq!(plugin(name).as_deref(), Ok(name));
        }
        refused(plugin(""), "is empty");
        refused(plugin(&"x".repeat(65)), "longer than 64");
        refused(plugin("Stats"), "has a `S`");
        refused(plugin("a.b"), "has a `.`");
        refused(plugin(".."), "has a `.`");
        refused(plugin("a/b"), "has a `/`");
        refused(plugin("std/fs"), "only a built-in");
        refused(plugin("2d"), "begin with a letter");
        refused(plugin("-x"), "begin with a letter");
        refused(plugin("a\0"), "U+0000");
        refused(plugin("a\u{1b}[31m"), "U+001B");
        refused(plugin("a\u{202e}"), "U+202E");
        // A Cyrillic letter that looks like a Latin one.
        refused(plugin("st\u{430}ts"), "U+0430");
    }

    #[test]
    fn module_names() {
        assert_eq!(module("stats_2").as_deref(), Ok("stats_2"));
        refused(module("a-b"), "has a `-`");
        for word in ["fn", "new", "eval", "print", "import", "match", "default"] {
            refused(module(word), "reserved word");
        }
    }

    #[test]
    fn setting_names_can_be_written_in_scripts() {
        let engine = rhai::Engine::new_raw();
        let words = "limit x2 _x aB keys len if fn default new match print debug eval type_of call curry this \
                     global public super static void null go async exit import const true is_def_var Fn 2x";
        for word in words.split_whitespace() {
            let written = engine.compile(format!("CONFIG.{word}")).is_ok();
            assert_eq!(setting(word).is_ok(), written, "{word}");
        }
        assert!(setting("limit").is_ok());
        refused(setting("default"), "reserved word");
        refused(setting("page-size"), "no identifier");
    }

    #[test]
    fn dependencies_and_built_ins() {
        assert_eq!(dependency("std/fs").as_deref(), Ok("std/fs"));
        assert_eq!(dependency("stats").as_deref(), Ok("stats"));
        refused(dependency("std/../fs"), "has a `.`");
        refused(dependency("std/"), "is empty");
        assert_eq!(built_in("std/fs").as_deref(), Ok("std/fs"));
        refused(built_in("fs"), "not a built-in");
    }
}

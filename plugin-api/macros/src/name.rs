use proc_macro2::Ident;

/// An identifier as its name is said: without `r#`.
pub(crate) fn unraw(ident: &Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").unwrap_or(&text).to_owned()
}

/// `DarkBlue` as `dark_blue`, `HTTPServer` as `http_server`.
pub(crate) fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, char) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        let begins = char.is_uppercase()
            && before.is_some_and(|before| {
                let next_is_lower = chars.get(at + 1).is_some_and(|next| next.is_lowercase());
                *before != '_' && (!before.is_uppercase() || next_is_lower)
            });
        if begins {
            snake.push('_');
        }
        snake.extend(char.to_lowercase());
    }
    snake
}

/// Whether signatures mean something else by it.
pub(crate) fn is_builtin_type(name: &str) -> bool {
    const NAMES: [&str; 13] = [
        "int", "float", "bool", "char", "string", "bytes", "ints", "floats", "array", "map", "any", "void",
        "fn",
    ];
    NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_with_capitals() {
        for (name, snake) in [
            ("Red", "red"),
            ("DarkBlue", "dark_blue"),
            ("HTTPServer", "http_server"),
            ("Rgb8Bit", "rgb8_bit"),
            ("A", "a"),
            ("X_Y", "x_y"),
            ("ÄÖ", "äö"),
        ] {
            assert_eq!(snake_case(name), snake);
        }
    }
}

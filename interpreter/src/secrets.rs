//! Where the secrets of plugins are read.

use caraway_loaders_core::Value;
use caraway_loaders_core::config::SecretSource;
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_core::regular::{RegularFile, Unreadable};
use caraway_loaders_core::secret::Secrets;

/// Keeps the secrets among a plugin's settings from being shown.
pub(crate) fn keep(manifest: &Manifest, settings: &Value, secrets: &Secrets) {
    let Value::Map(settings) = settings else { return };
    for setting in manifest.config.iter().filter(|setting| setting.secret) {
        if let Some(Value::String(text)) = settings.get(&setting.name) {
            secrets.keep(text);
        }
    }
}

/// The longest secret, in bytes.
const LONGEST: u64 = 64 << 10;

/// The text of a secret; of a file without the newline at its end.
pub(crate) fn read(source: &SecretSource) -> Result<String, String> {
    match source {
        SecretSource::Environment(name) if name.contains(['=', '\0']) => Err("cannot be one".to_owned()),
        SecretSource::Environment(name) => match std::env::var(name) {
            Ok(text) => Ok(text),
            Err(std::env::VarError::NotPresent) => Err("is not set".to_owned()),
            Err(std::env::VarError::NotUnicode(_)) => Err("is not UTF-8".to_owned()),
        },
        SecretSource::File(path) => {
            let bytes =
                RegularFile::open(path).and_then(|file| file.read(LONGEST)).map_err(|unreadable| {
                    match unreadable {
                        Unreadable::Failed(error) => format!("cannot be read: {error}"),
                        Unreadable::NotRegular(found) => format!("is no file but {found}"),
                        Unreadable::TooLarge => format!("is larger than {LONGEST} bytes"),
                    }
                })?;
            let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
            let line = text.strip_suffix('\n').unwrap_or(&text);
            Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
        }
    }
}

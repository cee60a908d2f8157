//! Where plugins are looked for.

use crate::config::{Config, shown};
use caraway_loaders_core::discover::SearchPath;
use std::path::{Path, PathBuf};

/// The environment variable with search paths, separated as in `PATH`.
pub(crate) const VARIABLE: &str = "CARAWAY_PLUGIN_PATH";

/// Where the system's administrator puts plugins.
const SYSTEM: &str = "/usr/local/lib/caraway/plugins";

/// What the host says of search paths.
#[derive(Debug, Clone, Default)]
pub(crate) struct SearchPaths {
    /// `--plugin-path`, or the builder's.
    pub(crate) given: Vec<PathBuf>,
    /// Whether the environment, the user's and the system's folders are looked at.
    pub(crate) ambient: bool,
}

impl SearchPaths {
    /// All search paths, in order, for a program in `folder`.
    pub(crate) fn list(&self, folder: &Path, project: &Config, user: &Config) -> Vec<SearchPath> {
        let mut paths: Vec<SearchPath> =
            self.given.iter().map(|path| SearchPath::explicit(path, "--plugin-path")).collect();
        if self.ambient
            && let Some(variable) = std::env::var_os(VARIABLE)
        {
            let set = std::env::split_paths(&variable).filter(|path| !path.as_os_str().is_empty());
            paths.extend(set.map(|path| SearchPath::explicit(path, VARIABLE)));
        }
        for config in [project, user] {
            paths.extend(config.plugin_path.iter().map(|path| SearchPath::explicit(path, "plugin_path")));
        }
        // As a user would write it: `plugins`, not `./plugins`.
        let folder = folder.strip_prefix(".").unwrap_or(folder);
        let beside = folder.join("plugins");
        let of_project = project.file.as_deref().and_then(Path::parent).map(|root| root.join("plugins"));
        let other =
            of_project.filter(|path| std::path::absolute(&beside).is_ok_and(|beside| beside != *path));
        paths.push(SearchPath::default_path(beside, "beside the program"));
        paths.extend(other.map(|path| SearchPath::default_path(shown(&path), "the project")));
        if self.ambient {
            if let Some(data) = dirs::data_dir() {
                paths.push(SearchPath::default_path(
                    data.join("caraway").join("plugins"),
                    "the user's data directory",
                ));
            }
            paths.push(SearchPath::default_path(SYSTEM, "the system"));
        }
        paths
    }
}

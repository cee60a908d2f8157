//! Sources on the disk, and what texts mean.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are tests")]

mod support;

use caraway_loaders_core::Code;
use caraway_package::source::parse;
use std::path::Path;

#[track_caller]
fn refused(text: &str, code: Code, message: &str) {
    let error = parse(text, Path::new("/"), &[]).expect_err("it is a source");
    assert_eq!(error.code(), code, "{error}");
    assert!(error.message().contains(message), "{error}, not {message}");
    assert!(error.hint_text().is_some(), "{error}");
}

#[test]
fn schemes_that_are_not_known() {
    for (text, scheme) in
        [("ftp://a/x.zip", "`ftp`"), ("git+https://a/x", "`git+https`"), ("file:///x.zip", "`file`")]
    {
        refused(text, Code::Usage, scheme);
    }
}

#[test]
#[cfg(not(feature = "archive"))]
fn a_build_without_archives_says_so() {
    refused("x", Code::Usage, "this build of Caraway cannot install");
    refused("https://example.com/x.zip", Code::Usage, "this build of Caraway cannot download");
}

#[cfg(feature = "archive")]
mod with_archives {
    use super::*;
    use crate::support::{self, MANIFEST, good_tar, gz, tree, write_files};
    use caraway_loaders_core::checksum::Digest;
    use caraway_loaders_core::loader::{Loader, PluginFile};
    use caraway_loaders_script::ScriptLoader;
    use caraway_package::plugin_in;
    use caraway_package::source::{ArchiveFile, Progress, Source};
    use caraway_package::store::{Record, Store};
    use std::cell::RefCell;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::sync::Arc;

    fn loaders() -> Vec<Arc<dyn Loader>> {
        vec![Arc::new(ScriptLoader::default())]
    }

    #[derive(Default)]
    struct Told(RefCell<Vec<Option<u64>>>);

    impl Progress for Told {
        fn total(&self, bytes: Option<u64>) {
            self.0.borrow_mut().push(bytes);
        }

        fn advance(&self, bytes: u64) {
            self.0.borrow_mut().push(Some(bytes));
        }
    }

    #[test]
    fn paths_are_relative_to_the_base_and_kept_absolute() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().canonicalize().unwrap();
        write_files(&root, &[("demo/plugin.json", MANIFEST), ("x.tar.gz", "")]);
        for text in ["demo", "./demo", "../../demo", "x.tar.gz"] {
            let base = if text.starts_with("..") { root.join("a/b") } else { root.clone() };
            fs::create_dir_all(&base).unwrap();
            let source = parse(text, &base, &loaders()).unwrap();
            let name = text.trim_start_matches(['.', '/']);
            assert_eq!(source.text(), root.join(name).display().to_string());
            // The text means the same source wherever it is read.
            assert_eq!(parse(&source.text(), Path::new("/"), &loaders()).unwrap().text(), source.text());
        }
        refused("/no/such/file", Code::Io, "/no/such/file");
        let odd = root.join(std::ffi::OsStr::from_bytes(b"a\xff"));
        fs::create_dir(&odd).unwrap();
        let error = parse(".", &odd, &loaders()).unwrap_err();
        assert_eq!(error.code(), Code::Usage, "{error}");
    }

    #[test]
    fn a_folder_and_its_archive_install_alike() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path();
        let files = [
            ("plugin.json", MANIFEST),
            ("main.rhai", "fn f() { 1 }\n"),
            (".env", "secret"),
            ("target/x", ""),
        ];
        write_files(&root.join("demo"), &files);
        fs::write(root.join("demo.tar.gz"), gz(&good_tar())).unwrap();
        let store = Store::new(root.join("store"));
        let mut installed = Vec::new();
        for (text, size) in [("demo", 13 + MANIFEST.len()), ("demo.tar.gz", gz(&good_tar()).len())] {
            let source = parse(text, root, &loaders()).unwrap();
            let locked = store.lock("a test", &mut |_| {}).unwrap();
            let staging = locked.stage().unwrap();
            let told = Told::default();
            let fetched = source.fetch(staging.path(), &told).unwrap();
            let told = told.0.into_inner();
            assert_eq!(told[0], Some(size as u64));
            assert_eq!(told[1..].iter().flatten().sum::<u64>(), size as u64);
            let plugin = plugin_in(&fetched.folder, &loaders()).unwrap();
            let record = Record {
                name: plugin.manifest.name.clone(),
                version: plugin.manifest.version.clone(),
                source: source.text(),
                archive: fetched.archive,
            };
            let digest = (text != "demo").then(|| Digest::of(&gz(&good_tar())));
            assert_eq!(fetched.archive, digest);
            installed.push(tree(&fetched.folder));
            locked.place(staging, &fetched, &record, false).unwrap();
        }
        assert_eq!(installed[0], installed[1]);
        // The second was the same as the first, and is recorded as that.
        assert_eq!(store.installed().plugins[0].record.archive, None);
    }

    #[test]
    fn what_is_no_archive() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path();
        write_files(root, &[("x.zip", "no zip"), ("large", &"x".repeat(100))]);
        support::pipe(&root.join("pipe"));
        for name in ["x.zip", "pipe", "/dev/zero"] {
            let staging = tempfile::tempdir().unwrap();
            let error = parse(name, root, &[]).unwrap().fetch(staging.path(), &()).unwrap_err();
            assert_eq!(error.code(), Code::ArchiveRefused, "{error}");
        }
        let limits = caraway_package::archive::Limits { archive_bytes: 99, ..Default::default() };
        let staging = tempfile::tempdir().unwrap();
        let error =
            ArchiveFile::new(root.join("large")).with_limits(limits).fetch(staging.path(), &()).unwrap_err();
        assert!(error.message().contains("more than 99 bytes"), "{error}");
        assert_eq!(fs::read_dir(staging.path()).unwrap().count(), 0, "the copy has no name");
    }

    #[test]
    fn a_single_file_is_a_plugin_only_alone() {
        #[derive(Debug)]
        struct Adopts;
        impl Loader for Adopts {
            fn kind(&self) -> &'static str {
                "single"
            }
            fn description(&self) -> &'static str {
                "single files"
            }
            fn validate(
                &self,
                _: &caraway_loaders_core::manifest::Manifest,
            ) -> Vec<caraway_loaders_core::Error> {
                Vec::new()
            }
            fn adopt(&self, file: &Path) -> Option<caraway_loaders_core::manifest::Manifest> {
                file.extension().filter(|extension| *extension == "one")?;
                caraway_loaders_core::manifest::Manifest::of_file(file, "single")
            }
            fn files(
                &self,
                plugin: &caraway_loaders_core::discover::Plugin,
            ) -> Result<Vec<PluginFile>, caraway_loaders_core::Error> {
                let entrypoint = plugin.manifest.implementation.entrypoint.clone();
                Ok(entrypoint.into_iter().map(PluginFile::portable).collect())
            }
            fn inspect(
                &self,
                _: &caraway_loaders_core::discover::Plugin,
            ) -> Result<Vec<caraway_loaders_core::manifest::Function>, caraway_loaders_core::Error>
            {
                Ok(Vec::new())
            }
            fn load(
                &self,
                _: &caraway_loaders_core::loader::LoadRequest,
            ) -> Result<caraway_loaders_core::bind::Bound, caraway_loaders_core::Error> {
                Err(caraway_loaders_core::Error::new(Code::Internal, "never loaded"))
            }
        }
        let loaders: Vec<Arc<dyn Loader>> = vec![Arc::new(Adopts)];
        let temporary = tempfile::tempdir().unwrap();
        write_files(temporary.path(), &[("demo.one", "1"), (".hidden", "")]);
        let source = parse(".", temporary.path(), &loaders).unwrap();
        let staging = tempfile::tempdir().unwrap();
        let fetched = source.fetch(staging.path(), &()).unwrap();
        assert_eq!(tree(&fetched.folder), ["demo.one 644 1"]);
        assert_eq!(plugin_in(&fetched.folder, &loaders).unwrap().id(), "demo@0.0.0");
        write_files(temporary.path(), &[("README.md", "")]);
        let staging = tempfile::tempdir().unwrap();
        let error = source.fetch(staging.path(), &()).unwrap_err();
        assert_eq!(error.code(), Code::ManifestSyntax, "{error}");
    }
}

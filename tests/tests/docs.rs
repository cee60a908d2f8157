//! The reference pages agree with the code.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use caraway::Code;
use caraway_tests as _;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)).unwrap()
}

/// The fenced blocks of a language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| &rest[..rest.find("```").unwrap()]).collect()
}

#[test]
fn every_error_code_is_explained_once() {
    let page = page("reference/errors.md");
    let mut explained: BTreeMap<&str, usize> = BTreeMap::new();
    for section in page.split("\n## ").skip(1) {
        let (title, text) = section.split_once('\n').unwrap();
        let code = title.split(' ').next().unwrap();
        if code.starts_with(['E', 'W']) {
            *explained.entry(code).or_default() += 1;
            assert!(text.trim().len() > 40, "{code} is hardly explained");
        }
    }
    let known: BTreeMap<&str, usize> = Code::ALL.iter().map(|code| (code.as_str(), 1)).collect();
    assert_eq!(explained, known);
}

#[test]
fn the_example_configuration_is_accepted() {
    let page = page("reference/config.md");
    let example = blocks(&page, "toml")[0];
    let folder = tempfile::tempdir().unwrap();
    for path in ["plugins", "vendor/plugins"] {
        std::fs::create_dir_all(folder.path().join(path)).unwrap();
    }
    for name in ["stats", "csv"] {
        let plugin = folder.path().join("plugins").join(name);
        std::fs::create_dir(&plugin).unwrap();
        let manifest = format!("name = \"{name}\"\nversion = \"1.2.3\"\ntype = \"module\"\n");
        std::fs::write(plugin.join("plugin.toml"), manifest).unwrap();
        std::fs::write(plugin.join("main.rhai"), "fn f() { 1 }").unwrap();
    }
    std::fs::write(folder.path().join("caraway.toml"), example).unwrap();
    let runtime = caraway::Runtime::builder().folder(folder.path()).build().unwrap();
    let value = runtime.eval(r#"import "stats" as s; s::f()"#).unwrap();
    assert_eq!(value.as_int(), Ok(1));

    let misspelt = example.replace("call_depth", "call_dept");
    std::fs::write(folder.path().join("caraway.toml"), misspelt).unwrap();
    let error = runtime.eval("1").unwrap_err();
    assert_eq!(error.code(), Code::Config);
}

#[test]
fn the_example_settings_are_what_the_plugin_is_given() {
    let page = page("reference/config.md");
    let page = &page[page.find("## Settings of plugins").unwrap()..page.find("## Secrets").unwrap()];
    let [manifest, configuration] = blocks(page, "toml")[..] else {
        panic!("a manifest and a configuration")
    };
    let [given] = blocks(page, "rhai")[..] else { panic!("what the plugin is given") };
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("plugins/pager");
    std::fs::create_dir_all(&plugin).unwrap();
    std::fs::write(plugin.join("plugin.toml"), manifest).unwrap();
    std::fs::write(plugin.join("main.rhai"), "fn settings() { CONFIG }").unwrap();
    std::fs::write(folder.path().join("caraway.toml"), configuration).unwrap();
    let runtime = caraway::Runtime::builder().folder(folder.path()).build().unwrap();
    let value = runtime.eval(r#"import "pager" as p; p::settings()"#).unwrap();
    assert_eq!(format!("{value:?}"), given.trim());
}

/// What a page of the repository has in it.
#[derive(Default)]
struct Page {
    file: PathBuf,
    /// The names of its headings, as GitHub makes them.
    anchors: Vec<String>,
    /// Where its links lead.
    links: Vec<String>,
    /// The words after each fence, and what is fenced.
    fences: Vec<(String, String)>,
}

impl Page {
    fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let mut page = Self { file: file.to_owned(), ..Self::default() };
        let (mut heading, mut seen) = (None, HashMap::<String, usize>::new());
        let mut fenced = false;
        for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let slug = slug(&heading.take().unwrap());
                    let times = seen.entry(slug.clone()).and_modify(|times| *times += 1).or_default();
                    page.anchors.push(if *times == 0 { slug } else { format!("{slug}-{times}") });
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(words))) => {
                    fenced = true;
                    page.fences.push((words.into_string(), String::new()));
                }
                Event::End(TagEnd::CodeBlock) => fenced = false,
                Event::Text(text) | Event::Code(text) => match &mut heading {
                    Some(heading) => heading.push_str(&text),
                    None if fenced => page.fences.last_mut().unwrap().1.push_str(&text),
                    None => {}
                },
                _ => {}
            }
        }
        page
    }

    /// Whether another file includes this page to run what is in it, and does not leave this language out.
    fn is_run_by(&self, sources: &[&str], language: &str) -> bool {
        let name = self.file.strip_prefix(root()).unwrap().to_string_lossy();
        let included = format!("include_str!(\"../../{name}\")");
        let left_out = format!("\"{language}\"");
        sources.iter().any(|source| {
            let source = std::fs::read_to_string(root().join(source)).unwrap();
            source.lines().any(|line| line.contains(&included) && !line.contains(&left_out))
        })
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// What GitHub calls a heading in links.
fn slug(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// All pages of the repository.
fn pages() -> BTreeMap<PathBuf, Page> {
    let entries = ignore::Walk::new(root()).map(|entry| entry.unwrap());
    let pages = entries.filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    let pages = pages.filter(|entry| entry.path().extension().is_some_and(|e| e == "md"));
    pages.map(|entry| (entry.path().to_owned(), Page::read(entry.path()))).collect()
}

#[test]
fn links_lead_to_files_and_headings() {
    let pages = pages();
    let mut broken = Vec::new();
    for page in pages.values() {
        for link in page.links.iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            let (path, anchor) = link.split_once('#').map_or((&**link, None), |(path, a)| (path, Some(a)));
            let target = match path {
                "" => Ok(page.file.clone()),
                path => page.file.parent().unwrap().join(path).canonicalize(),
            };
            let there = target.is_ok_and(|target| {
                let has = |page: &Page| anchor.is_none_or(|anchor| page.anchors.iter().any(|a| a == anchor));
                pages.get(&target).map_or(anchor.is_none(), has)
            });
            if !there {
                broken.push(format!("{}: {link}", page.file.display()));
            }
        }
    }
    assert!(pages.len() > 20, "the pages are elsewhere");
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn headings_are_called_what_github_calls_them() {
    for (heading, expected) in [
        ("`E0101` The script failed", "`e0101`-the-script-failed"),
        ("std/http", "stdhttp"),
        ("What's new, and what is not?", "whats-new-and-what-is-not"),
        ("snake_case - and a dash", "snake_case---and-a-dash"),
    ] {
        assert_eq!(slug(heading), expected.replace('`', ""), "{heading}");
    }
}

/// Snippets are run where a page is followed by a test; everywhere, they are at least in their language.
#[test]
fn snippets_are_in_their_language() {
    let mut wrong = Vec::new();
    for page in pages().values() {
        for (words, text) in &page.fences {
            if let Err(error) = understood(page, words, text) {
                wrong.push(format!("{}: {words}: {error}: {text}", page.file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn understood(page: &Page, words: &str, text: &str) -> Result<(), String> {
    let typed_in = ["interpreter/tests/guide.rs", "interpreter/tests/reference.rs"];
    let (language, more) = words.split_once(',').unwrap_or((words, ""));
    match language {
        "rhai" => rhai::Engine::new().compile(text).map(drop).map_err(|error| error.to_string()),
        "toml" => toml::from_str::<toml::Table>(text).map(drop).map_err(|error| error.to_string()),
        "json" => {
            serde_json::from_str::<serde_json::Value>(text).map(drop).map_err(|error| error.to_string())
        }
        "sh" => {
            let output = Command::new("sh").args(["-n", "-c", text]).output().unwrap();
            output
                .status
                .success()
                .then_some(())
                .ok_or_else(|| String::from_utf8_lossy(&output.stderr).into())
        }
        "console" => {
            page.is_run_by(&typed_in, language).then_some(()).ok_or_else(|| "no test types it in".to_owned())
        }
        "rust" if more.starts_with("ignore (") && more.ends_with(')') => Ok(()),
        "rust" if more.is_empty() => {
            let run =
                page.is_run_by(&["interpreter/src/lib.rs"], language) || page.is_run_by(&typed_in, language);
            run.then_some(()).ok_or_else(|| "no test compiles it".to_owned())
        }
        // What is written and compiled by a test that has the tools, and what no program reads.
        "c" | "go" | "zig" | "wit" | "signatures" | "text" | "usage" => Ok(()),
        _ => Err("an unknown language".to_owned()),
    }
}

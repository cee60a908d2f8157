//! What a module is made of, and how it is bound.

use caraway_loaders_core::bind::conform::type_name;
use caraway_loaders_core::bind::{Bound, CallResult};
use caraway_loaders_core::capability::Access;
use caraway_loaders_core::loader::LoadRequest;
use caraway_loaders_core::manifest::{Function as Declared, Manifest};
use caraway_loaders_core::observe;
use caraway_loaders_core::output::Output;
use caraway_loaders_core::rate::Rate;
use caraway_loaders_core::store::Store;
use caraway_loaders_core::{Code, Error, Signature};
use rhai::{Array, Dynamic, ImmutableString, NativeCallContext};
use semver::Version;
use std::sync::Arc;
#[cfg(feature = "http")]
use std::sync::OnceLock;
use std::time::Instant;

/// The longest name of a file or a variable, in bytes.
const MAX_NAME: usize = 64 << 10;

/// A module, as a table.
pub(crate) struct StdModule {
    /// What programs import: `std/fs`.
    pub(crate) name: &'static str,
    /// What it is for, in a few words.
    pub(crate) description: &'static str,
    pub(crate) functions: &'static [Function],
}

/// A function of a module.
pub(crate) struct Function {
    /// `read_text(path: string) -> string`.
    pub(crate) signature: &'static str,
    /// One sentence or more on one line.
    pub(crate) doc: &'static str,
    pub(crate) body: Body,
}

pub(crate) type Body = fn(&Host, &NativeCallContext<'_>, &mut [&mut Dynamic]) -> CallResult;

/// What the functions of one importer's module act with.
pub(crate) struct Host {
    /// What the importer may do.
    pub(crate) access: Arc<Access>,
    /// How often it may call.
    rate: Arc<Rate>,
    pub(crate) output: Output,
    /// What the importer keeps.
    pub(crate) store: Store,
    /// When the module was loaded: the start of its monotonic clock.
    pub(crate) started: Instant,
    /// Made with the first request.
    #[cfg(feature = "http")]
    http: OnceLock<crate::http::Client>,
    #[cfg(feature = "regex")]
    pub(crate) patterns: crate::regex::Cache,
}

impl Host {
    fn of(request: &LoadRequest) -> Arc<Self> {
        let LoadRequest { access, rate, output, store, .. } = request.clone();
        Arc::new(Self {
            #[cfg(feature = "http")]
            http: OnceLock::new(),
            #[cfg(feature = "regex")]
            patterns: crate::regex::Cache::default(),
            access,
            rate,
            output,
            store,
            started: Instant::now(),
        })
    }

    #[cfg(feature = "http")]
    pub(crate) fn http(&self) -> &crate::http::Client {
        self.http.get_or_init(|| crate::http::Client::new(&self.access))
    }
}

impl StdModule {
    pub(crate) fn declared(&self) -> Result<Vec<Declared>, Error> {
        self.functions
            .iter()
            .map(|function| Ok(Declared::documented(function.parsed()?, function.doc)))
            .collect()
    }

    pub(crate) fn manifest(&self, kind: &str) -> Result<Manifest, Error> {
        let mut manifest = Manifest::new(self.name, version()?, kind);
        manifest.description = Some(self.description.to_owned());
        manifest.provides = vec!["function".to_owned()];
        manifest.functions = Some(self.declared()?);
        Ok(manifest)
    }

    pub(crate) fn bind(&self, request: &LoadRequest) -> Result<Bound, Error> {
        let host = Host::of(request);
        let mut binder = request.binder();
        for function in self.functions {
            let (body, host) = (function.body, host.clone());
            binder.function(function.parsed()?, move |context, args| {
                host.rate.take()?;
                observe::body(|| body(&host, context, args))
            })?;
        }
        Ok(binder.finish())
    }
}

/// The manifest of a module that this build leaves out.
pub(crate) fn absent(name: &str, kind: &str) -> Result<Manifest, Error> {
    let mut manifest = Manifest::new(name, version()?, kind);
    manifest.description = Some("not in this build".to_owned());
    Ok(manifest)
}

fn version() -> Result<Version, Error> {
    Version::parse(env!("CARGO_PKG_VERSION")).map_err(|error| Error::new(Code::Internal, error.to_string()))
}

impl Function {
    fn parsed(&self) -> Result<Signature, Error> {
        self.signature
            .parse()
            .map_err(|error| Error::new(Code::Internal, format!("`{}`: {error}", self.signature)))
    }
}

/// An argument that is declared as a string.
pub(crate) fn text(args: &[&mut Dynamic], index: usize) -> ImmutableString {
    args.get(index)
        .and_then(|arg| arg.read_lock::<ImmutableString>())
        .map(|text| text.clone())
        .unwrap_or_default()
}

/// An argument that is declared as a string and names something: a file, a variable. What is too long to be the name of
/// anything is refused before it is looked at.
pub(crate) fn name(args: &[&mut Dynamic], index: usize) -> Result<ImmutableString, Error> {
    let name = text(args, index);
    if name.len() <= MAX_NAME {
        return Ok(name);
    }
    let message = format!("has {} bytes; it may have {MAX_NAME}", name.len());
    Err(Error::new(Code::ValueRefused, message).about_argument(index))
}

/// An argument that is declared as an array of strings. Nobody has looked inside it yet.
pub(crate) fn texts(args: &[&mut Dynamic], index: usize) -> Result<Vec<ImmutableString>, Error> {
    let Some(items) = args.get(index).and_then(|arg| arg.read_lock::<Array>()) else { return Ok(Vec::new()) };
    let one = |(at, item): (usize, &Dynamic)| match item.read_lock::<ImmutableString>() {
        Some(text) => Ok(text.clone()),
        None => {
            let found = type_name(item);
            let message = format!("must be array<string>, found {found} at `[{at}]`");
            Err(Error::new(Code::ArgumentType, message).about_argument(index))
        }
    };
    items.iter().enumerate().map(one).collect()
}

/// An argument that is declared as a float.
pub(crate) fn float(args: &[&mut Dynamic], index: usize) -> f64 {
    args.get(index).and_then(|arg| arg.as_float().ok()).unwrap_or_default()
}

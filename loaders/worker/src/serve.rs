//! What a worker does: it confines itself, loads one plugin and calls its functions.

use crate::confine::{self, Confinement};
use crate::peer::{Callee, End, Failure, Peer, Side};
use crate::remote::{self, Remote};
use crate::wire::{
    Hello, Load, Malformed, Module, Purpose, Reader, Tag, VERSION, Writer, worker_channel, write_description,
    write_error, write_functions,
};
use caraway_loaders_core::bind::conform::to_value;
use caraway_loaders_core::bind::{Binder, Bound, CallError, CallResult};
use caraway_loaders_core::budget::Expiry;
use caraway_loaders_core::discover::{Origin, Plugin};
use caraway_loaders_core::event::Event;
use caraway_loaders_core::loader::{Imports, LoadRequest, Loader};
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_core::observe::Watch;
use caraway_loaders_core::output::{Output, Stream};
use caraway_loaders_core::rate::Rate;
use caraway_loaders_core::store::Store;
use caraway_loaders_core::{Code, Error, Signature, StandardPackage};
use parking_lot::Mutex;
use rhai::{Dynamic, NativeCallContext};
use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, OnceLock, Weak};

/// The stack that scripts may recurse on, in bytes, as far as the system lets the first thread's grow.
const STACK: u64 = 100 << 20;

/// Serves the host at the other end of `socket` until it is gone.
pub(crate) fn serve(socket: UnixStream, parent: u32, loaders: Vec<Arc<dyn Loader>>) -> ! {
    use std::os::fd::AsRawFd;

    let ready = confine::detach(&[socket.as_raw_fd()], parent).is_ok() && close_stdin().is_ok();
    if ready && let Ok(channel) = worker_channel(socket) {
        grow_stack();
        let peer = Peer::new(channel, Box::new(Worker));
        // Whatever ends this has been told to the host, or there is no host.
        let _ = work(&peer, &loaders);
    }
    std::process::exit(0)
}

/// What reads standard input finds its end.
fn close_stdin() -> std::io::Result<()> {
    let null = std::fs::File::open("/dev/null")?;
    Ok(rustix::stdio::dup2_stdin(null)?)
}

fn grow_stack() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { maximum, .. } = getrlimit(Resource::Stack);
    let current = maximum.map_or(STACK, |maximum| maximum.min(STACK));
    // What there is is enough for all but scripts that recurse.
    let _ = setrlimit(Resource::Stack, Rlimit { current: Some(current), maximum });
}

/// What a worker does for its host: nothing but calls.
struct Worker;

impl Side for Worker {
    fn obeys(&self) -> bool {
        true
    }

    fn look(&self) -> Result<(), Expiry> {
        Ok(())
    }

    fn import(&self, path: &str) -> Result<Arc<Bound>, Error> {
        Err(Error::new(Code::Internal, format!("a worker was asked for `{path}`")))
    }

    fn print(&self, _: Stream, _: &str) {}

    fn event(&self, _: &Event<'_>) {}
}

fn work(peer: &Arc<Peer>, loaders: &[Arc<dyn Loader>]) -> Result<(), Failure> {
    let message = peer.next()?;
    let mut reader = Reader::new(&message);
    if Tag::read(&mut reader)? != Tag::Hello {
        return Err(Malformed("a host says hello first").into());
    }
    let hello = Hello::read(&mut reader)?;
    peer.send(&Hello { version: VERSION, ..hello }.write())?;
    let message = peer.next()?;
    let mut reader = Reader::new(&message);
    if Tag::read(&mut reader)? != Tag::Load {
        return Err(Malformed("a host says what to load").into());
    }
    let load = Load::read(&mut reader)?;
    reader.end()?;
    let mut out = Tag::Loaded.message();
    let here = Path::new("");
    match load.purpose {
        Purpose::Load => {
            let loaded = loaded(peer, load, loaders);
            let described = loaded.map(|bound| peer.export(bound).1.describe());
            Module::write(&mut out, described.as_ref(), here);
            peer.send(&out)?;
            if described.is_err() {
                return Ok(());
            }
            let end = peer.serve_all();
            peer.clear();
            Err(end.into())
        }
        Purpose::Inspect => {
            let functions = confined(&load, loaders).and_then(|(plugin, loader)| loader.inspect(&plugin));
            write_outcome(&mut out, functions, |out, functions| write_functions(out, &functions));
            peer.send(&out)
        }
        Purpose::Describe => {
            let description = confined(&load, loaders).and_then(|(plugin, loader)| loader.describe(&plugin));
            write_outcome(&mut out, description, |out, description| {
                out.option(description.as_ref(), write_description);
            });
            peer.send(&out)
        }
    }
}

fn write_outcome<T>(out: &mut Writer, outcome: Result<T, Error>, write: impl FnOnce(&mut Writer, T)) {
    out.bool(outcome.is_ok());
    match outcome {
        Ok(value) => write(out, value),
        Err(error) => write_error(out, &error, Path::new("")),
    }
}

/// The plugin and its loader, in a process that is held to what the plugin may do.
fn confined(load: &Load, loaders: &[Arc<dyn Loader>]) -> Result<(Plugin, Arc<dyn Loader>), Error> {
    let unknown =
        || Error::new(Code::UnknownKind, format!("the worker knows no plugins of type `{}`", load.kind));
    let loader = loaders.iter().find(|loader| loader.kind() == load.kind).ok_or_else(unknown)?;
    Confinement::apply(&load.confinement)?;
    let manifest = match &load.manifest {
        Some(text) => Manifest::parse(&load.file, text.as_bytes())?,
        None => loader.adopt(&load.file).ok_or_else(unknown)?,
    };
    let mut plugin = Plugin::new(manifest, load.root.clone(), Origin::SearchPath(load.root.clone()));
    plugin.checksums = load.checksums.clone().map(Arc::new);
    Ok((plugin, loader.clone()))
}

fn loaded(peer: &Arc<Peer>, load: Load, loaders: &[Arc<dyn Loader>]) -> Result<Arc<Bound>, Error> {
    let (plugin, loader) = confined(&load, loaders)?;
    let config = to_value(&load.config)?;
    let standard = StandardPackage::default();
    let name = plugin.manifest.name.clone();
    let access = load.access.access(&name, &plugin.manifest.asks)?;
    let bound = loader.load(&LoadRequest {
        plugin: Arc::new(plugin),
        config,
        // Scripts ask modules of the host, and native code the kernel; components ask here.
        access: Arc::new(access),
        imports: Arc::new(HostImports { peer: Arc::downgrade(peer), loaded: Mutex::default() }),
        limits: load.limits,
        // The host counts the calls of its modules.
        rate: Arc::new(Rate::plugin(&name, None)),
        watch: Watch::default(),
        store: Store::default(),
        output: output(peer),
        standard,
    })?;
    Ok(Arc::new(bound))
}

/// Prints and tells where the host does.
fn output(peer: &Arc<Peer>) -> Output {
    let (printer, teller) = (Arc::downgrade(peer), Arc::downgrade(peer));
    Output::new(move |stream, line| {
        let mut out = Tag::Print.message();
        out.bool(stream == Stream::Stderr);
        out.text(line);
        tell(&printer, &out);
    })
    .on_event(move |event| {
        let mut out = Tag::Event.message();
        out.text(event.plugin);
        out.text(event.name);
        out.text(event.payload);
        tell(&teller, &out);
    })
}

fn tell(peer: &Weak<Peer>, message: &Writer) {
    if let Some(peer) = peer.upgrade() {
        // Without a host nobody is there to be told.
        let _ = peer.send(message);
    }
}

/// The host's plugins, as the worker's own may import them.
struct HostImports {
    peer: Weak<Peer>,
    loaded: Mutex<HashMap<String, Arc<OnceLock<Arc<Bound>>>>>,
}

impl Imports for HostImports {
    fn import(&self, path: &str) -> Result<Arc<Bound>, Error> {
        let slot = self.loaded.lock().entry(path.to_owned()).or_default().clone();
        if let Some(bound) = slot.get() {
            return Ok(bound.clone());
        }
        let imported = Arc::new(self.import_now(path)?);
        Ok(slot.get_or_init(|| imported).clone())
    }
}

impl HostImports {
    fn import_now(&self, path: &str) -> Result<Bound, Error> {
        let gone = || Error::new(Code::Internal, format!("the host is gone that `{path}` was imported from"));
        let peer = self.peer.upgrade().ok_or_else(gone)?;
        let mut out = Tag::Import.message();
        out.text(path);
        let answer = peer.request(&out, Tag::Imported).map_err(|_| gone())?;
        let read = || -> Result<_, Malformed> {
            let mut reader = Reader::new(&answer);
            Tag::read(&mut reader)?;
            let number = reader.u32()?;
            let module = Module::read(&mut reader)?;
            reader.end()?;
            Ok((number, module))
        };
        let (number, module) = read().map_err(|Malformed(what)| Error::new(Code::Internal, what))?;
        let module = module?;
        let mut binder = Binder::new(&module.name, &module.name);
        let remote: Arc<dyn Remote> = Arc::new(HostModule { peer: self.peer.clone(), number });
        let classes = remote::bind(&mut binder, module, &remote)?;
        classes.iter().for_each(|class| peer.tables.add_class(class));
        Ok(binder.finish())
    }
}

/// A module of the host's.
struct HostModule {
    peer: Weak<Peer>,
    number: u32,
}

impl Remote for HostModule {
    fn call(
        &self,
        function: u32,
        signature: &Signature,
        context: &NativeCallContext,
        args: &mut [&mut Dynamic],
    ) -> CallResult {
        let gone = || CallError::from(Error::new(Code::Internal, "the host is gone"));
        let peer = self.peer.upgrade().ok_or_else(gone)?;
        peer.call(Callee::Function(self.number, function), signature, context, args).map_err(|failure| {
            match failure {
                Failure::Call(error) => error,
                Failure::End(End::Stopped(expiry)) => expiry.into(),
                Failure::End(_) => gone(),
            }
        })
    }
}

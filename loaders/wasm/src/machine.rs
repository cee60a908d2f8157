//! What all components of one loader share.

use crate::artifact::Artifact;
use crate::cache::Cache;
use crate::clock::Clock;
#[cfg(feature = "compiler")]
use crate::compile::{Compiler, contained};
use crate::engine::Engine;
use crate::note::{Note, Notes};
use crate::seat::Taken;
use crate::wasi::{self, Guest};
use caraway_loaders_core::{Code, Error};
use std::sync::Arc;
use wasmtime::Config;
#[cfg(feature = "compiler")]
use wasmtime::Module;
#[cfg(feature = "compiler")]
use wasmtime::component::Component;
use wasmtime::component::Linker;

/// The stack that guest code has, in bytes. A script's own frames need the rest of the thread's.
pub(crate) const MAX_STACK: usize = 512 << 10;

/// wasmtime's engine, what components may import, and the clock that they look at.
pub(crate) struct Machine {
    engine: Engine,
    linker: Linker<Guest>,
    clock: Clock,
    cache: Option<Cache>,
    notes: Notes,
    #[cfg(feature = "http")]
    wire: Arc<wasi::Wire>,
    #[cfg(feature = "compiler")]
    pub(crate) components: Compiler<Component>,
    #[cfg(feature = "compiler")]
    pub(crate) modules: Compiler<Module>,
}

impl Machine {
    /// An engine with epochs on.
    pub(crate) fn new(cache: Option<Cache>, notes: Notes) -> Result<Self, Error> {
        let internal = |what: &str, error: &dyn std::fmt::Display| {
            Error::new(Code::Internal, format!("cannot {what}: {error}"))
        };
        let mut config = Config::new();
        config.concurrency_support(false).epoch_interruption(true).max_wasm_stack(MAX_STACK);
        // Traps are told without backtraces; what would be in them is a good part of what is compiled.
        config.generate_address_map(false);
        let engine = Engine::new(config).map_err(|e| internal("set up WebAssembly", &e))?;
        let linker = wasi::linker(&engine).map_err(|e| internal("set up WASI", &e))?;
        let clock = Clock::start(&engine).map_err(|e| internal("start a thread", &e))?;
        Ok(Self {
            engine,
            linker,
            clock,
            cache,
            notes,
            #[cfg(feature = "http")]
            wire: Arc::default(),
            #[cfg(feature = "compiler")]
            components: Default::default(),
            #[cfg(feature = "compiler")]
            modules: Default::default(),
        })
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn linker(&self) -> &Linker<Guest> {
        &self.linker
    }

    /// What requests over HTTP are made with.
    #[cfg(feature = "http")]
    pub(crate) fn wire(&self) -> &Arc<wasi::Wire> {
        &self.wire
    }

    /// The code of a plugin: from the cache, or compiled and kept there.
    ///
    /// # Errors
    ///
    /// [`Code::LoadFailed`] for what does not compile, and a limit of the calling thread that is used up while
    /// it does. Without a compiler, what is not in the cache is refused.
    pub(crate) fn artifact<A: Artifact>(&self, plugin: &str, bytes: Vec<u8>) -> Result<A, Error> {
        let hash = blake3::hash(&bytes);
        let folder = self.cache.as_ref().and_then(|cache| {
            cache.open().map_err(|problem| self.notes.tell(Note::CacheUnused { problem: &problem })).ok()
        });
        if let Some(artifact) = folder.as_ref().and_then(|folder| folder.load(&self.engine, &hash)) {
            return Ok(artifact);
        }
        #[cfg(feature = "compiler")]
        {
            let (engine, notes) = (self.engine.clone(), self.notes.clone());
            let compile = move || compile(&engine, &hash, &bytes, folder.as_ref(), &notes);
            A::compiler(self).compile(hash, compile, || self.notes.tell(Note::Compiling { plugin }))
        }
        #[cfg(not(feature = "compiler"))]
        {
            let hint = match self.cache {
                Some(_) => "load it once with a caraway that has the feature, and uses the same cache",
                None => "turn the feature on, or set a cache in which compiled components are",
            };
            Err(Error::new(
                Code::LoadFailed,
                format!(
                    "`{plugin}` is not compiled, and this build has no compiler for WebAssembly: it was made \
                     without the feature `wasm`"
                ),
            )
            .hint(hint))
        }
    }

    /// Keeps the clock going while this seat is taken.
    pub(crate) fn watch(&self, seat: &Arc<Taken>) {
        self.clock.watch(seat.clone());
    }

    /// To be called by who has just taken a seat that is watched.
    #[inline]
    pub(crate) fn wake(&self) {
        self.clock.wake();
    }
}

/// A module of the host's own making, for an engine of its own: from the cache, or compiled, here and now, and kept
/// there. If the cache cannot be used, it does without.
///
/// # Errors
///
/// [`Code::LoadFailed`] for what does not compile.
#[cfg(feature = "compiler")]
pub fn module(engine: &Engine, cache: Option<&Cache>, bytes: &[u8]) -> Result<Module, Error> {
    let hash = blake3::hash(bytes);
    let folder = cache.and_then(|cache| cache.open().ok());
    if let Some(module) = folder.as_ref().and_then(|folder| folder.load(engine, &hash)) {
        return Ok(module);
    }
    contained(|| compile(engine, &hash, bytes, folder.as_ref(), &Notes::default()))
}

#[cfg(feature = "compiler")]
fn compile<A: Artifact>(
    engine: &Engine,
    hash: &blake3::Hash,
    bytes: &[u8],
    folder: Option<&crate::cache::Folder>,
    notes: &Notes,
) -> Result<A, Error> {
    let artifact = A::compile(engine, bytes).map_err(|error| {
        Error::new(Code::LoadFailed, format!("the {} is broken: {}", A::WHAT, one_line(&error)))
            .hint("build it again, or get another copy")
    })?;
    if let Some(folder) = folder {
        let stored = artifact
            .serialize()
            .map_err(|error| one_line(&error))
            .and_then(|bytes| folder.store(engine, hash, &bytes).map_err(|error| error.to_string()));
        if let Err(problem) = stored {
            notes.tell(Note::CacheUnused { problem: &problem });
        }
    }
    Ok(artifact)
}

/// The cause of an error of wasmtime's, without line breaks.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    let text = error.root_cause().to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

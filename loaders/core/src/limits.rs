//! How much a script may use.

use crate::manifest::Security;
use rhai::Engine;
use std::time::Duration;

/// The limits of a program or of a plugin. Every one is set on every engine; `None` is no limit.
///
/// | limit | program | plugin | unit |
/// | --- | --- | --- | --- |
/// | `timeout` | none | 30 s | wall time of the outermost call |
/// | `cpu` | none | none | CPU time of the outermost call |
/// | `memory` | none | none | bytes, net, allocated since the outermost call began |
/// | `operations` | none | none | Rhai operations, per call |
/// | `call_depth` | 128 | 128 | nested script functions |
/// | `expression_depth` | 64 | 64 | nested expressions in the source |
/// | `string_size` | 256 MiB | 256 MiB | bytes |
/// | `array_size`, `map_size` | 16 Mi | 16 Mi | elements, nested ones counted |
/// | `variables` | 4096 | 4096 | in scope at once |
/// | `functions` | 4096 | 4096 | defined in one file |
/// | `modules` | 512 | 512 | import statements executed |
///
/// `memory` needs the counting allocator, see [`budget`](crate::budget).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Wall time of the outermost call.
    pub timeout: Option<Duration>,
    /// CPU time of the outermost call.
    pub cpu: Option<Duration>,
    /// Bytes allocated and not freed since the outermost call began.
    pub memory: Option<u64>,
    /// Rhai operations in one call.
    pub operations: Option<u64>,
    /// Nested calls of script functions.
    pub call_depth: usize,
    /// Nested expressions in source text.
    pub expression_depth: usize,
    /// Bytes of one string.
    pub string_size: usize,
    /// Elements of one array, nested ones counted.
    pub array_size: usize,
    /// Entries of one map, nested ones counted.
    pub map_size: usize,
    /// Variables in scope at once.
    pub variables: usize,
    /// Functions in one file.
    pub functions: usize,
    /// Import statements executed.
    pub modules: usize,
}

impl Limits {
    /// The default limits of a program.
    pub const PROGRAM: Limits = Limits {
        timeout: None,
        cpu: None,
        memory: None,
        operations: None,
        call_depth: 128,
        expression_depth: 64,
        string_size: 256 << 20,
        array_size: 16 << 20,
        map_size: 16 << 20,
        variables: 4096,
        functions: 4096,
        modules: 512,
    };

    /// The default limits of a plugin.
    pub const PLUGIN: Limits = Limits { timeout: Some(Duration::from_secs(30)), ..Limits::PROGRAM };

    /// These limits, with those that a manifest declares in their place.
    ///
    /// A manifest may only tighten what the host sets.
    #[must_use]
    pub fn declared(mut self, security: &Security) -> Self {
        self.timeout = tighter(self.timeout, security.timeout);
        self.cpu = tighter(self.cpu, security.max_cpu);
        self.memory = tighter(self.memory, security.max_memory);
        self
    }

    /// Sets the limits that Rhai itself keeps on an engine. Time and memory are [`budget`](crate::budget)'s.
    ///
    /// Under a memory limit, no single value may be larger than the limit: what one operation allocates
    /// before the counter is looked at again is bounded too.
    pub fn apply(&self, engine: &mut Engine) {
        let memory = self.memory.map_or(usize::MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        let elements = memory / size_of::<rhai::Dynamic>();
        engine
            .set_max_operations(self.operations.unwrap_or(0))
            .set_max_call_levels(self.call_depth)
            .set_max_expr_depths(self.expression_depth, self.expression_depth)
            .set_max_string_size(self.string_size.min(memory.max(1)))
            .set_max_array_size(self.array_size.min(elements.max(1)))
            .set_max_map_size(self.map_size.min(elements.max(1)))
            .set_max_variables(self.variables)
            .set_max_functions(self.functions)
            .set_max_modules(self.modules);
    }
}

fn tighter<T: Ord>(host: Option<T>, declared: Option<T>) -> Option<T> {
    match (host, declared) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

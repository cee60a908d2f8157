//! How much a script may use.

use crate::budget::memory_is_counted;
use crate::manifest::Security;
use rhai::Engine;
use std::time::Duration;

/// Limits of single values where memory is not counted.
const STRING_SIZE: usize = 256 << 20;
const ELEMENTS: usize = 16 << 20;

/// The limits of a program or of a plugin. Every one is set on every engine; `None` is no limit.
///
/// | limit | program | plugin | unit |
/// | --- | --- | --- | --- |
/// | `timeout` | none | 30 s | wall time of the outermost call |
/// | `cpu` | none | none | CPU time of the outermost call |
/// | `memory` | 1 GiB | 512 MiB | bytes, net, allocated since the outermost call began |
/// | `operations` | none | none | Rhai operations, per call |
/// | `call_depth` | 128 | 128 | nested script functions |
/// | `expression_depth` | 64 | 64 | nested expressions in the source |
/// | `string_size` | none | none | bytes of one string |
/// | `array_size`, `map_size` | none | none | elements of one value, nested ones counted |
/// | `variables` | 4096 | 4096 | in scope at once |
/// | `functions` | 4096 | 4096 | defined in one file |
/// | `modules` | 512 | 512 | import statements executed |
/// | `std_calls` | none | none | calls of `std/...` in a second, all threads together |
///
/// `memory` needs the counting allocator, see [`budget`](crate::budget). Where it is not installed, the sizes
/// of single values are limited instead, to 256 MiB and 16 Mi elements. That is a poor substitute: many values
/// go past it, and Rhai counts the elements of an array at each use of it, which makes `a.len()` and
/// `a.push(x)` take time in proportion to the array (measured: 16 us instead of 0.2 at 30,000 elements). So
/// sizes are not limited by default where memory is.
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
    pub string_size: Option<usize>,
    /// Elements of one array, nested ones counted.
    pub array_size: Option<usize>,
    /// Entries of one map, nested ones counted.
    pub map_size: Option<usize>,
    /// Variables in scope at once.
    pub variables: usize,
    /// Functions in one file.
    pub functions: usize,
    /// Import statements executed.
    pub modules: usize,
    /// Calls of `std/...` in a second, see [`Rate`](crate::rate::Rate).
    pub std_calls: Option<u32>,
}

impl Limits {
    /// The default limits of a program.
    pub const PROGRAM: Limits = Limits {
        timeout: None,
        cpu: None,
        memory: Some(1 << 30),
        operations: None,
        call_depth: 128,
        expression_depth: 64,
        string_size: None,
        array_size: None,
        map_size: None,
        variables: 4096,
        functions: 4096,
        modules: 512,
        std_calls: None,
    };

    /// The default limits of a plugin.
    pub const PLUGIN: Limits =
        Limits { timeout: Some(Duration::from_secs(30)), memory: Some(512 << 20), ..Limits::PROGRAM };

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

    /// The tighter of both, limit by limit.
    #[must_use]
    pub fn tightest(self, other: Self) -> Self {
        Self {
            timeout: tighter(self.timeout, other.timeout),
            cpu: tighter(self.cpu, other.cpu),
            memory: tighter(self.memory, other.memory),
            operations: tighter(self.operations, other.operations),
            call_depth: self.call_depth.min(other.call_depth),
            expression_depth: self.expression_depth.min(other.expression_depth),
            string_size: tighter(self.string_size, other.string_size),
            array_size: tighter(self.array_size, other.array_size),
            map_size: tighter(self.map_size, other.map_size),
            variables: self.variables.min(other.variables),
            functions: self.functions.min(other.functions),
            modules: self.modules.min(other.modules),
            std_calls: tighter(self.std_calls, other.std_calls),
        }
    }

    /// Whether the memory limit is one that holds in this process.
    pub fn memory_holds(&self) -> bool {
        self.memory.is_some() && memory_is_counted()
    }

    /// How many elements one array, or one buffer, can have; 0 for no limit of its own.
    pub fn max_array_size(&self) -> usize {
        self.size(self.array_size, ELEMENTS)
    }

    /// A limit of single values, which is needed where memory is not counted.
    fn size(&self, given: Option<usize>, substitute: usize) -> usize {
        given.unwrap_or(if self.memory_holds() { 0 } else { substitute })
    }

    /// Sets the limits that Rhai itself keeps on an engine. Time and memory are [`budget`](crate::budget)'s.
    pub fn apply(&self, engine: &mut Engine) {
        engine
            .set_max_operations(self.operations.unwrap_or(0))
            .set_max_call_levels(self.call_depth)
            .set_max_expr_depths(self.expression_depth, self.expression_depth)
            .set_max_string_size(self.size(self.string_size, STRING_SIZE))
            .set_max_array_size(self.max_array_size())
            .set_max_map_size(self.size(self.map_size, ELEMENTS))
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

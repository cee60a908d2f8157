//! Calls on a time line, in the JSON form of the Trace Event Format, which Perfetto opens.

use caraway_loaders_core::observe::Call;
use serde_json::json;
use std::collections::HashMap;
use std::io::{self, Write};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// How many calls are kept: about 40 MB of memory, and 100 MB in the file.
const MAX_EVENTS: usize = 1_000_000;

/// The calls so far.
#[derive(Debug, Default)]
pub(super) struct Trace {
    events: Vec<Event>,
    /// Names, each once.
    names: Vec<String>,
    known: HashMap<String, HashMap<String, usize>>,
    threads: Vec<ThreadId>,
    lost: u64,
}

#[derive(Debug)]
struct Event {
    name: usize,
    thread: usize,
    failed: bool,
    start: Duration,
    total: Duration,
}

impl Trace {
    pub(super) fn add(&mut self, call: &Call<'_>, begun: Instant) {
        if self.events.len() >= MAX_EVENTS {
            self.lost += 1;
            return;
        }
        let name = self.name(call.plugin, call.function);
        let id = thread::current().id();
        let thread = self.threads.iter().position(|known| *known == id).unwrap_or_else(|| {
            self.threads.push(id);
            self.threads.len() - 1
        });
        let start = call.start.saturating_duration_since(begun);
        self.events.push(Event { name, thread, failed: call.failed, start, total: call.total });
    }

    /// How many calls found no room.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    fn name(&mut self, plugin: &str, function: &str) -> usize {
        if let Some(name) = self.known.get(plugin).and_then(|functions| functions.get(function)) {
            return *name;
        }
        self.names.push(format!("{plugin}::{function}"));
        let name = self.names.len() - 1;
        self.known.entry(plugin.to_owned()).or_default().insert(function.to_owned(), name);
        name
    }

    /// Writes all of it; times are in microseconds since the program began.
    pub(super) fn write(&self, file: &mut impl Write) -> io::Result<()> {
        write!(file, "{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
        for (index, event) in self.events.iter().enumerate() {
            let Event { name, thread, failed, start, total } = event;
            let comma = if index == 0 { "" } else { "," };
            let micro = |duration: &Duration| duration.as_nanos() as f64 / 1e3;
            let line = json!({
                "name": self.names.get(*name),
                "cat": "plugin",
                "ph": "X",
                "ts": micro(start),
                "dur": micro(total),
                "pid": 1,
                "tid": thread + 1,
                "args": {"failed": failed},
            });
            write!(file, "{comma}\n{line}")?;
        }
        writeln!(file, "\n]}}")
    }
}

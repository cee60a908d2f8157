//! `run --profile`: how often functions of plugins are called and how long that takes.

mod trace;

use super::{Context, table, terminal};
use crate::count::counted;
use crate::diagnostic::SCHEMA_VERSION;
use caraway_loaders_core::Error;
use caraway_loaders_core::observe::{Call, Observer};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use trace::Trace;

const HEADER: [&str; 8] = ["FUNCTION", "CALLS", "FAILED", "TOTAL", "SELF", "P50", "P99", "BOUNDARY"];

/// Two digits of each time are kept: enough for people, and a few KiB for a function.
const DIGITS: u8 = 2;

/// What is known of calls so far.
pub(super) struct Profile {
    begun: Instant,
    trace_file: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    functions: BTreeMap<String, BTreeMap<String, Function>>,
    trace: Option<Trace>,
}

/// The calls of one function.
struct Function {
    calls: u64,
    failed: u64,
    total: Duration,
    /// Without calls of other functions of plugins.
    own: Duration,
    boundary: Duration,
    times: Times,
}

/// How long each call took.
struct Times {
    /// In nanoseconds.
    histogram: Option<Histogram<u64>>,
    longest: Duration,
}

impl Profile {
    /// A profile, which writes a trace to a file in the end if there is one.
    pub(super) fn new(trace_file: Option<PathBuf>) -> Arc<Self> {
        let state = State { trace: trace_file.is_some().then(Trace::default), ..State::default() };
        Arc::new(Self { begun: Instant::now(), trace_file, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints the table to standard error, where it cannot be taken for the program's own output, and writes the trace.
    ///
    /// # Errors
    ///
    /// [`Code::Io`](caraway_loaders_core::Code::Io) if the trace cannot be written.
    pub(super) fn finish(&self, context: &Context, with_table: bool) -> Result<(), Error> {
        let ran = self.begun.elapsed();
        let state = self.state();
        if with_table {
            let text = match context.options.json() {
                true => {
                    format!("{}\n", json!({"schema_version": SCHEMA_VERSION, "profile": state.json(ran)}))
                }
                false => state.text(ran),
            };
            // A closed stream: nobody is there to be told.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
        }
        match (&self.trace_file, &state.trace) {
            (Some(file), Some(trace)) => write(trace, file),
            _ => Ok(()),
        }
    }
}

fn write(trace: &Trace, file: &Path) -> Result<(), Error> {
    std::fs::File::create(file)
        .map(std::io::BufWriter::new)
        .and_then(|mut writer| {
            trace.write(&mut writer)?;
            std::io::Write::flush(&mut writer)
        })
        .map_err(|error| Error::io(file, "write", &error))
}

impl Observer for Profile {
    fn called(&self, call: &Call<'_>) {
        let mut state = self.state();
        if let Some(trace) = &mut state.trace {
            trace.add(call, self.begun);
        }
        let functions = match state.functions.get_mut(call.plugin) {
            Some(functions) => functions,
            None => state.functions.entry(call.plugin.to_owned()).or_default(),
        };
        let function = match functions.get_mut(call.function) {
            Some(function) => function,
            None => functions.entry(call.function.to_owned()).or_insert_with(Function::new),
        };
        function.add(call);
    }
}

impl Function {
    fn new() -> Self {
        Self {
            calls: 0,
            failed: 0,
            total: Duration::ZERO,
            own: Duration::ZERO,
            boundary: Duration::ZERO,
            times: Times::new(),
        }
    }

    fn add(&mut self, call: &Call<'_>) {
        self.calls += 1;
        self.failed += u64::from(call.failed);
        self.total += call.total;
        self.own += call.total.saturating_sub(call.inner);
        self.boundary += call.boundary();
        self.times.record(call.total);
    }

    /// What of its own time was spent on the way in and out, in percent.
    fn boundary_share(&self) -> f64 {
        if self.own.is_zero() { 0.0 } else { 100.0 * self.boundary.as_secs_f64() / self.own.as_secs_f64() }
    }
}

impl Times {
    fn new() -> Self {
        Self { histogram: Histogram::new(DIGITS).ok(), longest: Duration::ZERO }
    }

    fn record(&mut self, time: Duration) {
        self.longest = self.longest.max(time);
        if let Some(histogram) = &mut self.histogram {
            // It grows as it must.
            let _ = histogram.record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        }
    }

    /// The time that so many of the calls did not exceed. The histogram knows it to two digits, rounded up.
    fn quantile(&self, quantile: f64) -> Duration {
        let histogram = self.histogram.as_ref();
        let time = Duration::from_nanos(histogram.map_or(0, |times| times.value_at_quantile(quantile)));
        time.min(self.longest)
    }
}

impl State {
    /// All functions, those that took most of the time first.
    fn sorted(&self) -> Vec<(String, &Function)> {
        let functions = self.functions.iter().flat_map(|(plugin, functions)| {
            functions.iter().map(move |(name, function)| (format!("{plugin}::{name}"), function))
        });
        let mut functions: Vec<_> = functions.collect();
        functions.sort_by_key(|(_, function)| std::cmp::Reverse(function.own));
        functions
    }

    fn text(&self, ran: Duration) -> String {
        let functions = self.sorted();
        let calls: u64 = functions.iter().map(|(_, function)| function.calls).sum();
        let own: Duration = functions.iter().map(|(_, function)| function.own).sum();
        let calls = counted(usize::try_from(calls).unwrap_or(usize::MAX), "call");
        let mut text = format!("{calls} into plugins took {} of {}\n", shown(own), shown(ran));
        if !functions.is_empty() {
            let row = |(name, function): &(String, &Function)| {
                vec![
                    name.clone(),
                    function.calls.to_string(),
                    function.failed.to_string(),
                    shown(function.total),
                    shown(function.own),
                    shown(function.times.quantile(0.5)),
                    shown(function.times.quantile(0.99)),
                    format!("{:.0}%", function.boundary_share()),
                ]
            };
            let rows: Vec<Vec<String>> = functions.iter().map(row).collect();
            text.push_str(&table::render(&HEADER, &rows, terminal::width(&std::io::stderr())));
        }
        if let Some(lost) = self.trace.as_ref().map(Trace::lost).filter(|lost| *lost > 0) {
            let lost = counted(usize::try_from(lost).unwrap_or(usize::MAX), "call");
            text.push_str(&format!("the trace has no more room: it lacks {lost}\n"));
        }
        text
    }

    fn json(&self, ran: Duration) -> Value {
        let function = |(name, function): (String, &Function)| {
            let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
            json!({
                "function": name,
                "calls": function.calls,
                "failed": function.failed,
                "total_ns": nanoseconds(function.total),
                "self_ns": nanoseconds(function.own),
                "boundary_ns": nanoseconds(function.boundary),
                "p50_ns": nanoseconds(function.times.quantile(0.5)),
                "p99_ns": nanoseconds(function.times.quantile(0.99)),
            })
        };
        json!({
            "ran_ns": u64::try_from(ran.as_nanos()).unwrap_or(u64::MAX),
            "functions": self.sorted().into_iter().map(function).collect::<Vec<_>>(),
        })
    }
}

/// `812 ns`, `1.25 us`, `3.10 ms`, `2.00 s`.
fn shown(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos();
    match nanoseconds {
        0..1_000 => format!("{nanoseconds} ns"),
        1_000..1_000_000 => format!("{:.2} us", nanoseconds as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2} ms", nanoseconds as f64 / 1e6),
        _ => format!("{:.2} s", duration.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_took_longer_than_the_longest() {
        let mut times = Times::new();
        for nanoseconds in [1_000_003, 1_000_001, 1_000_007] {
            times.record(Duration::from_nanos(nanoseconds));
        }
        let longest = Duration::from_nanos(1_000_007);
        assert_eq!((times.quantile(0.5), times.quantile(0.99)), (longest, longest));
    }

    #[test]
    fn durations_are_short() {
        for (nanoseconds, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_250, "1.25 us"),
            (3_100_000, "3.10 ms"),
            (2_000_000_000, "2.00 s"),
        ] {
            assert_eq!(shown(Duration::from_nanos(nanoseconds)), text);
        }
    }
}

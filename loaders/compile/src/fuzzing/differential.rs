//! Both sides of each call.

use super::arguments::Arguments;
use super::choices::{Choices, Random};
use super::difference::Difference;
use super::outcome::Outcome;
use super::outline::Function;
use super::program::{DEPTHS, Program};
use super::tally::Tally;
use super::walker::Walker;
use caraway_loaders_core::budget::Meter;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::{Signature, StandardPackage};
use caraway_loaders_script::{Compiled, Compiler, Script};
use rhai::{AST, Dynamic};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes of a random program: more than most of them use.
const PROGRAM_BYTES: usize = 6_000;

/// Bytes of one list of arguments.
pub(crate) const ARGUMENT_BYTES: usize = 80;

/// How long a compiled call may take when the walked one has come to its end.
const TOO_LONG: Duration = Duration::from_secs(20);

/// How long a smaller program with a difference is looked for.
const LONGEST_SEARCH: Duration = Duration::from_secs(20);

/// Compares a compiler with Rhai.
pub struct Differential {
    compiler: Arc<dyn Compiler>,
    walkers: Vec<Walker>,
    /// How often each function is called.
    calls: usize,
    /// What the calls of all programs came to.
    pub tally: Tally,
}

impl Differential {
    /// Each function of a program will be called so many times.
    pub fn new(compiler: Arc<dyn Compiler>, calls: usize) -> Self {
        let standard = StandardPackage::default();
        let walkers = DEPTHS.iter().map(|depth| Walker::new(*depth, &standard)).collect();
        Self { compiler, walkers, calls, tally: Tally::default() }
    }

    /// Compares the calls of the program of a seed; a difference is made as small as can be.
    pub fn check_seed(&mut self, seed: u64) -> Option<Difference> {
        let bytes = Random::new(seed).bytes(PROGRAM_BYTES);
        let difference = self.check(&bytes)?;
        Some(self.smallest(bytes, difference))
    }

    /// Compares the calls of the program of these bytes, up to the first difference.
    pub fn check(&mut self, bytes: &[u8]) -> Option<Difference> {
        let program = Program::new(bytes);
        let mut random = Random::of(bytes);
        let signatures: Vec<Signature> = program.functions.iter().map(Function::signature).collect();
        let calls = self.calls;
        let difference = self.compare(&program.text, &signatures, program.depth, |function, call| {
            let Function { params, counts_down, .. } = &program.functions[function];
            let count = if params.is_empty() { 1 } else { calls };
            let bytes = random.bytes(ARGUMENT_BYTES);
            (call < count).then(|| Arguments::random(&mut Choices::new(&bytes), params, *counts_down))
        });
        self.tally.differences += u64::from(difference.is_some());
        difference
    }

    /// The script that a seed stands for, and what is not compiled of it.
    pub fn shown(&self, seed: u64) -> String {
        let program = Program::new(&Random::new(seed).bytes(PROGRAM_BYTES));
        let walker = &self.walkers[program.depth];
        let mut shown: String = program
            .text
            .lines()
            .enumerate()
            .map(|(index, line)| format!("{:4} {line}\n", index + 1))
            .collect();
        let signatures: Vec<Signature> = program.functions.iter().map(Function::signature).collect();
        match walker.parse(&program.text) {
            Ok(ast) => {
                let script = Script { ast: &ast, limits: walker.limits(), import: &|_| None };
                for (signature, obstacle) in
                    signatures.iter().zip(self.compiler.obstacles(&script, &signatures))
                {
                    let why = obstacle.map(|obstacle| format!(": {obstacle}, {}", obstacle.position));
                    shown += &format!("{signature}{}\n", why.unwrap_or_default());
                }
            }
            Err(why) => shown += &why,
        }
        shown
    }

    /// Tries with less of the bytes, for as long as some difference is left.
    fn smallest(&mut self, mut bytes: Vec<u8>, mut difference: Difference) -> Difference {
        let (tally, start) = (self.tally.clone(), Instant::now());
        let mut size = bytes.len() / 2;
        while size > 0 && start.elapsed() < LONGEST_SEARCH {
            let mut at = 0;
            while at < bytes.len() {
                let end = (at + size).min(bytes.len());
                let without = [&bytes[..at], &bytes[end..]].concat();
                let mut zeroed = bytes.clone();
                zeroed[at..end].fill(0);
                let fewer = [without, zeroed].into_iter().filter(|fewer| *fewer != bytes).find_map(|fewer| {
                    let found = self.check(&fewer)?;
                    (found.text.len() <= difference.text.len()).then_some((fewer, found))
                });
                match fewer {
                    Some((fewer, found)) => (bytes, difference) = (fewer, found),
                    None => at = end,
                }
                if end >= bytes.len() || start.elapsed() > LONGEST_SEARCH {
                    break;
                }
            }
            size /= 2;
        }
        self.tally = tally;
        difference
    }

    /// Compares calls of these functions, each with the arguments that `choose` gives for its calls until there are none.
    pub(crate) fn compare(
        &mut self,
        text: &str,
        functions: &[Signature],
        depth: usize,
        mut choose: impl FnMut(usize, usize) -> Option<Arguments>,
    ) -> Option<Difference> {
        let walker = &self.walkers[depth];
        self.tally.programs += 1;
        self.tally.functions += functions.len() as u64;
        let parsed = walker.parse(text).and_then(|ast| Ok((walker.start(&ast)?, ast)));
        let (mut walked, ast) = match parsed {
            Ok(parsed) => parsed,
            Err(why) => {
                self.tally.unparsed(&why);
                return None;
            }
        };
        let difference = |function: usize, args, walked, compiled| Difference {
            text: text.to_owned(),
            signature: functions[function].to_string(),
            depth: DEPTHS[depth],
            args,
            walked,
            compiled,
        };
        let compiled = match compile(&*self.compiler, &ast, walker.limits(), functions) {
            Ok(compiled) => compiled,
            Err(why) => return Some(difference(0, String::new(), None, Err(why))),
        };
        for (index, (signature, compiled)) in functions.iter().zip(compiled).enumerate() {
            let compiled = match compiled {
                Ok(compiled) => compiled,
                Err(why) => {
                    self.tally.refusal(&why);
                    continue;
                }
            };
            self.tally.compiled += 1;
            for args in (0..).map_while(|call| choose(index, call)) {
                let Some(outcome) = walked.call(signature, args.values()) else {
                    self.tally.given_up += 1;
                    // Most of its other calls take as long.
                    break;
                };
                self.tally.calls += 1;
                if let Err(error) = &outcome.result {
                    self.tally.error(error);
                }
                let ran = run(&*compiled, args.values());
                if ran.as_ref() != Ok(&outcome) {
                    return Some(difference(index, args.shown, Some(outcome), ran));
                }
            }
        }
        None
    }
}

type Attempt = Result<Arc<dyn Compiled>, String>;

fn compile(
    compiler: &dyn Compiler,
    ast: &AST,
    limits: Limits,
    functions: &[Signature],
) -> Result<Vec<Attempt>, String> {
    let script = Script { ast, limits, import: &|_| None };
    let compile = || compiler.compile(&script, functions);
    let outcomes = catch_unwind(AssertUnwindSafe(compile)).map_err(|_| "the compiler panics".to_owned())?;
    if outcomes.len() != functions.len() {
        return Err(format!("{} outcomes for {} functions", outcomes.len(), functions.len()));
    }
    Ok(outcomes.into_iter().map(|outcome| outcome.map_err(|obstacle| obstacle.what)).collect())
}

/// Calls a compiled function.
fn run(compiled: &dyn Compiled, args: Vec<Dynamic>) -> Result<Outcome, String> {
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(TOO_LONG);
    let meter = Meter::plugin("fuzzed", &limits);
    let _frame = meter.enter().map_err(|error| error.to_string())?;
    let mut values = args.clone();
    let mut values: Vec<&mut Dynamic> = values.iter_mut().collect();
    let result = catch_unwind(AssertUnwindSafe(|| compiled.call(&mut values, 2)));
    let result = result.map_err(|_| "it panics".to_owned())?;
    let result = result.ok_or("it does not take the arguments")?;
    Ok(Outcome::new(result, &args))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing::pretender::Pretender;

    const PROGRAMS: u64 = 40;

    #[test]
    fn what_is_the_same_does_not_differ() {
        let mut differential = Differential::new(Arc::new(Pretender(|result| result)), 4);
        for seed in 0..PROGRAMS {
            let difference = differential.check_seed(seed);
            assert!(difference.is_none(), "{}", difference.unwrap());
        }
        let tally = &differential.tally;
        assert!(tally.unparsed.is_empty(), "{tally}");
        assert!(tally.calls > PROGRAMS * 4 && tally.failed() > PROGRAMS / 4, "{tally}");
    }

    #[test]
    fn what_differs_is_found_and_made_small() {
        let off_by_one: fn(_) -> _ = |result: Result<Dynamic, _>| {
            result.map(|value| match value.as_int() {
                Ok(int) if int > 1000 => Dynamic::from_int(int ^ 1),
                _ => value,
            })
        };
        let silent: fn(_) -> _ = |result: Result<Dynamic, _>| Ok(result.unwrap_or(Dynamic::UNIT));
        for change in [off_by_one, silent] {
            let mut differential = Differential::new(Arc::new(Pretender(change)), 4);
            let found = (0..PROGRAMS).find_map(|seed| differential.check_seed(seed)).unwrap();
            assert!(found.text.lines().count() < 30, "{found}");
            assert_eq!(differential.tally.differences, 1);
            assert_ne!(Ok(found.walked.unwrap()), found.compiled);
        }
    }
}

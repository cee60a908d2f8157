//! The checks.

use super::calls::{Answer, Calls, Tell, called, code, fault, shortened};
use super::promise::Promise;
use super::scorecard::{Check, Scorecard, Verdict};
use super::values::{extreme, wrong};
use crate::home::exactly;
use crate::runtime::Runtime;
use crate::session::Session;
use crate::test::{Stopped, shown};
use caraway_loaders_core::bind::conform::{Functions, conform};
use caraway_loaders_core::bind::{MAX_PARAMS, callable};
use caraway_loaders_core::capability::Request;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::manifest::Function;
use caraway_loaders_core::output::Output;
use caraway_loaders_core::{Code, Error, Signature, Type};
use rhai::Dynamic;
use std::path::Path;
use std::sync::Arc;

/// How many reasons of one check are told.
const MAX_REASONS: usize = 10;

/// How many threads call at a time, and how often each.
const THREADS: usize = 4;
const ROUNDS: usize = 4;

/// What was found so far.
#[derive(Default)]
struct Card {
    verdicts: Vec<(Promise, Verdict)>,
}

impl Card {
    fn found(&mut self, promise: Promise, mut reasons: Vec<String>) {
        if reasons.len() > MAX_REASONS {
            let more = reasons.len() - MAX_REASONS;
            reasons.truncate(MAX_REASONS);
            reasons.push(format!("and {more} more"));
        }
        let verdict = if reasons.is_empty() { Verdict::Passed } else { Verdict::Failed(reasons) };
        self.verdicts.push((promise, verdict));
    }

    /// What is needed for a check; without it, the check fails.
    fn needs<T>(&mut self, promise: Promise, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.found(promise, told(&error))).ok()
    }

    /// The checks that were not made cannot be made.
    fn skip_rest(&mut self, reason: &str) {
        for promise in Promise::ALL {
            if self.verdicts.iter().all(|(made, _)| *made != promise) {
                self.verdicts.push((promise, Verdict::Skipped(reason.to_owned())));
            }
        }
    }

    fn of(self, plugin: &Plugin, calls: usize) -> Scorecard {
        let mut verdicts = self.verdicts;
        verdicts.sort_by_key(|(promise, _)| Promise::ALL.iter().position(|other| other == promise));
        let check = |(promise, verdict): (Promise, Verdict)| Check {
            name: promise.name().to_owned(),
            promise: promise.text().to_owned(),
            verdict,
        };
        Scorecard {
            name: plugin.manifest.name.clone(),
            version: plugin.manifest.version.to_string(),
            kind: plugin.manifest.kind.clone(),
            calls,
            checks: verdicts.into_iter().map(check).collect(),
        }
    }
}

/// Checks a plugin.
pub(super) fn all(runtime: &Runtime, plugin: &Arc<Plugin>, tell: Tell) -> Scorecard {
    let mut card = Card::default();
    // What a plugin prints is nobody's business here.
    let runtime = runtime.with(|settings| settings.output = Output::new(|_, _| {}));
    let calls = make(&mut card, &runtime, plugin, tell).unwrap_or(0);
    card.skip_rest("what it needs failed");
    card.of(plugin, calls)
}

/// The scorecard of a plugin that ended the process which checked it, in the check of this name, after so many steps.
#[cfg(feature = "cli")]
pub(crate) fn ended_by(plugin: &Plugin, check: &str, calls: usize, how: String) -> Scorecard {
    let mut card = Card::default();
    let promise = Promise::ALL.into_iter().find(|promise| promise.name() == check);
    card.found(promise.unwrap_or(Promise::Manifest), vec![how]);
    card.skip_rest("the process ended");
    card.of(plugin, calls)
}

/// Makes the checks, as far as they can be made; gives the number of calls, if any could be made.
fn make(card: &mut Card, runtime: &Runtime, plugin: &Arc<Plugin>, tell: Tell) -> Option<usize> {
    let folder = runtime.settings().folder.clone();
    let session = card.needs(Promise::Manifest, runtime.session_in(&folder))?;
    let loader = card.needs(Promise::Manifest, session.loader(plugin))?;
    let manifest = &plugin.manifest;
    let mut problems: Vec<String> = loader.validate(manifest).iter().flat_map(told).collect();
    if let Some(needed) = manifest.unmet_host(&runtime.settings().version) {
        problems.push(format!("it needs caraway {needed}"));
    }
    card.found(Promise::Manifest, problems);

    let files = card.needs(Promise::Files, loader.files(plugin))?;
    let missing = files.iter().filter(|file| file.is_for_this_host());
    let missing: Vec<String> =
        missing.filter_map(|file| plugin.file(&file.path).err()).flat_map(|error| told(&error)).collect();
    let complete = missing.is_empty();
    card.found(Promise::Files, missing);
    if !complete {
        return None;
    }

    if loader.trusted(manifest)
        && let Err(refusal) = session.plugin_access(plugin).check(&Request::Native)
    {
        let name = &manifest.name;
        let hint = refusal.hint_text().unwrap_or("native code is trusted, or it is not loaded");
        card.skip_rest(&format!("`{name}` is native code ({hint})"));
        return None;
    }
    tell(Promise::Code.name(), "opening it");
    let offered = card.needs(Promise::Code, loader.inspect(plugin))?;
    card.found(Promise::Code, Vec::new());
    let uncallable = offered.iter().filter_map(|function| callable(&function.signature).err());
    card.found(Promise::Names, uncallable.flat_map(|error| told(&error)).collect());

    let import = exactly(plugin);
    // A built-in has the version of the host, and needs no requirement.
    let import = if plugin.root.as_os_str().is_empty() { manifest.name.clone() } else { import };
    let calls = match Calls::load(session, &import, &folder, Promise::Load, tell.clone()) {
        Ok(calls) => calls,
        Err(Stopped::Failed(error)) if error.code() == Code::Denied => {
            let hint = error.hint_text().map(|hint| format!(" ({hint})")).unwrap_or_default();
            card.skip_rest(&format!("{}{hint}", error.message()));
            return None;
        }
        Err(Stopped::Failed(error) | Stopped::TimedOut(error)) => {
            return card.needs(Promise::Load, Err(error));
        }
        Err(Stopped::Stuck) => {
            let error = Error::new(Code::Deadline, "loading it does not end");
            return card.needs(Promise::Load, Err(error));
        }
    };
    card.found(Promise::Load, Vec::new());
    card.found(Promise::Exports, exports(&offered, &calls.bound.signatures));
    let again = load_again(runtime, &calls, &import, &folder, tell);
    let again = card.needs(Promise::LoadAgain, again)?;
    card.found(Promise::LoadAgain, again);
    call_all(card, &calls);
    Some(calls.count())
}

/// What is loaded and not offered, or the other way round.
fn exports(offered: &[Function], loaded: &[Arc<Signature>]) -> Vec<String> {
    let offers = |signature: &Signature| offered.iter().any(|function| function.signature.matches(signature));
    let loads = |signature: &Signature| loaded.iter().any(|other| other.matches(signature));
    let missing = offered.iter().filter(|function| !loads(&function.signature));
    let missing = missing.map(|function| format!("`{function}` is offered and not loaded"));
    let more = loaded.iter().filter(|signature| !offers(signature));
    missing.chain(more.map(|signature| format!("`{signature}` is loaded and not offered"))).collect()
}

fn load_again(
    runtime: &Runtime,
    first: &Calls,
    import: &str,
    folder: &Path,
    tell: Tell,
) -> Result<Vec<String>, Error> {
    let session: Arc<Session> = runtime.session_in(folder)?;
    let second = match Calls::load(session, import, folder, Promise::LoadAgain, tell) {
        Ok(second) => second,
        Err(Stopped::Failed(error) | Stopped::TimedOut(error)) => return Ok(told(&error)),
        Err(Stopped::Stuck) => return Ok(vec!["loading it again does not end".to_owned()]),
    };
    let mut reasons = Vec::new();
    if Arc::ptr_eq(&first.bound.module, &second.bound.module) {
        reasons.push("both loads are one".to_owned());
    }
    if first.bound.signatures.len() != second.bound.signatures.len() {
        reasons.push("both loads have different functions".to_owned());
    }
    let Some(signature) = first.bound.signatures.iter().find(|signature| signature.params.is_empty()) else {
        return Ok(reasons);
    };
    first.begin(Promise::LoadAgain);
    for calls in [&second, first] {
        reasons.extend(
            fault(&calls.call(signature, Vec::new())).map(|fault| format!("`{}` {fault}", signature.name)),
        );
    }
    Ok(reasons)
}

/// The checks that call functions.
fn call_all(card: &mut Card, calls: &Calls) {
    let signatures = calls.bound.signatures.clone();
    if signatures.is_empty() {
        return card.skip_rest("it has no functions");
    }
    calls.begin(Promise::Arity);
    card.found(Promise::Arity, signatures.iter().flat_map(|signature| arity(calls, signature)).collect());
    calls.begin(Promise::Types);
    card.found(Promise::Types, signatures.iter().flat_map(|signature| types(calls, signature)).collect());

    let mut results = Vec::new();
    let mut before: Vec<(Arc<Signature>, Option<Code>)> = Vec::new();
    let mut faults = Vec::new();
    let mut stuck = false;
    calls.begin(Promise::Calls);
    for signature in &signatures {
        let Some(args) = calls.ordinary(signature) else { continue };
        let answer = calls.call(signature, args.clone());
        stuck |= matches!(answer, Err(Stopped::Stuck));
        faults.extend(fault(&answer).map(|fault| called(signature, &args, &fault)));
        results.extend(misfit(signature, &args, &answer));
        before.push((signature.clone(), code(&answer)));
    }
    card.found(Promise::Calls, faults);
    if stuck {
        return card.skip_rest("a call did not stop");
    }

    let mut faults = Vec::new();
    calls.begin(Promise::Extremes);
    for (signature, _) in &before {
        for (index, param) in signature.params.iter().enumerate() {
            for value in extreme(&param.ty) {
                let Some(mut args) = calls.ordinary(signature) else { break };
                args[index] = Some(value);
                let answer = calls.call(signature, args.clone());
                results.extend(misfit(signature, &args, &answer));
                if let Some(fault) = fault(&answer) {
                    faults.push(called(signature, &args, &fault));
                    if matches!(answer, Err(Stopped::Stuck)) {
                        card.found(Promise::Extremes, faults);
                        return card.skip_rest("a call did not stop");
                    }
                }
            }
        }
    }
    card.found(Promise::Extremes, faults);
    card.found(Promise::Results, results);
    calls.begin(Promise::Recovery);
    let other = before.iter().filter_map(|(signature, code)| again(calls, signature, *code));
    card.found(Promise::Recovery, other.collect());
    calls.begin(Promise::Threads);
    card.found(Promise::Threads, threads(calls, &before));
}

fn arity(calls: &Calls, signature: &Signature) -> Vec<String> {
    let count = signature.params.len();
    let taken = |count: usize| {
        calls.bound.signatures.iter().any(|other| other.name == signature.name && other.params.len() == count)
    };
    let mut counts = vec![count + 1];
    counts.extend(count.checked_sub(1));
    counts.retain(|count| !taken(*count) && *count <= MAX_PARAMS);
    let mut reasons = Vec::new();
    for count in counts {
        let args = vec![Some(Dynamic::from(1_i64)); count];
        let answer = calls.call(signature, args);
        if code(&answer) != Some(Code::UnknownFunction) {
            reasons.push(format!("`{}` with {count} arguments {}", signature.name, ended(&answer)));
        }
    }
    reasons
}

fn types(calls: &Calls, signature: &Signature) -> Vec<String> {
    let overloaded = |other: &Arc<Signature>| {
        other.name == signature.name
            && other.params.len() == signature.params.len()
            && !other.matches(signature)
    };
    let Some(ordinary) = calls.ordinary(signature) else { return Vec::new() };
    if calls.bound.signatures.iter().any(overloaded) {
        return Vec::new();
    }
    let mut reasons = Vec::new();
    for (index, param) in signature.params.iter().enumerate() {
        let values = match &param.ty {
            Type::Fn(..) => vec![1_i64.into()],
            ty => wrong(ty),
        };
        for value in values {
            let mut args = ordinary.clone();
            args[index] = Some(value);
            let answer = calls.call(signature, args.clone());
            if code(&answer) != Some(Code::ArgumentType) {
                reasons.push(called(signature, &args, &ended(&answer)));
            }
        }
    }
    reasons
}

/// Whether a call ends as it did before. A plugin may have state, and refuse the second time by itself what it did the
/// first time.
fn again(calls: &Calls, signature: &Signature, before: Option<Code>) -> Option<String> {
    let args = calls.ordinary(signature)?;
    let answer = calls.call(signature, args.clone());
    let after = code(&answer);
    let own = [Code::PluginFailed, Code::Deadline];
    let same = after.is_none_or(|code| Some(code) == before || own.contains(&code));
    let first = before.map_or("gave a value".to_owned(), |code| format!("failed with {code}"));
    (!same).then(|| called(signature, &args, &format!("{}, and {first} at first", ended(&answer))))
}

fn threads(calls: &Calls, before: &[(Arc<Signature>, Option<Code>)]) -> Vec<String> {
    // What only waits would wait for long.
    let quick: Vec<_> = before.iter().filter(|(_, code)| *code != Some(Code::Deadline)).collect();
    let work = || {
        let rounds = std::iter::repeat_n(&quick, ROUNDS).flatten();
        rounds.filter_map(|(signature, code)| again(calls, signature, *code)).collect::<Vec<_>>()
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        let mut reasons: Vec<String> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|_| vec!["a thread panicked".to_owned()]))
            .collect();
        reasons.sort();
        reasons.dedup();
        reasons
    })
}

/// What is wrong with the type of a result.
fn misfit(signature: &Signature, args: &[Option<Dynamic>], answer: &Answer) -> Option<String> {
    match answer {
        Ok(value) => {
            let error = conform(&signature.returns, value.clone(), Functions::Refuse).err()?;
            Some(called(signature, args, &format!("gives a result that {}", error.message())))
        }
        Err(Stopped::Failed(error)) if error.code() == Code::ResultType => {
            Some(called(signature, args, &format!("fails: {} {}", error.code(), error.message())))
        }
        Err(_) => None,
    }
}

fn ended(answer: &Answer) -> String {
    match answer {
        Ok(value) => format!("gives {}", shortened(&shown(value))),
        Err(Stopped::Failed(error) | Stopped::TimedOut(error)) => {
            format!("fails with {} {}", error.code(), error.message())
        }
        Err(Stopped::Stuck) => "does not stop".to_owned(),
    }
}

/// An error, and those that were found with it.
fn told(error: &Error) -> Vec<String> {
    std::iter::once(error)
        .chain(error.others())
        .map(|error| {
            let place = error.location().map(|place| format!("{place}: ")).unwrap_or_default();
            format!("{place}{} {}", error.code(), error.message())
        })
        .collect()
}

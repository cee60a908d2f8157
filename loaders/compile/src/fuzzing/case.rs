//! Scripts that were written by hand, with what is to be called in them.
//!
//! `//= f(x: int) -> int` declares a function; `//> f [1]` calls it with the items of an array, each a literal or a
//! buffer; `//> f` calls it with random arguments; `//! why` says that one function is not compiled, and why. All other
//! lines are the script's.

use super::arguments::Arguments;
use super::choices::{Choices, Random};
use super::difference::Difference;
use super::differential::{ARGUMENT_BYTES, Differential};
use super::program::DEPTHS;
use super::tally::Tally;
use super::types::Type;
use caraway_loaders_core::{Signature, StandardPackage};
use rhai::{Array, Dynamic, Engine};
use std::collections::BTreeMap;

/// How many calls with random arguments a line stands for.
const RANDOM_CALLS: usize = 300;

/// A script and its calls.
#[derive(Debug, Clone)]
pub struct Case {
    text: String,
    functions: Vec<Signature>,
    /// Why functions are not compiled, and how many.
    refusals: BTreeMap<String, u64>,
    /// The place of a function, and an array; none for random arguments.
    calls: Vec<(usize, Option<String>)>,
}

impl Case {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let marked =
            |mark: &str| text.lines().filter_map(move |line| line.strip_prefix(mark)).collect::<Vec<_>>();
        let functions: Vec<Signature> = marked("//= ")
            .into_iter()
            .map(|line| line.parse().map_err(|error| format!("{line}: {error:?}")))
            .collect::<Result<_, _>>()?;
        let mut calls = Vec::new();
        for line in marked("//> ") {
            let (name, args) = line.split_once(' ').map_or((line, None), |(name, args)| (name, Some(args)));
            let place = functions.iter().position(|function| function.name == name);
            calls.push((place.ok_or_else(|| format!("`{name}` is not declared"))?, args.map(str::to_owned)));
        }
        let mut refusals = BTreeMap::new();
        for why in marked("//! ") {
            *refusals.entry(why.to_owned()).or_default() += 1;
        }
        if calls.is_empty() {
            return Err("nothing is called".to_owned());
        }
        Ok(Self { text: text.to_owned(), functions, refusals, calls })
    }

    /// Compares its calls.
    ///
    /// # Errors
    ///
    /// A function that is not compiled, and arguments that are none.
    pub fn check(&self, differential: &mut Differential) -> Result<Option<Difference>, String> {
        let mut args = self.arguments()?;
        differential.tally = Tally::default();
        let difference =
            differential
                .compare(&self.text, &self.functions, DEPTHS.len() - 1, |function, _| args[function].pop());
        let Tally { unparsed, refusals, given_up, .. } = &differential.tally;
        if difference.is_some() {
            return Ok(difference);
        }
        if !unparsed.is_empty() || *refusals != self.refusals {
            return Err(format!("it is refused: {unparsed:?} {refusals:?}"));
        }
        if *given_up > 0 {
            return Err("a call takes too long".to_owned());
        }
        Ok(None)
    }

    /// What each function is called with.
    fn arguments(&self) -> Result<Vec<Vec<Arguments>>, String> {
        let mut all: Vec<Vec<Arguments>> = self.functions.iter().map(|_| Vec::new()).collect();
        let mut random = Random::of(self.text.as_bytes());
        for (function, shown) in &self.calls {
            if let Some(shown) = shown {
                evaluated(shown)?;
                let text = shown.clone();
                let make = move || evaluated(&text).unwrap_or_default();
                all[*function].push(Arguments::new(shown.clone(), make));
                continue;
            }
            let types = self.functions[*function].params.iter().map(|param| Type::of(&param.ty));
            let types: Vec<Type> = types.collect::<Option<_>>().ok_or("a parameter of another type")?;
            for _ in 0..RANDOM_CALLS {
                let bytes = random.bytes(ARGUMENT_BYTES);
                all[*function].push(Arguments::random(&mut Choices::new(&bytes), &types, false));
            }
        }
        Ok(all)
    }
}

fn evaluated(array: &str) -> Result<Vec<Dynamic>, String> {
    thread_local!(static ENGINE: Engine = engine());
    ENGINE.with(|engine| engine.eval::<Array>(array)).map_err(|error| format!("{array}: {error}"))
}

fn engine() -> Engine {
    let mut engine = Engine::new_raw();
    engine.register_global_module(StandardPackage::default().module());
    engine
}

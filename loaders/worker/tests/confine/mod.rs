//! The host's side and the child's of the tests of confinement.

mod actions;
mod rows;
mod world;

use caraway_loaders_worker::confine::{Ability, Confinement, detach, lacking};
use libtest_mimic::{Arguments, Failed, Trial};
use rows::{Expect, Row};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use world::World;

/// Which row the child is to run, and the host's process id.
const ROW: &str = "CARAWAY_TEST_ROW";
const HOST: &str = "CARAWAY_TEST_HOST";
/// Set where the child is not to confine itself.
const CONTROL: &str = "CARAWAY_TEST_CONTROL";
/// Set for a host that starts one child, and waits for it.
const MIDDLE: &str = "CARAWAY_TEST_MIDDLE";

/// How long a child may take: far more than any needs.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn main() {
    if let Ok(name) = std::env::var(ROW) {
        return child(&name);
    }
    if std::env::var_os(MIDDLE).is_some() {
        prepare(rows::patient().name, std::process::id(), &World::inherited()).status().unwrap();
        return;
    }
    let trials = rows::all()
        .into_iter()
        .map(|row| Trial::test(row.name, move || run(&row)))
        .chain([Trial::test("a_child_of_another_is_refused", of_another_parent)])
        .chain([Trial::test("a_child_ends_with_its_host", with_its_host)])
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Confines itself as the row says, does what it says, and prints what came of it.
fn child(name: &str) {
    let row = rows::all().into_iter().chain([rows::patient()]).find(|row| row.name == name).unwrap();
    let world = World::inherited();
    actions::duplicate(world.descriptor).unwrap();
    let keep: &[i32] = if row.keeps { &[world.descriptor] } else { &[] };
    if let Err(error) = detach(keep, std::env::var(HOST).unwrap().parse().unwrap()) {
        println!("detached: {error}");
        return;
    }
    let mut confinement = Confinement::default();
    (row.confine)(&mut confinement, &world);
    let applied = if std::env::var_os(CONTROL).is_some() { Ok(()) } else { confinement.apply() };
    let outcome = match applied {
        Err(error) => format!("refused {}: {error}", error.code().as_str()),
        Ok(()) => match (row.action)(&world) {
            Ok(()) => "works".to_owned(),
            Err(error) => match error.raw_os_error() {
                Some(number) => format!("errno {number}"),
                None => format!("failed: {error}"),
            },
        },
    };
    println!("{outcome}");
}

/// Runs a row in a child, and compares what came of it with what is expected.
fn run(row: &Row) -> Result<(), Failed> {
    let missing = lacking().into_iter().find(|lack| {
        !matches!(lack.ability, Ability::Ports | Ability::Signals) || row.needs.contains(&lack.ability)
    });
    let world = World::new();
    let expected = match (&row.expect, missing) {
        (_, Some(lack)) => format!("refused E0304: {lack}"),
        (Expect::Works, None) => "works".to_owned(),
        (Expect::Errno(number), None) => format!("errno {number}"),
        (Expect::Signal(number), None) => format!("signal {number}"),
        (Expect::Refused(text), None) => format!("refused {}", text(&world)),
    };
    let outcome = spawn(row.name, std::process::id(), &world, &[]);
    let as_expected = match expected.starts_with("refused") {
        true => outcome.starts_with(&expected),
        false => outcome == expected,
    };
    if !as_expected {
        return Err(format!("expected `{expected}`, got `{outcome}`").into());
    }
    if !row.control {
        return Ok(());
    }
    match spawn(row.name, std::process::id(), &World::new(), &[CONTROL]).as_str() {
        "works" => Ok(()),
        other => Err(format!("it does not work without confinement either: `{other}`").into()),
    }
}

fn of_another_parent() -> Result<(), Failed> {
    match spawn(rows::all()[0].name, 1, &World::new(), &[]).as_str() {
        "detached: the process that started this one is gone" => Ok(()),
        other => Err(other.into()),
    }
}

fn with_its_host() -> Result<(), Failed> {
    let mut host = Command::new(std::env::current_exe().unwrap());
    let world = World::new();
    let mut host = host.env(MIDDLE, "1").envs(world.variables()).stdout(Stdio::piped()).spawn().unwrap();
    let mut printed = BufReader::new(host.stdout.take().unwrap());
    let mut line = String::new();
    printed.read_line(&mut line).unwrap();
    host.kill().unwrap();
    host.wait().unwrap();
    // It ends when the child does.
    printed.read_to_string(&mut line).unwrap();
    let refused = !lacking().is_empty() && line.starts_with("refused");
    if line.trim() == actions::WAITING || refused { Ok(()) } else { Err(line.into()) }
}

/// What a child printed, or the signal that ended it.
fn spawn(name: &str, host: u32, world: &World, flags: &[&str]) -> String {
    let start = Instant::now();
    let mut command = prepare(name, host, world);
    command.envs(flags.iter().map(|flag| (*flag, "1")));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if start.elapsed() > PATIENCE => {
                child.kill().unwrap();
                return format!("did not end, {}", child.wait().unwrap());
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    let mut complaints = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
    match (status.signal(), status.success()) {
        (Some(signal), _) if status.core_dumped() => format!("dumped by signal {signal}"),
        (Some(signal), _) => format!("signal {signal}"),
        (None, true) => printed.trim().to_owned(),
        (None, false) => format!("{status}: {complaints}"),
    }
}

fn prepare(name: &str, host: u32, world: &World) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env_clear().env(ROW, name).env(HOST, host.to_string()).envs(world.variables());
    command.stdin(Stdio::null()).process_group(0);
    command
}

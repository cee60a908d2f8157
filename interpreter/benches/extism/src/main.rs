//! Calls the same functions through extism and through Caraway, and prints a table: calls in a second, and how many
//! times those of extism. The first argument is the number of rounds.

mod guest;
mod sides;

use sides::{Side, TEXTS};
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How long one measurement takes, about.
const SLICE: Duration = Duration::from_millis(50);

/// How many calls fill a slice.
fn fitting(side: &mut Side, case: usize) -> Result<usize> {
    let mut times = 100;
    loop {
        let took = time(side, case, times)?;
        if took > SLICE / 2 {
            return Ok(times);
        }
        times *= 2;
    }
}

fn time(side: &mut Side, case: usize, times: usize) -> Result<Duration> {
    let start = Instant::now();
    side.1[case](times)?;
    Ok(start.elapsed())
}

fn main() -> Result<()> {
    let rounds = std::env::args().nth(1).map_or(Ok(20), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    sides::write(folder.path())?;
    let mut sides = [
        sides::extism("extism", None)?,
        sides::extism("extism, 30 s timeout", Some(Duration::from_secs(30)))?,
        sides::script("Caraway, component, script", folder.path(), "component")?,
        sides::script("Caraway, core module, script", folder.path(), "core")?,
        sides::direct("Caraway, component, from Rust", folder.path(), "component")?,
        sides::direct("Caraway, core module, from Rust", folder.path(), "core")?,
    ];
    let cases: Vec<&str> = ["add"].into_iter().chain(TEXTS.map(|(name, _)| name)).collect();
    let mut table: Vec<Vec<f64>> = Vec::new();
    for case in 0..cases.len() {
        let mut times = Vec::new();
        for side in &mut sides {
            times.push(fitting(side, case)?);
        }
        // In turn, so that what disturbs the machine disturbs all; the shortest of each is the least disturbed.
        let mut best = vec![Duration::MAX; sides.len()];
        for _ in 0..rounds {
            for (at, side) in sides.iter_mut().enumerate() {
                best[at] = best[at].min(time(side, case, times[at])?);
            }
        }
        table.push(best.iter().zip(times).map(|(best, times)| times as f64 / best.as_secs_f64()).collect());
    }
    println!("| calls in a second | {} |", cases.join(" | "));
    println!("| --- |{}", " ---: |".repeat(cases.len()));
    for (at, (name, _)) in sides.iter().enumerate() {
        let cell = |row: &Vec<f64>| format!("{:.0} ({:.1}x)", row[at], row[at] / row[0]);
        println!("| {name} | {} |", table.iter().map(cell).collect::<Vec<_>>().join(" | "));
    }
    Ok(())
}

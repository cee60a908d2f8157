//! Many threads that call plugins of one runtime: no answer is lost or mixed up, whatever fails in between, and nothing
//! is left behind. `CARAWAY_TEST_CALLS=1000000` makes it as many calls; `--nocapture` shows the figures.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![cfg(target_os = "linux")]

use caraway::{Output, Program, Runtime};
use rhai::Engine;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: caraway::CountingAllocator = caraway::CountingAllocator;

const THREADS: usize = 32;

/// How many calls of plugins a program makes before it ends.
const BATCH: usize = 50;

/// A component that adds, hands a text back, and traps.
const GUEST: &str = r#"(component
    (core module $m
        (memory (export "memory") 1)
        (global $heap (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "add") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
        (func (export "echo") (param i32 i32) (result i32)
            (i32.store (i32.const 64) (local.get 0)) (i32.store (i32.const 68) (local.get 1)) (i32.const 64))
        (func (export "trap") unreachable)
        (func (export "grow")
            (loop $l (if (i32.eq (i32.const -1) (memory.grow (i32.const 64))) (then unreachable)) (br $l))))
    (core instance $i (instantiate $m))
    (func (export "add") (param "a" s64) (param "b" s64) (result s64) (canon lift (core func $i "add")))
    (func (export "echo") (param "text" string) (result string)
        (canon lift (core func $i "echo") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
    (func (export "trap") (canon lift (core func $i "trap")))
    (func (export "grow") (canon lift (core func $i "grow"))))"#;

const SUMS: &str = r#"
    const ONE = 1;
    fn add(a, b) { helper(a) + b }
    fn helper(x) { x + global::ONE - 1 }
    fn each(items, f) { items.map(|item| f.call(item)) }
    fn fail(n) { throw n }
    fn recurse(n) { recurse(n + 1) }
    fn hoard() { let s = "x"; loop { s += s; } }
"#;

/// Makes `count` calls, each of which is one of a plugin, and gives how many were answered as they should be.
const WORK: &str = r#"
    fn fails(f) { let code = "none"; try { f.call(); } catch (e) { code = if type_of(e) == "i64" { `thrown ${e}` } else { e.code }; } code }

    fn answer(i, n) {
        switch i % 10 {
            0 | 1 => s::add(n, i) == n + i,
            2 => s::each([1, 2, n], |x| x + n) == [n + 1, n + 2, n + n],
            3 => s::add(0.5, n) == n + 0.5,
            4 => j::stringify([n, "x"]) == `[${n},"x"]`,
            5 => j::parse(`{"n": ${n}}`).n == n,
            6 | 7 => w::add(n, i) == n + i,
            8 => w::echo(`text ${n}`) == `text ${n}`,
            _ => switch n % 7 {
                0 => fails(|| s::fail(n)) == `thrown ${n}`,
                1 => fails(|| j::parse(n)) == "E0104",
                2 => fails(|| w::add("x", n)) == "E0104",
                3 => fails(|| s::recurse(n)) == "E0703",
                4 => fails(|| j::parse("[")) == "E0105",
                5 => fails(|| s::hoard()) == "E0702",
                _ => fails(|| if n % 2 == 0 { w::trap() } else { w::grow() }) in ["E0109", "E0702"],
            }
        }
    }

    fn work(seed, count) {
        let right = 0;
        for i in 0..count { if answer(i, seed + i) { right += 1; } else { throw `call ${i} from ${seed}`; } }
        right
    }
"#;

const IMPORTS: &str = r#"import "sums" as s; import "std/json" as j; import "guest" as w;"#;

fn write(folder: &Path) {
    let sums = folder.join("sums");
    std::fs::create_dir_all(&sums).unwrap();
    let manifest =
        "name = \"sums\"\nversion = \"1.0.0\"\ntype = \"module\"\nsecurity = { max_memory = \"1MB\" }\n";
    std::fs::write(sums.join("plugin.toml"), manifest).unwrap();
    std::fs::write(sums.join("main.rhai"), SUMS).unwrap();
    let guest = folder.join("guest");
    std::fs::create_dir_all(&guest).unwrap();
    let manifest = "name = \"guest\"\nversion = \"1.0.0\"\ntype = \"wasm\"\nsecurity = { max_memory = \"8MB\" }\n[implementation]\nentrypoint = \"guest.wasm\"\n";
    std::fs::write(guest.join("plugin.toml"), manifest).unwrap();
    std::fs::write(guest.join("guest.wasm"), wat::parse_str(GUEST).unwrap()).unwrap();
}

/// What the process has: bytes of memory, open descriptors, threads.
#[derive(Debug)]
struct Held {
    memory: u64,
    descriptors: usize,
    threads: usize,
}

fn held() -> Held {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kilobytes: u64 = kilobytes.trim().trim_end_matches(" kB").parse().unwrap();
    let count = |folder| std::fs::read_dir(folder).unwrap().count();
    Held { memory: kilobytes * 1024, descriptors: count("/proc/self/fd"), threads: count("/proc/self/task") }
}

/// The same, when no more threads are there than these: one that was joined takes a moment to be gone.
fn held_by(threads: usize) -> Held {
    for _ in 0..1000 {
        if held().threads <= threads {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    held()
}

/// Makes so many calls from all threads, by programs and by scripts on engines of the host; gives how many were right.
fn calls(count: usize, program: &Program, host: &(dyn Fn(i64, usize) -> i64 + Sync)) -> usize {
    let (next, right) = (&AtomicUsize::new(0), &AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let run = move || loop {
                let start = next.fetch_add(BATCH, Ordering::Relaxed);
                let batch = BATCH.min(count.saturating_sub(start));
                if batch == 0 {
                    return;
                }
                let (seed, asked) = (start as i64, batch as i64);
                let answered = if (start / BATCH).is_multiple_of(2) {
                    let outcome = program.call("work", &[], vec![seed.into(), asked.into()]).unwrap();
                    outcome.value.as_int().unwrap()
                } else {
                    host(seed, batch)
                };
                assert_eq!(answered, asked, "from {seed}");
                right.fetch_add(batch, Ordering::Relaxed);
            };
            // Scripts recurse on it.
            std::thread::Builder::new().stack_size(16 << 20).spawn_scoped(scope, run).unwrap();
        }
    });
    right.load(Ordering::Relaxed)
}

#[test]
fn many_calls_from_many_threads() {
    let all: usize = std::env::var("CARAWAY_TEST_CALLS").map_or(20_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let output = Output::new(|_, _| {});
    let runtime =
        Runtime::builder().folder(folder.path()).plugin_path(folder.path()).output(output).build().unwrap();
    let program = runtime.load_source("work.rhai", &format!("{IMPORTS} {WORK}")).unwrap();

    let mut engine = Engine::new();
    engine.set_max_call_levels(64).set_max_expr_depths(64, 64);
    runtime.install(&mut engine).unwrap();
    let script = engine.compile(format!("{IMPORTS} {WORK} work(SEED, COUNT)")).unwrap();
    let host = |seed: i64, count: usize| {
        let mut scope = rhai::Scope::new();
        scope.push_constant("SEED", seed).push_constant("COUNT", count as i64);
        engine.eval_ast_with_scope::<i64>(&mut scope, &script).unwrap()
    };

    host(0, 1);
    let threads = held().threads;
    let start = Instant::now();
    let mut done = calls(all / 5, &program, &host);
    let early = held_by(threads);
    done += calls(all - all / 5, &program, &host);
    let late = held_by(threads);
    assert_eq!(done, all, "calls without an answer");
    println!("{all} calls in {:?}; after a fifth {early:?}, after all {late:?}", start.elapsed());
    // One that was joined may have been among the first.
    assert!(late.descriptors <= early.descriptors && late.threads <= early.threads, "{early:?} {late:?}");
    let grown = late.memory.saturating_sub(early.memory);
    assert!(grown < 48 << 20, "memory grew by {grown} bytes, from {}", early.memory);
}

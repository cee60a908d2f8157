//! Inputs for checks without a fuzzer: seeds, changed copies of them, and noise. The same at every run.

use std::path::Path;

/// Runs `check` on the seeds of a target of `fuzz/`, and on what is made of them.
#[allow(dead_code, reason = "not every test uses it")]
pub(crate) fn run(target: &str, check: impl Fn(&[u8])) {
    run_some(target, 1000, check);
}

/// The same with so many changed copies of each seed, and as much less of all else.
pub(crate) fn run_some(target: &str, copies: usize, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder =
        folder.ancestors().map(|above| above.join("fuzz/seeds")).find(|seeds| seeds.is_dir()).unwrap();
    let mut files: Vec<_> =
        std::fs::read_dir(folder.join(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert!(!seeds.is_empty(), "{target} has no seeds");
    let every = (1000 / copies).max(1);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for seed in &seeds {
        check(seed);
        (0..seed.len().min(512)).step_by(every).for_each(|len| check(&seed[..len]));
        for _ in 0..copies {
            check(&random.changed(seed, &seeds));
        }
    }
    for len in (0..64).chain((64..4096).step_by(61)).step_by(every) {
        for _ in 0..8 {
            let noise: Vec<u8> = (0..len).map(|_| random.byte()).collect();
            check(&noise);
        }
    }
}

/// xorshift64: enough for this, and without a seed of the day.
struct Random(u64);

impl Random {
    fn word(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn byte(&mut self) -> u8 {
        (self.word() >> 32) as u8
    }

    fn below(&mut self, end: usize) -> usize {
        (self.word() >> 16) as usize % end.max(1)
    }

    /// A copy of `seed` with up to four changes, some of which bring parts of other seeds in.
    fn changed(&mut self, seed: &[u8], seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(6) {
                _ if bytes.is_empty() => bytes.push(self.byte()),
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = self.byte(),
                2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                3 => bytes.truncate(at),
                4 => {
                    let (start, end) = (at, (at + 1 + self.below(16)).min(bytes.len()));
                    bytes.drain(start..end);
                }
                _ => {
                    let other = &seeds[self.below(seeds.len())];
                    let from = self.below(other.len());
                    let part = &other[from..(from + 1 + self.below(32)).min(other.len())];
                    bytes.splice(at..at, part.iter().copied());
                }
            }
        }
        bytes
    }
}

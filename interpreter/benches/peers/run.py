#!/usr/bin/env python3
"""Measures calls into native modules: Caraway beside Rhai, Lua 5.4, CPython and Steel, in one run.

Each peer is built, then all run in turn, several times; what is said is the smallest time of a call, less that of an
empty turn of the loop, and the median time of a process that loads the module and calls it once.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import peer
import table

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
CALLS = ("add", "echo_10", "echo_10k", "sum_1000")


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--caraway", type=Path, help="a built binary [default: build target/release/caraway]")
    parser.add_argument("--build-dir", type=Path, default=HERE / "target", help="of the peers [default: target, here]")
    parser.add_argument("--rounds", type=int, default=8, help="how often each peer's calls are measured [default: 8]")
    parser.add_argument("--starts", type=int, default=20, help="how often each peer is started [default: 20]")
    return parser.parse_args()


def output(built, program):
    """What a peer's program prints."""
    command = [*built.command, built.folder / program]
    done = subprocess.run(command, env={**os.environ, **built.environment}, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{built.name}: {' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def measure_calls(built, best):
    """Lowers `best`, ns by case, to what one process measured."""
    seen = set()
    for line in output(built, f"bench.{built.suffix}").splitlines():
        case, nanoseconds = line.split("\t")
        best[case] = min(best.get(case, float("inf")), float(nanoseconds))
        seen.add(case)
    if seen != {"loop", *CALLS}:
        sys.exit(f"{built.name} measured {sorted(seen)}")


def measure_start(built):
    """The wall time, in ns, of a process that loads the module and calls it once."""
    start = time.perf_counter_ns()
    printed = output(built, f"start.{built.suffix}")
    took = time.perf_counter_ns() - start
    if printed.strip() != "5":
        sys.exit(f"{built.name} says that 2 + 3 is {printed!r}")
    return took


def main():
    given = options()
    built, missing = [], []
    for name, build in peer.ALL.items():
        try:
            built.append(build(given.build_dir.resolve(), REPOSITORY, given.caraway))
        except peer.Missing as reason:
            if not built:
                sys.exit(f"{name}: {reason}")
            missing.append(f"{name}: {reason}")

    best = {each.name: {} for each in built}
    for _ in range(given.rounds):
        for each in built:
            measure_calls(each, best[each.name])
    starts = {each.name: [] for each in built}
    for _ in range(given.starts):
        for each in built:
            starts[each.name].append(measure_start(each))

    figures = {}
    for each in built:
        loop = best[each.name]["loop"]
        figures[each.name] = {case: best[each.name][case] - loop for case in CALLS}
        figures[each.name]["start"] = statistics.median(starts[each.name])
        figures[each.name]["loop"] = loop
    print(table.markdown(figures))
    print()
    print("; ".join([*(each.version for each in built), *peer.compilers()]))
    for reason in missing:
        print(f"left out: {reason}")


if __name__ == "__main__":
    main()

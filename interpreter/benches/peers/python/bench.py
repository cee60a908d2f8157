"""Prints how long each case takes: its name, a tab, ns for each turn of the loop."""

from time import perf_counter_ns as clock

import peer


def tell(name, start, turns):
    nanoseconds = clock() - start
    print(f"{name}\t{nanoseconds / turns:.3f}")


def main():
    m = peer
    short = "0123456789"
    long = "x" * 10_000
    xs = list(range(1_000))
    assert m.add(2, 3) == 5 and m.echo(short) == short and m.echo(long) == long and m.sum(xs) == 499_500

    for _ in range(50):
        i, start = 0, clock()
        while i < 20_000:
            i += 1
        tell("loop", start, 20_000)

        i, start = 0, clock()
        while i < 20_000:
            m.add(i, 1)
            i += 1
        tell("add", start, 20_000)

        i, start = 0, clock()
        while i < 20_000:
            m.echo(short)
            i += 1
        tell("echo_10", start, 20_000)

        i, start = 0, clock()
        while i < 5_000:
            m.echo(long)
            i += 1
        tell("echo_10k", start, 5_000)

        i, start = 0, clock()
        while i < 500:
            m.sum(xs)
            i += 1
        tell("sum_1000", start, 500)


main()

"""The table of what was measured."""

ROWS = (
    ("add", "`add(i, 1)`"),
    ("echo_10", "`echo` of 10 bytes"),
    ("echo_10k", "`echo` of 10 KB"),
    ("sum_1000", "`sum` of 1,000 ints"),
    ("start", "start to first call"),
    ("loop", "an empty turn of the loop"),
)


def markdown(figures):
    """A Markdown table of `figures`: ns by peer and row; ratios are to the first peer."""
    names = list(figures)
    lines = [["", *names], ["---"] * (len(names) + 1)]
    for row, title in ROWS:
        first = figures[names[0]][row]
        cells = [duration(first)]
        cells += [f"{duration(figures[name][row])} ({figures[name][row] / first:.2f}x)" for name in names[1:]]
        lines.append([title, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def duration(nanoseconds):
    """With a unit and three digits: `63.5 ns`, `1.65 us`, `3.70 ms`."""
    for unit, size in (("ms", 1e6), ("us", 1e3)):
        if abs(nanoseconds) >= size:
            return f"{digits(nanoseconds / size)} {unit}"
    return f"{digits(nanoseconds)} ns"


def digits(value):
    places = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{places}f}"

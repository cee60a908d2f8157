const COLORS = ["red", "green", "dark-blue"];

export function add(a, b) {
  return a + b;
}

class Counter {
  constructor(start) {
    this.n = start;
  }

  up(by) {
    this.n += by;
    return this.n;
  }

  static parse(text) {
    if (!/^\d+$/.test(text)) throw `${text} is no number`;
    return new Counter(Number(text));
  }
}

export const everyType = {
  Counter,
  ints: (...all) => all,
  floats: (a, b) => [a, b],
  truth: (v) => !v,
  letter: (v) => v,
  text: (v) => v,
  bytes: (v) => v,
  numbers: (v) => v,
  texts: (v) => v,
  pair: (v) => v,
  place: (v) => ({ ...v, x: v.y, y: v.x }),
  way: (v) => v.toReversed(),
  outline: (v) => v,
  nextColor: (v) => COLORS[(COLORS.indexOf(v) + 1) % COLORS.length],
  rights: (v) => v,
  maybe: (v) => v,
  perhaps: (v) => v,
  checked(v) {
    // What is thrown becomes the error.
    if (v < 0) throw `${v} is negative`;
    return v;
  },
  outcomes: (v) => v,
  peek: (v) => v.n,
  joined: (a, b) => new Counter(a.n + b.n),
  several: (starts) => starts.map((start) => new Counter(start)),
  nothing() {},
};

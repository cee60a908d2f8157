//! The same as `kernels.rhai`, with overflows checked as Rhai checks them.

/// What Rhai makes an error of.
type Checked = Option<i64>;

pub(crate) fn fib(n: i64) -> Checked {
    if n < 2 { Some(n) } else { fib(n.checked_sub(1)?)?.checked_add(fib(n.checked_sub(2)?)?) }
}

pub(crate) fn sum(n: i64) -> Checked {
    let (mut s, mut i) = (0_i64, 0_i64);
    while i < n {
        // Or the whole loop would be one product.
        s = s.checked_add(std::hint::black_box(i))?;
        i = i.checked_add(1)?;
    }
    Some(s)
}

fn escape(cx: f64, cy: f64, limit: i64) -> Checked {
    let (mut x, mut y, mut i) = (0.0, 0.0, 0_i64);
    while i < limit {
        let (x2, y2) = (x * x, y * y);
        if x2 + y2 > 4.0 {
            break;
        }
        y = 2.0 * x * y + cy;
        x = x2 - y2 + cx;
        i = i.checked_add(1)?;
    }
    Some(i)
}

pub(crate) fn mandelbrot(width: i64, height: i64, limit: i64) -> Checked {
    let mut total = 0_i64;
    for py in 0..height {
        for px in 0..width {
            let x = px as f64 / width as f64 * 3.0 - 2.0;
            let y = py as f64 / height as f64 * 2.0 - 1.0;
            total = total.checked_add(escape(x, y, limit)?)?;
        }
    }
    Some(total)
}

fn gcd(mut a: i64, mut b: i64) -> Checked {
    while b != 0 {
        (a, b) = (b, a.checked_rem(b)?);
    }
    Some(a)
}

pub(crate) fn gcd_sums(n: i64) -> Checked {
    let mut s = 0_i64;
    for i in 1..n {
        for j in 1..n {
            s = s.checked_add(gcd(i, j)?)?;
        }
    }
    Some(s)
}

fn is_prime(n: i64) -> Option<bool> {
    if n < 2 {
        return Some(false);
    }
    if n % 2 == 0 {
        return Some(n == 2);
    }
    let mut d = 3_i64;
    while d.checked_mul(d)? <= n {
        if n.checked_rem(d)? == 0 {
            return Some(false);
        }
        d = d.checked_add(2)?;
    }
    Some(true)
}

pub(crate) fn primes(n: i64) -> Checked {
    let mut count = 0_i64;
    for i in 0..n {
        if is_prime(i)? {
            count = count.checked_add(1)?;
        }
    }
    Some(count)
}

pub(crate) fn nested(n: i64) -> Checked {
    let mut c = 0_i64;
    for i in 0..n {
        for j in 0..n {
            let by = if (i ^ j) & 1 == 0 { i.checked_sub(j)? } else { 1 };
            c = c.checked_add(std::hint::black_box(by))?;
        }
    }
    Some(c)
}

pub(crate) fn dot(xs: &[f64], ys: &[f64]) -> f64 {
    let mut s = 0.0;
    for i in 0..xs.len() {
        s += xs[i] * ys[i];
    }
    s
}

pub(crate) fn prefix(xs: &[i64], sums: &mut [i64]) -> Checked {
    let mut s = 0_i64;
    for (i, x) in xs.iter().enumerate() {
        s = s.checked_add(*x)?;
        sums[i] = s;
    }
    Some(s)
}

pub(crate) fn normalise(xs: &mut [f64]) -> f64 {
    let mut sum = 0.0;
    for x in xs.iter() {
        sum += x;
    }
    let mean = sum / xs.len() as f64;
    let mut squares = 0.0;
    for x in xs.iter() {
        squares += (x - mean) * (x - mean);
    }
    let deviation = (squares / xs.len() as f64).sqrt();
    for x in xs.iter_mut() {
        *x = (*x - mean) / deviation;
    }
    deviation
}

//! Statistics of arrays of numbers, compiled. An example of a native plugin.

use caraway_plugin::prelude::*;

mod sample;

#[plugin]
mod numeric {
    use crate::sample::{finite, pair, sorted};

    /// The Pearson correlation of two samples of the same length: 1.0 if the points lie on a rising line, -1.0
    /// on a falling one. An error if either does not vary.
    pub fn correlation(xs: &[f64], ys: &[f64]) -> Result<f64, String> {
        let sums = pair(xs, ys)?;
        if sums.xx == 0.0 || sums.yy == 0.0 {
            return Err("a correlation needs samples that vary".to_owned());
        }
        Ok((sums.xy / (sums.xx.sqrt() * sums.yy.sqrt())).clamp(-1.0, 1.0))
    }

    /// The straight line `y = slope * x + intercept` through two samples with the least squares of errors, as
    /// `[slope, intercept]`.
    pub fn linear_fit(xs: &[f64], ys: &[f64]) -> Result<Vec<f64>, String> {
        let sums = pair(xs, ys)?;
        if sums.xx == 0.0 {
            return Err("a line needs different values of x".to_owned());
        }
        let slope = sums.xy / sums.xx;
        Ok(vec![slope, sums.mean_y - slope * sums.mean_x])
    }

    /// The value that a part `q` of the sample, from 0 to 1, lies below, interpolated between neighbours.
    pub fn quantile(xs: &[f64], q: f64) -> Result<f64, String> {
        quantiles(xs, &[q]).map(|values| values[0])
    }

    /// The quantiles for several parts, for the price of one.
    pub fn quantiles(xs: &[f64], qs: &[f64]) -> Result<Vec<f64>, String> {
        if let Some(q) = qs.iter().find(|q| !(0.0..=1.0).contains(*q)) {
            return Err(format!("a quantile is asked for from 0 to 1, not {q}"));
        }
        let sorted = sorted(xs)?;
        let last = sorted.len() - 1;
        Ok(qs
            .iter()
            .map(|q| {
                let place = q * last as f64;
                let below = place.floor() as usize;
                let above = sorted[(below + 1).min(last)];
                sorted[below] + (above - sorted[below]) * (place - below as f64)
            })
            .collect())
    }

    /// How many values fall into each of `bins` equal parts of the range from the smallest to the largest. A
    /// value on a border belongs to the part above it, the largest to the last.
    pub fn histogram(xs: &[f64], bins: i64) -> Result<Vec<i64>, String> {
        if !(1..=100_000).contains(&bins) {
            return Err(format!("a histogram has from 1 to 100000 bins, not {bins}"));
        }
        let xs = finite(xs)?;
        let (least, greatest) = range(xs);
        let mut counts = vec![0; bins as usize];
        for x in xs {
            // Halves, so that the width of the widest range is finite.
            let part = (x / 2.0 - least / 2.0) / (greatest / 2.0 - least / 2.0);
            let bin = if part.is_nan() { 0 } else { (part * bins as f64) as usize };
            counts[bin.min(bins as usize - 1)] += 1;
        }
        Ok(counts)
    }

    fn range(xs: &[f64]) -> (f64, f64) {
        xs.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)))
    }

    /// The positions of the values from the smallest to the largest, counted from 1; equal values share the
    /// mean of theirs.
    pub fn ranks(xs: &[f64]) -> Result<Vec<f64>, String> {
        let xs = finite(xs)?;
        let mut order: Vec<usize> = (0..xs.len()).collect();
        order.sort_by(|a, b| xs[*a].total_cmp(&xs[*b]));
        let mut ranks = vec![0.0; xs.len()];
        let mut before = 0;
        for equal in order.chunk_by(|a, b| xs[*a] == xs[*b]) {
            let rank = before as f64 + (equal.len() as f64 + 1.0) / 2.0;
            equal.iter().for_each(|at| ranks[*at] = rank);
            before += equal.len();
        }
        Ok(ranks)
    }
}

#[cfg(test)]
mod tests {
    use super::numeric::*;

    #[test]
    fn correlations() {
        for (ys, expected) in [([2.0, 4.0, 6.0], 1.0), ([3.0, 2.0, 1.0], -1.0), ([1.0, 2.0, 1.0], 0.0)] {
            let found = correlation(&[1.0, 2.0, 3.0], &ys).unwrap();
            assert!((found - expected).abs() < 1e-12, "{ys:?}: {found}");
        }
        assert!(correlation(&[1.0, 1.0], &[1.0, 2.0]).is_err());
        assert!(correlation(&[1.0], &[]).is_err());
        assert!(correlation(&[], &[]).is_err());
    }

    #[test]
    fn lines() {
        assert_eq!(linear_fit(&[0.0, 1.0, 2.0], &[1.0, 3.0, 5.0]), Ok(vec![2.0, 1.0]));
        assert!(linear_fit(&[1.0, 1.0], &[1.0, 2.0]).is_err());
    }

    #[test]
    fn parts_of_a_sample() {
        let xs = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantiles(&xs, &[0.0, 0.5, 1.0]), Ok(vec![1.0, 2.5, 4.0]));
        assert_eq!(quantile(&[7.0], 0.3), Ok(7.0));
        assert!(quantile(&[], 0.5).is_err());
        assert!(quantile(&xs, f64::NAN).is_err());
    }

    #[test]
    fn bins() {
        assert_eq!(histogram(&[0.0, 1.0, 2.0, 3.0, 4.0], 2), Ok(vec![2, 3]));
        assert_eq!(histogram(&[5.0, 5.0], 3), Ok(vec![2, 0, 0]));
        assert_eq!(histogram(&[f64::MIN, 0.0, f64::MAX], 2), Ok(vec![1, 2]));
        assert!(histogram(&[1.0, f64::NAN], 2).is_err());
        assert!(histogram(&[1.0], 0).is_err());
    }

    #[test]
    fn positions() {
        assert_eq!(ranks(&[30.0, 10.0, 20.0, 10.0]), Ok(vec![4.0, 1.5, 3.0, 1.5]));
    }
}

//! Samples, checked.

/// Sums of squares and products around the means of two samples.
pub(crate) struct Pair {
    pub(crate) mean_x: f64,
    pub(crate) mean_y: f64,
    pub(crate) xx: f64,
    pub(crate) yy: f64,
    pub(crate) xy: f64,
}

/// The sums of two samples of one length.
pub(crate) fn pair(xs: &[f64], ys: &[f64]) -> Result<Pair, String> {
    if xs.len() != ys.len() {
        return Err(format!("the samples have {} and {} values", xs.len(), ys.len()));
    }
    let (xs, ys) = (finite(xs)?, finite(ys)?);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_x, mean_y) = (mean(xs), mean(ys));
    let mut pair = Pair { mean_x, mean_y, xx: 0.0, yy: 0.0, xy: 0.0 };
    for (x, y) in xs.iter().zip(ys) {
        let (dx, dy) = (x - mean_x, y - mean_y);
        pair.xx += dx * dx;
        pair.yy += dy * dy;
        pair.xy += dx * dy;
    }
    Ok(pair)
}

/// The sample in order.
pub(crate) fn sorted(xs: &[f64]) -> Result<Vec<f64>, String> {
    let mut sorted = finite(xs)?.to_vec();
    sorted.sort_by(f64::total_cmp);
    Ok(sorted)
}

/// The sample, if it has values and all of them are numbers.
pub(crate) fn finite(xs: &[f64]) -> Result<&[f64], String> {
    match xs.iter().position(|x| !x.is_finite()) {
        Some(at) => Err(format!("value {} of the sample is {}", at + 1, xs[at])),
        None if xs.is_empty() => Err("the sample is empty".to_owned()),
        None => Ok(xs),
    }
}

//! Horizontal bar charts as SVG.

use crate::bindings::Bar;
use crate::escape;

const WIDTH: f64 = 640.0;
const LABELS: f64 = 160.0;
const VALUES: f64 = 80.0;
const ROW: f64 = 28.0;

/// The chart of bars that all have finite values. Bars grow to the right from zero, or from the least value
/// if that is negative.
pub fn svg(bars: &[Bar]) -> String {
    let height = ROW * bars.len() as f64;
    let low = bars.iter().fold(0.0_f64, |low, bar| low.min(bar.value));
    let high = bars.iter().fold(0.0_f64, |high, bar| high.max(bar.value));
    let room = WIDTH - LABELS - VALUES;
    // Halved first: the span of two huge values of different sign is no finite number.
    let span = high / 2.0 - low / 2.0;
    let share = |value: f64| if span > 0.0 { (value / 2.0 - low / 2.0) / span } else { 0.0 };

    let mut out = format!("<svg class=\"chart\" role=\"img\" viewBox=\"0 0 {WIDTH} {height}\">");
    for (index, bar) in bars.iter().enumerate() {
        let top = ROW * index as f64;
        let (from, to) = (share(bar.value.min(0.0)), share(bar.value.max(0.0)));
        let (x, width) = (LABELS + room * from, room * (to - from));
        let (middle, box_top, box_height) = (top + ROW / 2.0, top + 4.0, ROW - 8.0);
        let end = x + width + 6.0;
        let labels = LABELS - 8.0;
        out.push_str(&format!("<text class=\"label\" x=\"{labels}\" y=\"{middle}\">"));
        escape::push(&mut out, &bar.label);
        out.push_str(&format!(
            "</text><rect x=\"{x:.1}\" y=\"{box_top}\" width=\"{width:.1}\" height=\"{box_height}\" rx=\"3\"/>\
             <text class=\"value\" x=\"{end:.1}\" y=\"{middle}\">{}</text>",
            number(bar.value)
        ));
    }
    out.push_str("</svg>");
    out
}

/// At most two decimals, and none where there are none.
fn number(value: f64) -> String {
    if value.abs() >= 1e9 {
        return format!("{value:.2e}");
    }
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

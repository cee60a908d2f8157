//! Renders reports as HTML pages. `wit/htmlreport.wit` says what it exports.

mod chart;
mod escape;
mod page;

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "htmlreport" });
}

use bindings::{Bar, Guest, Section, Theme};

struct HtmlReport;

impl Guest for HtmlReport {
    fn render(title: String, sections: Vec<Section>) -> String {
        page::render(&title, &sections, Theme::Light)
    }

    fn render_themed(title: String, sections: Vec<Section>, theme: Theme) -> String {
        page::render(&title, &sections, theme)
    }

    fn chart(bars: Vec<Bar>) -> Result<String, String> {
        if bars.is_empty() {
            return Err("a chart needs at least one bar".to_owned());
        }
        if let Some(bar) = bars.iter().find(|bar| !bar.value.is_finite()) {
            return Err(format!("the bar `{}` has no finite value", bar.label));
        }
        Ok(chart::svg(&bars))
    }

    fn escape(text: String) -> String {
        escape::html(&text)
    }
}

bindings::export!(HtmlReport with_types_in bindings);

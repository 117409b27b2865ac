//! Colours and shapes, and the legend that explains them.

use std::fmt::{self, Write};

use crate::record::{End, Thing};

/// The colours are told apart also by those who see few, and each end that is not the usual one has a mark as well.
pub(super) const STYLE: &str = "\
.paper{fill:#fff}\
.title{font-size:13px;font-weight:600;fill:#1f2933}\
.tick{font-size:10px;fill:#52606d;text-anchor:middle}\
.grid{stroke:#e4e7eb;fill:none}\
.label{font-size:11px;fill:#1f2933}\
.part{font-style:italic;fill:#52606d}\
.why{font-size:10px;fill:#52606d}\
.box{fill-opacity:.09;stroke-opacity:.55}\
.bar{stroke-width:1}\
.frame{fill-opacity:.4}\
.queued{fill-opacity:.15;stroke-opacity:.5;stroke-dasharray:2 2}\
.late{stroke:#b42318;stroke-dasharray:3 3;fill:none}\
.done{fill:#8fd0ae;stroke:#2f8f5b}\
.failed{fill:#f6a98c;stroke:#c4451c}\
.panicked{fill:#dd8fc0;stroke:#98206b}\
.cancelled{fill:#cfd4dc;stroke:#7b8794}\
.open{fill:#f6dd8f;stroke:#b58a00;stroke-dasharray:4 2}";

/// The class of a bar.
#[derive(Clone, Copy)]
pub(super) struct Look(&'static str);

impl Look {
    pub(super) fn of(thing: &Thing) -> Self {
        Self(match thing.ended.as_ref().map(|(_, end)| end) {
            Some(End::Value) => "done",
            Some(End::Error) => "failed",
            Some(End::Panic) => "panicked",
            Some(End::Cancelled(_)) => "cancelled",
            Some(End::Lost) | None => "open",
        })
    }
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The marks, around the point at which they are put.
const SHAPES: &str = "\
<defs>\
<g id=\"cancel\"><circle r=\"6\" fill=\"#fff\" stroke=\"#3e4c59\"/>\
<path d=\"M-2.7-2.7 2.7 2.7M2.7-2.7-2.7 2.7\" stroke=\"#3e4c59\" stroke-width=\"1.8\"/></g>\
<g id=\"deadline\"><circle r=\"6\" fill=\"#b42318\" stroke=\"#fff\"/>\
<path d=\"M0-3.6V0H2.8\" stroke=\"#fff\" stroke-width=\"1.6\" fill=\"none\"/></g>\
<g id=\"limit\"><circle r=\"6\" fill=\"#fff\" stroke=\"#7b8794\"/>\
<path d=\"M0-3.6V0H2.8\" stroke=\"#7b8794\" stroke-width=\"1.4\" fill=\"none\"/></g>\
<g id=\"error\"><path d=\"M0-6.5 6.5 5.5H-6.5Z\" fill=\"#c4451c\" stroke=\"#fff\" stroke-linejoin=\"round\"/>\
<path d=\"M0-2.6V1.6M0 3V4.2\" stroke=\"#fff\" stroke-width=\"1.6\"/></g>\
<g id=\"panic\"><path d=\"M0-7 7 0 0 7-7 0Z\" fill=\"#98206b\" stroke=\"#fff\" stroke-linejoin=\"round\"/>\
<path d=\"M0-3.4V.8M0 2.2V3.4\" stroke=\"#fff\" stroke-width=\"1.6\"/></g>\
</defs>\n";

/// What the colours and the marks mean. It also brings the shapes.
pub(super) fn legend(svg: &mut String, left: f64, y: f64) {
    svg.push_str(SHAPES);
    let mut x = left;
    let mut explain = |sign: String, width: f64, text: &str| {
        let _ = writeln!(
            svg,
            "<g transform=\"translate({x:.1} {y:.1})\">{sign}<text class=\"label\" x=\"{}\" y=\"4\">{text}</text></g>",
            width + 5.0
        );
        x += width + 5.0 + 6.2 * text.len() as f64 + 12.0;
    };
    for (look, text) in [
        ("done", "done"),
        ("failed", "failed"),
        ("panicked", "panicked"),
        ("cancelled", "cancelled"),
        ("open", "not ended"),
        ("done queued", "not its turn"),
    ] {
        let sign = "y=\"-6\" width=\"18\" height=\"12\" rx=\"3\"";
        explain(format!("<rect class=\"bar {look}\" {sign}/>"), 18.0, text);
    }
    for (shape, text) in [
        ("cancel", "cancelled here"),
        ("deadline", "deadline passed"),
        ("limit", "deadline kept"),
        ("error", "error"),
        ("panic", "panic"),
    ] {
        explain(format!("<use href=\"#{shape}\" x=\"6\"/>"), 12.0, text);
    }
}

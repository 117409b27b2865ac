//! What has been measured: printed as it comes, and kept for the files.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::row::{HEAD, Row};

#[derive(Default)]
pub(crate) struct Report {
    lines: Vec<String>,
    rows: Vec<Row>,
}

impl Report {
    /// What comes now is about this.
    pub(crate) fn begin(&mut self, subject: &str) {
        if !self.lines.is_empty() {
            self.print(String::new());
        }
        self.print(format!("### {subject}\n"));
        self.print(HEAD.into());
    }

    pub(crate) fn add(&mut self, row: Row) {
        self.print(row.markdown());
        self.rows.push(row);
    }

    #[expect(clippy::print_stdout, reason = "the tables are what this is for")]
    fn print(&mut self, line: String) {
        println!("{line}");
        self.lines.push(line);
    }

    pub(crate) fn end(&self, json: Option<&Path>, markdown: Option<&Path>) -> Result<(), String> {
        if let Some(file) = json {
            let rows: Value = self.rows.iter().map(Row::json).collect();
            write(file, format!("{rows:#}\n"))?;
        }
        if let Some(file) = markdown {
            write(file, self.lines.join("\n") + "\n")?;
        }
        Ok(())
    }
}

fn write(file: &Path, text: String) -> Result<(), String> {
    fs::write(file, text).map_err(|why| format!("cannot write {}: {why}", file.display()))
}

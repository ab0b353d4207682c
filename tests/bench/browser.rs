//! P11: the browser's figures, as `tests/browser/budget.mjs` prints them.

use std::path::Path;
use std::process::Command;

use crate::table::Row;

pub(crate) fn measured() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    let row = |measured: &str| {
        Row::new(
            "P11",
            "the browser's side: bytes and times, by `node budget.mjs`",
        )
        .figure(0.0, measured)
        .limited_by("budgets and their reasons are in tests/browser")
    };
    let ran = Command::new("node")
        .arg("budget.mjs")
        .current_dir(folder)
        .output();
    match ran {
        Ok(ran) if ran.status.success() => {
            let text = String::from_utf8_lossy(&ran.stdout);
            let lines: Vec<_> = text
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .collect();
            vec![row(&lines.join("<br>").replace('|', "\\|"))]
        }
        // The browser's packages are installed by `tests/run --install`.
        _ => vec![row("not run: tests/run --install brings what it needs")],
    }
}

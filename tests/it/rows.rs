//! The table of `tests/README.md`, read and compared with the tests that it names.
//!
//! A table of rows is worth something while it is true: each row that is known has one line, each
//! test that a line names is there, and says by itself which rows it holds. Whether it holds them
//! is for who reads it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const TABLE: &str = "tests/README.md";

/// Where the proof's scenarios are: they are no functions, and are named as its own table does.
const PROOF: &str = "tests/proof";

/// Numbers from one to another.
type Range = (u32, u32);

/// The rows that are known: the letter, the digits that a number has at least, and the numbers.
const KNOWN: [(&str, usize, &[Range]); 8] = [
    ("C", 1, &[(1, 11)]),
    ("L", 1, &[(1, 18)]),
    ("S", 1, &[(1, 25)]),
    ("O", 1, &[(1, 5)]),
    (
        "A-",
        2,
        &[
            (1, 14),
            (20, 30),
            (31, 48),
            (50, 62),
            (70, 77),
            (80, 94),
            (100, 106),
        ],
    ),
    ("E", 1, &[(1, 9)]),
    ("U", 1, &[(1, 12)]),
    ("B-", 2, &[(1, 15), (20, 29), (40, 46), (60, 69)]),
];

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("the workspace").to_owned()
}

/// A row as the table has it.
#[derive(Debug)]
struct Row {
    id: String,
    promise: String,
    /// Paths and names of the tests.
    tests: Vec<(String, String)>,
    /// What is said besides.
    note: String,
}

impl Row {
    /// A line of the table; nothing where a line is something else.
    fn read(line: &str) -> Option<Self> {
        let cells = line.strip_prefix("| ")?.strip_suffix(" |")?;
        let mut cells = cells.splitn(3, " | ");
        let (id, promise, held) = (cells.next()?, cells.next()?, cells.next()?);
        if !id.ends_with(|last: char| last.is_ascii_digit()) {
            return None;
        }
        let (mut tests, mut note) = (Vec::new(), String::new());
        for (number, part) in held.split('`').enumerate() {
            match part.split_once("::").filter(|_| number % 2 == 1) {
                Some((path, name)) => tests.push((path.to_owned(), name.to_owned())),
                None => note.push_str(part),
            }
        }
        Some(Self {
            id: id.to_owned(),
            promise: promise.to_owned(),
            tests,
            note: note.replace([',', ';', ' '], ""),
        })
    }
}

/// Whether a text names a row, as a word of its own.
fn names(text: &str, id: &str) -> bool {
    text.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '-')
        .any(|word| word == id)
}

/// The comment that a file begins with, in Rust, JavaScript or Python.
fn head(text: &str) -> String {
    if let Some(rest) = text.strip_prefix("\"\"\"") {
        return rest.split("\"\"\"").next().unwrap_or_default().to_owned();
    }
    let rust = text.starts_with("//!");
    let begins: &[&str] = if rust { &["//!"] } else { &["//", "/*", " *"] };
    let comment = |line: &&str| begins.iter().any(|begin| line.starts_with(begin));
    let lines: Vec<_> = text.lines().take_while(comment).collect();
    lines.join("\n")
}

/// The comments and attributes above a line.
fn above(lines: &[&str], at: usize) -> String {
    let belongs = |line: &&&str| {
        let line = line.trim_start();
        ["//", "#", ")]", "@"].iter().any(|it| line.starts_with(it))
    };
    let above = lines[..at].iter().rev().take_while(belongs);
    above.copied().collect::<Vec<_>>().join("\n")
}

/// What a test says of itself: its name, the comment above it, what it stands in, and the comment
/// at the head of its file. Nothing: there is no test of that name.
fn said(path: &str, text: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let function = |word: &str| {
        let begin = format!("{word} {name}");
        let is = |line: &&str| {
            let behind = line.split_once(begin.as_str()).map(|(_, behind)| behind);
            behind.is_some_and(|behind| behind.starts_with(['(', '<']))
        };
        lines.iter().position(is)
    };
    let sentence = || {
        let begins = ['\'', '"', '`'].map(|quote| format!("({quote}{name}"));
        let is = |line: &&str| begins.iter().any(|begin| line.contains(begin.as_str()));
        lines.iter().position(is)
    };
    let at = match Path::new(path).extension()?.to_str()? {
        "rs" => function("fn"),
        "py" => function("def"),
        _ => sentence(),
    }?;
    // The promises of the store become tests where they are listed.
    let promise = path.contains("/contract/") && lines[at].starts_with("pub(crate) async fn");
    let marks = ["#[test]", "#[tokio::test"];
    let marked = above(&lines, at);
    if path.ends_with(".rs") && !promise && !marks.iter().any(|mark| marked.contains(mark)) {
        return None;
    }
    let around = lines[..at].iter().rev();
    let around = around.copied().find(|line| line.starts_with("describe("));
    let inside = lines[at].starts_with(' ');
    Some(format!(
        "{}\n{}\n{}\n{}",
        lines[at],
        above(&lines, at),
        around.filter(|_| inside).unwrap_or_default(),
        head(text)
    ))
}

/// What the file of one of the proof's scenarios says at its head.
fn said_by_the_proof(scenario: &str) -> Option<String> {
    let quoted = format!("\"{scenario}\"");
    let mut waiting = vec![root().join(PROOF)];
    let mut said = None;
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else if let Ok(text) = fs::read_to_string(&path)
                && text.contains(&quoted)
            {
                said.get_or_insert_with(String::new).push_str(&head(&text));
            }
        }
    }
    said
}

/// Every row that is known.
fn known() -> Vec<String> {
    let mut ids = Vec::new();
    for (letter, digits, ranges) in KNOWN {
        for (first, last) in ranges {
            ids.extend((*first..=*last).map(|number| format!("{letter}{number:0digits$}")));
        }
    }
    ids
}

#[test]
fn the_table_of_rows_is_true() {
    let table = fs::read_to_string(root().join(TABLE)).expect("the table");
    let rows: Vec<Row> = table.lines().filter_map(Row::read).collect();
    let mut wrong = Vec::new();
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        *lines.entry(&row.id).or_default() += 1;
    }
    let known = known();
    for id in &known {
        let count = lines.remove(id.as_str()).unwrap_or(0);
        if count != 1 {
            wrong.push(format!("{id} has {count} lines"));
        }
    }
    wrong.extend(lines.keys().map(|id| format!("{id} is no known row")));
    let mut named = 0;
    for Row {
        id,
        promise,
        tests,
        note,
    } in &rows
    {
        if promise.split_whitespace().count() > 10 {
            wrong.push(format!("{id}: more than ten words"));
        }
        if tests.is_empty() && note.is_empty() {
            wrong.push(format!("{id}: neither a test nor a reason"));
        }
        for (path, name) in tests {
            named += 1;
            let said = match path == PROOF {
                true => said_by_the_proof(name),
                false => fs::read_to_string(root().join(path))
                    .ok()
                    .and_then(|text| said(path, &text, name)),
            };
            match said {
                None => wrong.push(format!("{id}: there is no {path}::{name}")),
                Some(said) if !names(&said, id) => {
                    wrong.push(format!("{id}: {path}::{name} does not say so"));
                }
                Some(_) => {}
            }
        }
    }
    assert!(named > 300, "{named} tests are named");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_row_is_named_as_a_word_and_a_test_by_its_whole_name() {
    assert!(names("// Rows C1, A-05.", "C1") && names("// Rows C1, A-05.", "A-05"));
    assert!(!names("Rows C11, BA-05, A-050", "C1"));
    assert!(!names("Rows C11, BA-05, A-050", "A-05"));
    let text = "//! Head: L2.\n\n/// Row L1.\n#[test]\nfn one() {}\n\n#[test]\nfn one_more() {}\n";
    let of = |name| said("a.rs", text, name).unwrap_or_default();
    assert!(names(&of("one"), "L1") && names(&of("one"), "L2"));
    assert!(!names(&of("one_more"), "L1") && names(&of("one_more"), "L2"));
    assert_eq!(said("a.rs", text, "on"), None);
    let row = Row::read("| C1 | a promise | `a.rs::one`, `b.mjs::x, y`; see `z.md` |");
    let row = row.expect("a row");
    let expected = [("a.rs", "one"), ("b.mjs", "x, y")];
    let expected = expected.map(|(path, name)| (path.to_owned(), name.to_owned()));
    assert_eq!((row.tests, row.note), (expected.to_vec(), "seez.md".into()));
    assert!(Row::read("| row | promise | held by |").is_none());
}

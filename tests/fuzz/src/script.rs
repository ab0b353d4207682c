//! Some requests one after another, as text:
//!
//! ```text
//! POST /recovery/v1/accounts/customer/redeem
//! as: host
//! content-type: application/json
//!
//! {"code":"{{code}}","proof":{"amr":["pwd"],"at":"{{now}}"}}
//! ===
//! GET /recovery/v1/accounts/customer
//! as: host
//! ```
//!
//! Any text is a script, if a strange one. `as` is not sent: it names whose credentials go along.
//! `{{name}}` is what the fixture or an earlier answer calls so.

const NEXT: &str = "\n===\n";

/// One request as it is written.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names and values, `as` among them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// So many are looked at; what stands behind is left out.
pub const MOST: usize = 12;

/// The requests of a text.
pub fn read(text: &str) -> Vec<Asked> {
    text.split(NEXT).take(MOST).map(one).collect()
}

fn one(text: &str) -> Asked {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.trim_start_matches('\n').lines();
    let first = lines.next().unwrap_or_default();
    let (method, target) = first.split_once(' ').unwrap_or((first, "/"));
    Asked {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim_start().to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}

/// The text of these requests.
pub fn write(script: &[Asked]) -> String {
    let texts: Vec<String> = script
        .iter()
        .map(|asked| {
            let headers = asked.headers.iter();
            let headers: String = headers
                .map(|(name, value)| format!("{name}: {value}\n"))
                .collect();
            let body = match asked.body.as_str() {
                "" => String::new(),
                body => format!("\n{body}"),
            };
            format!("{} {}\n{headers}{body}", asked.method, asked.target)
        })
        .collect();
    texts.join(NEXT)
}

impl Asked {
    /// Whose credentials go along.
    pub fn who(&self) -> &str {
        let mut found = self.headers.iter().filter(|(name, _)| name == "as");
        found.next().map_or("", |(_, who)| who)
    }

    /// Puts a header in the place of those with its name.
    pub fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }
}
